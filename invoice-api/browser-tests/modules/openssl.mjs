// The `openssl` command, in a folder of its own that goes at the end of a test.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs `body` with a folder and a function that runs openssl in it. */
export async function withOpenSsl(t, body) {
  const folder = mkdtempSync(join(tmpdir(), "piaolian-modules-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const openssl = (line) =>
    execFileSync("openssl", line.split(" "), { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const write = (name, bytes) => writeFileSync(join(folder, name), bytes);
  const read = (name) => readFileSync(join(folder, name));
  await body({ openssl, write, read });
}

/** r || s as DER SEQUENCE { r INTEGER, s INTEGER }. */
export function derSignature(signature) {
  const integer = (bytes) => {
    let at = 0;
    while (at < 31 && bytes[at] === 0) at += 1;
    const digits = [...bytes.subarray(at)];
    if (digits[0] >= 0x80) digits.unshift(0);
    return [0x02, digits.length, ...digits];
  };
  const content = [...integer(signature.subarray(0, 32)), ...integer(signature.subarray(32, 64))];
  return Uint8Array.from([0x30, content.length, ...content]);
}

/** The other way round. */
export function rawSignature(der) {
  const raw = new Uint8Array(64);
  let at = 2;
  for (const end of [32, 64]) {
    const length = der[at + 1];
    let digits = der.subarray(at + 2, at + 2 + length);
    if (digits[0] === 0) digits = digits.subarray(1);
    raw.set(digits, end - digits.length);
    at += 2 + length;
  }
  return raw;
}
