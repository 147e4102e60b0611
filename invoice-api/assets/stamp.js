// The stamp in the link of a QR code: a validator's signature over what is printed on the paper.
//
//     h  first 16 bytes of SM3 of the record, base64url      i  index of its leaf
//     k  first 4 bytes of the validator's kid, hexadecimal    s  signature r || s, base64url

import { fromBase64Url, toHex, utf8 } from "./bytes.js";
import { require } from "./json.js";
import { verify } from "./sm2.js";

/** The stamp in the parameters of an address; null when there is none. Throws Invalid when it is broken. */
export function readStamp(parameters) {
  const [h, i, k, s] = ["h", "i", "k", "s"].map((name) => parameters.get(name));
  if (k === null && s === null) return null;
  let stamp = null;
  try {
    stamp = { digest: fromBase64Url(h, 16), signature: fromBase64Url(s, 64) };
  } catch {
    // Told below.
  }
  const good = stamp && /^(?:0|[1-9][0-9]{0,19})$/.test(i ?? "") && /^[0-9a-f]{8}$/.test(k ?? "");
  require(good, "stamp", "二维码中的签章格式不正确", "the stamp in the code is malformed");
  return { ...stamp, index: i, key: k };
}

/** What a stamp is over. */
export function stampMessage(chainId, paper, stamp) {
  const lines = [chainId, paper.key, paper.amount, paper.date, paper.checkCode, toHex(stamp.digest), stamp.index];
  return utf8(`piaolian/1/paper\n${lines.join("\n")}`);
}

/**
 * Verifies a stamp with the validators that are known (Map of kid → {key, name}). Throws Invalid;
 * returns who stamped.
 */
export function verifyStamp(chainId, paper, stamp, validators) {
  const message = stampMessage(chainId, paper, stamp);
  const named = [...validators].filter(([kid]) => kid.startsWith(stamp.key));
  require(named.length > 0, "stamp", "签章者不是已知的验证节点", "the stamp is of no known validator");
  const found = named.find(([, { key }]) => verify(key, message, stamp.signature));
  require(found, "stamp", "签章与票面信息不符", "the stamp does not fit what the address says");
  return { kid: found[0], name: found[1].name };
}
