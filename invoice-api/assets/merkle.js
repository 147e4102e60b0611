// The tree of RFC 6962 over SM3.

import { same } from "./bytes.js";
import { sm3 } from "./sm3.js";

/** The hash of a leaf's bytes. */
export function leafHash(bytes) {
  return sm3([0x00], bytes);
}

/** The hash over two subtrees. */
export function nodeHash(left, right) {
  return sm3([0x01], left, right);
}

/** The root over the hashes of leaves; there is at least one. */
export function root(hashes) {
  if (hashes.length === 1) return hashes[0];
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return nodeHash(root(hashes.slice(0, split)), root(hashes.slice(split)));
}

/** The root that a leaf and its path lead to; null when the path does not fit. Sizes are BigInt. */
export function rootFromPath(leaf, index, size, path) {
  if (index >= size) return null;
  let [position, last, hash] = [index, size - 1n, leaf];
  for (const sibling of path) {
    if (last === 0n) return null;
    if ((position & 1n) === 1n || position === last) {
      hash = nodeHash(sibling, hash);
      while ((position & 1n) === 0n && position !== 0n) {
        position >>= 1n;
        last >>= 1n;
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    position >>= 1n;
    last >>= 1n;
  }
  return last === 0n ? hash : null;
}

/** Whether the path leads from the leaf to the root. */
export function isIncluded(leaf, index, size, path, expected) {
  const found = rootFromPath(leaf, index, size, path);
  return found !== null && same(found, expected);
}
