// Sign what you send: an envelope is put together from the very bytes that were signed.

import { concat, toBase64, toHex, utf8 } from "./bytes.js";
import { leafHash, root } from "./merkle.js";
import { sign } from "./sm2.js";

export const BATCH_RECORDS_MAX = 1_000;
const RECORD_BYTES_MAX = 16_384;

/** A new record id: time-ordered, and random enough to be nobody else's. */
export function recordId(prefix) {
  const time = Date.now().toString(16).padStart(12, "0");
  return `${prefix}-${time}-${toHex(crypto.getRandomValues(new Uint8Array(8)))}`;
}

/** The clock of this machine as RFC 3339 in UTC+8; for records it is informative. */
export function clock(milliseconds = Date.now()) {
  return new Date(milliseconds + 28_800_000).toISOString().replace("Z", "+08:00");
}

/** A record's bytes: what is signed, sent, hashed and given back. Absent members are left out. */
export function recordBytes(type, id, by, members) {
  const bytes = utf8(JSON.stringify({ type, id, by, at: clock(), ...members }));
  if (bytes.length > RECORD_BYTES_MAX) throw new Error("record too long");
  return bytes;
}

/** The envelope of one record. */
export function envelope(key, chainId, record) {
  const signature = sign(key.secret, key.publicKey, concat(utf8(`piaolian/1\n${chainId}\n`), record));
  return concat(utf8(`{"kid":"${key.kid}","sig":"${toBase64(signature)}","record":`), record, utf8("}"));
}

/** The envelope of 1 to 1,000 records under one signature; all or nothing when `atomic`. */
export function batchEnvelope(key, chainId, records, atomic) {
  if (records.length < 1 || records.length > BATCH_RECORDS_MAX) throw new Error("batch size");
  const kind = atomic ? "batch-atomic" : "batch";
  const tree = toHex(root(records.map(leafHash)));
  const message = utf8(`piaolian/1/${kind}\n${chainId}\n${records.length}\n${tree}`);
  const signature = toBase64(sign(key.secret, key.publicKey, message));
  const parts = [utf8(`{"kid":"${key.kid}","sig":"${signature}",${atomic ? '"atomic":true,' : ""}"records":[`)];
  records.forEach((record, n) => parts.push(...(n > 0 ? [utf8(",")] : []), record));
  return concat(...parts, utf8("]}"));
}
