// The chain as whoever has its genesis file can check it: validators, headers, certificates.
// docs/format.md, sections 4, 7, 8 and 11.

import { concat, fromBase64, fromBigInt, fromHex, same, toBigInt, toHex, utf8 } from "./bytes.js";
import { parseJson, readArray, readNumber, readObject, readText, require } from "./json.js";
import { inRange, kidOf, publicKeyFromHex, verify } from "./sm2.js";
import { sm3 } from "./sm3.js";

export const CHAIN_ID = /^[a-z0-9-]{1,32}$/;
export const MEMBER_ID = /^[0-9A-Z]{18}$/;
const ROLES = ["tax", "finance", "health", "merchant", "hospital", "employer", "insurer", "auditor"];
const GROUPS = ["tax", "finance"];
const TIME =
  /^(\d{4})-(\d{2})-(\d{2})[Tt]([01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/** Bytes in hexadecimal, of this length. */
export function readHex(value, where, length) {
  readText(value, where);
  try {
    return fromHex(value, length);
  } catch {
    require(false, where, `应为 ${2 * length} 位小写十六进制`, `${2 * length} lower-case hexadecimal digits are due`);
  }
}

/** A public key in hexadecimal. */
export function readKey(value, where) {
  readText(value, where);
  try {
    return publicKeyFromHex(value);
  } catch {
    require(false, where, "不是 SM2 公钥", "not an SM2 public key");
  }
}

/** r || s in base64, both in 1 … n-1. */
export function readSignature(value, where) {
  readText(value, where);
  let bytes = null;
  try {
    bytes = fromBase64(value, 64);
  } catch {
    // Told below.
  }
  require(bytes !== null && inRange(bytes), where, "不是规范的签名", "not a signature in its one spelling");
  return bytes;
}

/** The pairs of kid and signature of a certificate. */
export function readVotes(value, where) {
  return readArray(value, where, 100).map((item, n) => {
    readObject(item, `${where}[${n}]`, ["kid", "sig"]);
    return {
      kid: toHex(readHex(item.get("kid"), `${where}[${n}].kid`, 16)),
      signature: readSignature(item.get("sig"), `${where}[${n}].sig`),
    };
  });
}

function characters(text) {
  return [...text].length;
}

/** A list of validators that is a set: `keys` by kid, the total weight, and the digest. */
export function readValidators(value, where) {
  const keys = new Map();
  const digest = [];
  const groups = [];
  let total = 0n;
  readArray(value, where, 100).forEach((item, n) => {
    const place = `${where}[${n}]`;
    readObject(item, place, ["public_key", "weight", "name"], ["group"]);
    const name = readText(item.get("name"), `${place}.name`);
    require(characters(name) <= 200, `${place}.name`, "名称过长", "a name that is too long");
    const key = readKey(item.get("public_key"), `${place}.public_key`);
    const weight = readNumber(item.get("weight"), `${place}.weight`, 64);
    require(weight >= 1n, `${place}.weight`, "权重应至少为 1", "a weight must be at least 1");
    const kid = kidOf(key);
    require(!keys.has(kid), place, "公钥重复", "a key that occurs twice");
    let group = null;
    if (item.has("group")) {
      group = readText(item.get("group"), `${place}.group`);
      require(GROUPS.includes(group), `${place}.group`, "分组未知", "an unknown group");
    }
    keys.set(kid, { key, weight, name, group });
    groups.push({ group, weight });
    digest.push(key, fromBigInt(weight, 8));
    total += weight;
  });
  require(keys.size === 1 || keys.size >= 4, where, "验证者应为 1 个或 4 至 100 个", "there must be 1 validator, or 4 to 100");
  require(total < 1n << 64n, where, "权重之和过大", "the sum of the weights is too large");
  if (keys.size > 1) {
    for (const group of GROUPS) {
      const its = groups.filter((item) => item.group === group);
      const weight = its.reduce((sum, item) => sum + item.weight, 0n);
      require(its.length > 0 && 3n * weight <= 2n * total, where, "分组不平衡", "the groups are not balanced");
    }
    require(groups.every(({ group }) => group), where, "验证者未分组", "a validator without a group");
  }
  return { keys, total, digest: sm3([0x05], ...digest) };
}

function hasCheckCharacter(id) {
  let [sum, power] = [0, 1];
  for (const character of id.slice(0, 17)) {
    const value = ALPHABET.indexOf(character);
    if (value < 0) return false;
    sum += value * power;
    power = (power * 3) % 31;
  }
  return ALPHABET[(31 - (sum % 31)) % 31] === id[17];
}

function isTime(text) {
  const found = TIME.exec(text);
  if (!found) return false;
  const [year, month, day] = found.slice(1, 4).map(Number);
  const date = new Date(Date.UTC(2000, 0, 1));
  date.setUTCFullYear(year, month - 1, day);
  return year >= 1 && date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** Reads a genesis file: `chainId`, `hash`, `validators`. */
export function readGenesis(bytes) {
  const where = "genesis";
  require(bytes.length <= 4 << 20, where, "创世文件过大", "the genesis file is too large");
  const value = readObject(parseJson(bytes), where, ["format", "chain_id", "time", "validators", "members"]);
  require(value.get("format") === "piaolian-genesis/1", `${where}.format`, "格式名不对", "not the format's name");
  const chainId = readText(value.get("chain_id"), `${where}.chain_id`, CHAIN_ID);
  const time = readText(value.get("time"), `${where}.time`);
  require(isTime(time), `${where}.time`, "不是带时区的 RFC 3339 时间", "not an RFC 3339 time with an offset");
  const validators = readValidators(value.get("validators"), `${where}.validators`);
  const [ids, kids] = [new Set(), new Set()];
  readArray(value.get("members"), `${where}.members`, 10_000).forEach((item, n) => {
    const place = `${where}.members[${n}]`;
    readObject(item, place, ["id", "name", "roles", "public_key"]);
    const id = readText(item.get("id"), `${place}.id`, MEMBER_ID);
    require(hasCheckCharacter(id) && !ids.has(id), `${place}.id`, "统一社会信用代码不对或重复", "a member id that is wrong or occurs twice");
    ids.add(id);
    const length = characters(readText(item.get("name"), `${place}.name`));
    require(length >= 1 && length <= 200, `${place}.name`, "名称应为 1 至 200 个字符", "a name has 1 to 200 characters");
    const roles = readArray(item.get("roles"), `${place}.roles`);
    const good = roles.length > 0 && new Set(roles).size === roles.length && roles.every((role) => ROLES.includes(role));
    require(good, `${place}.roles`, "角色为空、重复或未知", "roles that are empty, repeated or unknown");
    const kid = kidOf(readKey(item.get("public_key"), `${place}.public_key`));
    require(!kids.has(kid), place, "公钥重复", "a key that occurs twice");
    kids.add(kid);
  });
  return { chainId, hash: sm3([0x03], bytes), validators };
}

/** Decodes the 198 bytes of a header. Numbers are BigInt. */
export function decodeHeader(bytes, where) {
  const number = (from, to) => toBigInt(bytes.subarray(from, to));
  require(bytes.length === 198 && number(0, 2) === 1n, where, "区块头版本不是 1", "the header's version is not 1");
  const padded = bytes.subarray(2, 34);
  const end = padded.indexOf(0) < 0 ? 32 : padded.indexOf(0);
  const chainId = String.fromCharCode(...padded.subarray(0, end));
  const zeros = padded.subarray(end).every((byte) => byte === 0);
  require(zeros && CHAIN_ID.test(chainId), where, "区块头的 chain_id 不正确", "the header's chain_id is malformed");
  const header = {
    chainId,
    height: number(34, 42),
    time: BigInt.asIntN(64, number(42, 50)),
    previous: bytes.subarray(50, 82),
    firstIndex: number(82, 90),
    count: number(90, 94),
    logSize: number(94, 102),
    logRoot: bytes.subarray(102, 134),
    validators: bytes.subarray(166, 198),
    id: sm3([0x02], bytes),
  };
  require(header.height >= 1n, where, "区块头的高度为 0", "the header's height is 0");
  require(header.logSize === header.firstIndex + header.count, where, "区块头的 log_size 不正确", "the header's log_size is not first_index + count");
  return header;
}

/** The one spelling of a time; null when it lies outside what can be written. */
export function spellTime(milliseconds) {
  const local = milliseconds + 28_800_000n;
  if (local < -62_135_596_800_000n || local > 253_402_300_799_999n) return null;
  return new Date(Number(local)).toISOString().replace("Z", "+08:00");
}

/** Checks that the precommits of these validators make the block final. Returns who signed. */
export function verifyCertificate(chainId, validators, header, round, votes, where) {
  let weight = 0n;
  votes.forEach(({ kid, signature }, n) => {
    require(n === 0 || votes[n - 1].kid < kid, `${where}[${n}].kid`, "kid 未严格递增", "the kids are not strictly ascending");
    const validator = validators.keys.get(kid);
    require(validator, `${where}[${n}].kid`, "不是此高度的验证者", "no validator of this height");
    const message = concat(
      utf8(`piaolian/1/vote\n${chainId}\n`),
      [1],
      fromBigInt(header.height, 8),
      fromBigInt(round, 8),
      [1],
      header.id,
      fromHex(kid),
    );
    require(verify(validator.key, message, signature), `${where}[${n}].sig`, "验证者签名无效", "the validator's signature is not valid");
    weight += validator.weight;
  });
  require(3n * weight > 2n * validators.total, where, "签名者未达法定多数", "the signers are no quorum");
  return votes.map(({ kid }) => ({ kid, name: validators.keys.get(kid).name }));
}

/** Whether the header names these validators as those that decide on it. */
export function requireValidators(header, validators, where) {
  require(same(header.validators, validators.digest), where, "验证者集合与创世文件及变更不同", "not the validators of the genesis file and the changes");
}
