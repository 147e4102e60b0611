// As much of DER, PKCS#8 (RFC 5958) and PBES2 (RFC 8018) as key files of SM2 need.

import { fromBase64, same, toBigInt, utf8 } from "./bytes.js";
import { publicKeyOf } from "./sm2.js";

const INTEGER = 0x02;
const OCTETS = 0x04;
const NULL = 0x05;
const OID = 0x06;
const SEQUENCE = 0x30;

// Contents of the object identifiers that may occur.
const EC_PUBLIC_KEY = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const SM2_CURVE = [0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d];
const PBES2 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
const PBKDF2 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
const HMAC_SHA256 = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09];
const AES_256_CBC = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];

const FILE_BYTES_MAX = 16 * 1024;
const ITERATIONS_MAX = 10_000_000n;

/** Why a key file cannot be used: `form`, `not_sm2`, `passphrase_needed`, `no_decryption_here`, `decryption`. */
export class KeyFileError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** Reads values one after the other. */
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get done() {
    return this.at === this.bytes.length;
  }

  peek() {
    return this.bytes[this.at];
  }

  /** The content of the next value, which must have this tag. */
  take(tag) {
    if (this.bytes[this.at] !== tag) throw new KeyFileError("form");
    let length = this.bytes[this.at + 1];
    let begin = this.at + 2;
    if (length > 0x80 && length <= 0x82) {
      const digits = length - 0x80;
      length = Number(toBigInt(this.bytes.subarray(begin, begin + digits)));
      begin += digits;
      if (length < (digits === 1 ? 0x80 : 0x100)) throw new KeyFileError("form");
    } else if (!(length < 0x80)) {
      throw new KeyFileError("form");
    }
    if (begin + length > this.bytes.length) throw new KeyFileError("form");
    this.at = begin + length;
    return this.bytes.subarray(begin, this.at);
  }

  enter(tag = SEQUENCE) {
    return new Reader(this.take(tag));
  }

  /** A whole number from 0. */
  number() {
    const content = this.take(INTEGER);
    if (content.length === 0 || content.length > 8 || content[0] >= 0x80) {
      throw new KeyFileError("form");
    }
    return toBigInt(content);
  }

  end() {
    if (!this.done) throw new KeyFileError("form");
  }
}

/** Label and content of a PEM text (RFC 7468). */
function pem(text) {
  const found = /^\s*-----BEGIN ([A-Z ]+)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END ([A-Z ]+)-----\s*$/.exec(text);
  if (!found || found[1] !== found[3] || text.length > FILE_BYTES_MAX) throw new KeyFileError("form");
  try {
    return { label: found[1], bytes: fromBase64(found[2].replace(/[\r\n]/g, "")) };
  } catch {
    throw new KeyFileError("form");
  }
}

/** The private key in a PrivateKeyInfo. */
function privateKey(bytes) {
  const whole = new Reader(bytes);
  const info = whole.enter();
  whole.end();
  if (info.number() > 1n) throw new KeyFileError("form");
  const algorithm = info.enter();
  if (!same(algorithm.take(OID), EC_PUBLIC_KEY) || !same(algorithm.take(OID), SM2_CURVE)) {
    throw new KeyFileError("not_sm2");
  }
  algorithm.end();
  const key = new Reader(info.take(OCTETS)).enter();
  if (key.number() !== 1n) throw new KeyFileError("form");
  const scalar = key.take(OCTETS);
  if (scalar.length !== 32) throw new KeyFileError("not_sm2");
  const secret = toBigInt(scalar);
  let publicKey;
  try {
    publicKey = publicKeyOf(secret);
  } catch {
    throw new KeyFileError("not_sm2");
  }
  // The file may name the curve again, and the public key that belongs to the private one.
  if (key.peek() === 0xa0) {
    if (!same(key.enter(0xa0).take(OID), SM2_CURVE)) throw new KeyFileError("not_sm2");
  }
  if (key.peek() === 0xa1) {
    const stated = key.enter(0xa1).take(0x03);
    if (stated[0] !== 0 || !same(stated.subarray(1), publicKey)) throw new KeyFileError("not_sm2");
  }
  key.end();
  return { secret, publicKey };
}

/** Opens an EncryptedPrivateKeyInfo: PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC. */
async function decrypted(bytes, passphrase) {
  const whole = new Reader(bytes);
  const sealed = whole.enter();
  whole.end();
  const algorithm = sealed.enter();
  if (!same(algorithm.take(OID), PBES2)) throw new KeyFileError("decryption");
  const parameters = algorithm.enter();
  const derivation = parameters.enter();
  const cipher = parameters.enter();
  if (!same(derivation.take(OID), PBKDF2) || !same(cipher.take(OID), AES_256_CBC)) {
    throw new KeyFileError("decryption");
  }
  const values = derivation.enter();
  const salt = values.take(OCTETS);
  const iterations = values.number();
  if (values.peek() === INTEGER && values.number() !== 32n) throw new KeyFileError("decryption");
  const prf = values.enter();
  if (!same(prf.take(OID), HMAC_SHA256) || iterations < 1n || iterations > ITERATIONS_MAX) {
    throw new KeyFileError("decryption");
  }
  if (prf.peek() === NULL) prf.take(NULL);
  prf.end();
  const iv = cipher.take(OCTETS);
  const content = sealed.take(OCTETS);
  sealed.end();
  if (!globalThis.crypto?.subtle) throw new KeyFileError("no_decryption_here");
  if (!passphrase) throw new KeyFileError("passphrase_needed");
  const { subtle } = globalThis.crypto;
  try {
    const base = await subtle.importKey("raw", utf8(passphrase), "PBKDF2", false, ["deriveKey"]);
    const key = await subtle.deriveKey(
      { name: "PBKDF2", hash: "SHA-256", salt, iterations: Number(iterations) },
      base,
      { name: "AES-CBC", length: 256 },
      false,
      ["decrypt"],
    );
    return new Uint8Array(await subtle.decrypt({ name: "AES-CBC", iv }, key, content));
  } catch {
    throw new KeyFileError("decryption");
  }
}

/** The key in a PKCS#8 file: `secret` (BigInt) and `publicKey` (65 bytes). Throws KeyFileError. */
export async function readKeyFile(text, passphrase) {
  const { label, bytes } = pem(text);
  if (label === "PRIVATE KEY") return privateKey(bytes);
  if (label !== "ENCRYPTED PRIVATE KEY") throw new KeyFileError("form");
  const opened = await decrypted(bytes, passphrase);
  try {
    return privateKey(opened);
  } catch (error) {
    // A wrong passphrase that happens to leave valid padding gives nonsense.
    throw error.code === "form" ? new KeyFileError("decryption") : error;
  } finally {
    opened.fill(0);
  }
}
