// SM2 signatures (GB/T 32918.2-2016) on the recommended curve, with SM3 and the default user id.
//
// Numbers are BigInt, whose time depends on their values. Signing therefore multiplies by a k that
// is used once and is blinded by a random multiple of the group's order; whoever can measure this
// page to the microsecond from inside the machine is not kept out.

import { concat, fromBigInt, fromHex, toBigInt, toHex, utf8 } from "./bytes.js";
import { sm3 } from "./sm3.js";

const P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn;
const A = P - 3n;
const B = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n;
/** The order of the group. */
export const N = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;
const GX = 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n;
const GY = 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n;
const USER_ID = utf8("1234567812345678");

const modulo = (x, m) => {
  const rest = x % m;
  return rest < 0n ? rest + m : rest;
};
const mod = (x) => modulo(x, P);

function inverse(x, m) {
  let [a, b] = [modulo(x, m), m];
  let [u, v] = [1n, 0n];
  while (a > 1n) {
    const q = b / a;
    [a, b] = [b % a, a];
    [u, v] = [v - q * u, u];
  }
  if (a === 0n) throw new Error("no inverse");
  return modulo(u, m);
}

// Points are Jacobian [X, Y, Z]; Z = 0 is the point at infinity.
const INFINITY = [1n, 1n, 0n];
const G = [GX, GY, 1n];

function double([x, y, z]) {
  if (z === 0n || y === 0n) return INFINITY;
  const zz = mod(z * z);
  const m = mod(3n * (x - zz) * (x + zz));
  const yy = mod(y * y);
  const s = mod(4n * x * yy);
  const x3 = mod(m * m - 2n * s);
  return [x3, mod(m * (s - x3) - 8n * yy * yy), mod(2n * y * z)];
}

function add(p, q) {
  if (p[2] === 0n) return q;
  if (q[2] === 0n) return p;
  const [zz1, zz2] = [mod(p[2] * p[2]), mod(q[2] * q[2])];
  const [u1, u2] = [mod(p[0] * zz2), mod(q[0] * zz1)];
  const [s1, s2] = [mod(p[1] * q[2] * zz2), mod(q[1] * p[2] * zz1)];
  if (u1 === u2) return s1 === s2 ? double(p) : INFINITY;
  const h = mod(u2 - u1);
  const r = mod(s2 - s1);
  const hh = mod(h * h);
  const hhh = mod(h * hh);
  const v = mod(u1 * hh);
  const x3 = mod(r * r - hhh - 2n * v);
  return [x3, mod(r * (v - x3) - s1 * hhh), mod(h * p[2] * q[2])];
}

/** k times a point, four bits at a time, with an addition for every one of them. */
function multiply(k, point) {
  const table = [INFINITY];
  for (let n = 1; n < 16; n += 1) table.push(add(table[n - 1], point));
  let sum = INFINITY;
  for (const digit of k.toString(16)) {
    sum = double(double(double(double(sum))));
    sum = add(sum, table[parseInt(digit, 16)]);
  }
  return sum;
}

function affine([x, y, z]) {
  const i = inverse(z, P);
  const ii = mod(i * i);
  return [mod(x * ii), mod(y * ii * i)];
}

/** A random number in 1 … n-1. */
function randomScalar() {
  for (;;) {
    const k = toBigInt(crypto.getRandomValues(new Uint8Array(32)));
    if (k > 0n && k < N) return k;
  }
}

/** Reads an uncompressed SEC1 public key (65 bytes) that is a point of the curve; else throws. */
export function readPublicKey(bytes) {
  if (bytes.length !== 65 || bytes[0] !== 4) throw new Error("public key form");
  const [x, y] = [toBigInt(bytes.subarray(1, 33)), toBigInt(bytes.subarray(33))];
  if (x >= P || y >= P || mod(y * y - x * x * x - A * x - B) !== 0n) {
    throw new Error("not a point of the curve");
  }
  return [x, y, 1n];
}

/** The public key of a private one (1 … n-2), 65 bytes. */
export function publicKeyOf(secret) {
  if (secret < 1n || secret > N - 2n) throw new Error("private key out of range");
  const [x, y] = affine(multiply(secret + N * 4n, G));
  return concat([4], fromBigInt(x, 32), fromBigInt(y, 32));
}

/** A key's identifier: the first 16 bytes of SM3 over the public key, in hexadecimal. */
export function kidOf(publicKey) {
  return toHex(sm3(publicKey).subarray(0, 16));
}

/** The digest that is signed: SM3(Z || message). */
function digest(publicKey, message) {
  const constants = [A, B, GX, GY].map((number) => fromBigInt(number, 32));
  const z = sm3([0x00, 0x80], USER_ID, ...constants, publicKey.subarray(1));
  return toBigInt(sm3(z, message));
}

/** Signs; 65 bytes: r, s, and the lowest bit of the y coordinate of [k]G, which is only a hint. */
export function sign(secret, publicKey, message) {
  const e = digest(publicKey, message);
  for (;;) {
    const k = randomScalar();
    const blinding = toBigInt(crypto.getRandomValues(new Uint8Array(8)));
    const [x, y] = affine(multiply(k + N * (blinding | (1n << 63n)), G));
    const r = modulo(e + x, N);
    if (r === 0n || r + k === N) continue;
    const s = modulo(inverse(1n + secret, N) * (k - r * secret), N);
    if (s === 0n) continue;
    return concat(fromBigInt(r, 32), fromBigInt(s, 32), [Number(y & 1n)]);
  }
}

/** Whether a signature of 64 bytes (or 65, the hint not looked at) is good. */
export function verify(publicKey, message, signature) {
  if (signature.length !== 64 && signature.length !== 65) return false;
  const point = readPublicKey(publicKey);
  const r = toBigInt(signature.subarray(0, 32));
  const s = toBigInt(signature.subarray(32, 64));
  if (r < 1n || r >= N || s < 1n || s >= N) return false;
  const t = modulo(r + s, N);
  if (t === 0n) return false;
  const sum = add(multiply(s, G), multiply(t, point));
  if (sum[2] === 0n) return false;
  return modulo(digest(publicKey, message) + affine(sum)[0], N) === r;
}

/** Whether the r and s of a signature of 64 bytes are in range. */
export function inRange(signature) {
  const [r, s] = [toBigInt(signature.subarray(0, 32)), toBigInt(signature.subarray(32))];
  return signature.length === 64 && r > 0n && r < N && s > 0n && s < N;
}

/** A public key from hexadecimal: 130 digits, a point of the curve. */
export function publicKeyFromHex(text) {
  const bytes = fromHex(text, 65);
  readPublicKey(bytes);
  return bytes;
}
