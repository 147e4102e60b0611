// Receipts, checkpoints and the changes of the validators within them, verified as docs/format.md
// section 10 says: in its order, stopping at the first failure.

import { concat, fromBigInt, same, toHex, utf8 } from "./bytes.js";
import {
  CHAIN_ID, decodeHeader, MEMBER_ID, readHex, readKey, readSignature, readValidators, readVotes,
  requireValidators, spellTime, verifyCertificate,
} from "./chain.js";
import { Invalid, JsonObject, parseJson, readArray, readNumber, readObject, readText, require } from "./json.js";
import { isIncluded, leafHash, rootFromPath } from "./merkle.js";
import { kidOf, verify } from "./sm2.js";

const RECEIPT_BYTES_MAX = 4 << 20;
const RECORD_BYTES_MAX = 16_384;
const RECORD_ID = /^[A-Za-z0-9-]{1,64}$/;
const REFUSAL_CODE = /^[a-z0-9_]{1,64}$/;
const PROOF = ["record", "outcome", "height", "index", "inclusion", "header", "round", "signatures", "authorization"];

function readOutcome(value, where) {
  const item = readObject(value, where, ["status"], ["code", "detail"]);
  const status = readText(item.get("status"), `${where}.status`, /^(?:accepted|refused)$/);
  require(item.has("code") === (status === "refused"), `${where}.code`, "code 只应在 refused 时出现", "a code must be given exactly when refused");
  const code = item.has("code") ? readText(item.get("code"), `${where}.code`, REFUSAL_CODE) : null;
  const facts = [];
  if (item.has("detail")) {
    const detail = item.get("detail");
    require(detail instanceof JsonObject && detail.size > 0 && detail.size <= 64, `${where}.detail`, "detail 应为 1 至 64 项的对象", "detail must be an object of 1 to 64 members");
    require(detail.repeated.size === 0, `${where}.detail`, "成员重复", "a member is repeated");
    for (const [name, text] of detail) {
      const fact = [utf8(name), utf8(readText(text, `${where}.detail`))];
      require(fact.every((part) => part.length < 1 << 16), `${where}.detail`, "文本过长", "a text that is too long");
      facts.push(fact);
    }
  }
  const order = ([a], [b]) => {
    const hex = [toHex(a), toHex(b)];
    if (hex[0] === hex[1]) return 0;
    return hex[0] < hex[1] ? -1 : 1;
  };
  const bytes = [[code === null ? 0 : 1], text16(utf8(code ?? "")), fromBigInt(facts.length, 2)];
  for (const fact of facts.sort(order)) bytes.push(...fact.map(text16));
  return { code, detail: item.get("detail") ?? new JsonObject(), bytes: concat(...bytes) };
}

function text16(bytes) {
  return concat(fromBigInt(bytes.length, 2), bytes);
}

function readHashes(value, where) {
  return readArray(value, where).map((item, n) => readHex(item, `${where}[${n}]`, 32));
}

/** What a receipt and a change within it have in common: a record with all that proves it. */
function readProof(value, where) {
  const record = utf8(readText(value.get("record"), `${where}record`));
  require(record.length <= RECORD_BYTES_MAX, `${where}record`, "记录过长", "the record is too long");
  const inclusion = readObject(value.get("inclusion"), `${where}inclusion`, ["tree_size", "path"]);
  const place = `${where}authorization`;
  const item = readObject(value.get("authorization"), place, ["kid", "public_key", "sig"], ["batch"]);
  let batch = null;
  if (item.has("batch")) {
    const stated = readObject(item.get("batch"), `${place}.batch`, ["count", "position", "path", "atomic"]);
    require(typeof stated.get("atomic") === "boolean", `${place}.batch.atomic`, "应为 true 或 false", "true or false is due");
    batch = {
      count: readNumber(stated.get("count"), `${place}.batch.count`, 32),
      position: readNumber(stated.get("position"), `${place}.batch.position`, 32),
      path: readHashes(stated.get("path"), `${place}.batch.path`),
      atomic: stated.get("atomic"),
    };
  }
  return {
    where,
    record,
    outcome: readOutcome(value.get("outcome"), `${where}outcome`),
    height: readNumber(value.get("height"), `${where}height`, 64),
    index: readNumber(value.get("index"), `${where}index`, 64),
    treeSize: readNumber(inclusion.get("tree_size"), `${where}inclusion.tree_size`, 64),
    path: readHashes(inclusion.get("path"), `${where}inclusion.path`),
    header: decodeHeader(readHex(value.get("header"), `${where}header`, 198), `${where}header`),
    round: readNumber(value.get("round"), `${where}round`, 32),
    votes: readVotes(value.get("signatures"), `${where}signatures`),
    kid: readHex(item.get("kid"), `${place}.kid`, 16),
    key: readKey(item.get("public_key"), `${place}.public_key`),
    signature: readSignature(item.get("sig"), `${place}.sig`),
    batch,
  };
}

/** The record's object; the names must occur once in it, as texts. */
function readRecord(bytes, where, names) {
  require(bytes.length > 0 && bytes[0] === 0x7b && bytes.at(-1) === 0x7d, where, "记录不是从 { 到 } 的对象", "the record is not an object from { to }");
  const fields = parseJson(bytes);
  for (const name of names) {
    require(!fields.repeated.has(name), where, `成员 ${name} 重复`, `member ${name} is repeated`);
    readText(fields.get(name), `${where}.${name}`);
  }
  return fields;
}

/** The header is of the chain and says where the record stands, and the log has it there. */
function stands(proof, genesis, progress) {
  const { header, where } = proof;
  progress.step = "header";
  require(header.chainId === genesis.chainId, `${where}header`, "区块头的 chain_id 不同", "the header has another chain_id");
  require(header.height === proof.height, `${where}height`, "与区块头的高度不同", "not the header's height");
  require(header.logSize === proof.treeSize, `${where}inclusion.tree_size`, "与区块头的 log_size 不同", "not the header's log_size");
  require(header.firstIndex <= proof.index && proof.index < header.logSize, `${where}index`, "不在此区块内", "not within the block");
  progress.step = "predecessor";
  require(proof.height !== 1n || same(header.previous, genesis.hash), `${where}header`, "首个区块未指向创世文件", "the first block does not follow the genesis file");
  progress.step = "inclusion";
  const leaf = leafHash(concat([1], proof.kid, fromBigInt(proof.record.length, 4), proof.record, proof.outcome.bytes));
  require(isIncluded(leaf, proof.index, proof.treeSize, proof.path, header.logRoot), `${where}inclusion.path`, "包含证明不通向区块头的 log_root", "the path does not lead to the header's log_root");
}

/** These validators decided, and the submitter signed. Returns who decided. */
function isFinal(proof, genesis, validators, progress) {
  const { where, batch } = proof;
  progress.step = "validators";
  requireValidators(proof.header, validators, `${where}header`);
  progress.step = "certificate";
  const signers = verifyCertificate(genesis.chainId, validators, proof.header, proof.round, proof.votes, `${where}signatures`);
  progress.step = "key";
  require(kidOf(proof.key) === toHex(proof.kid), `${where}authorization.kid`, "不是 public_key 的 kid", "not the kid of public_key");
  let message = concat(utf8(`piaolian/1\n${genesis.chainId}\n`), proof.record);
  if (batch) {
    progress.step = "batch";
    require(batch.count <= 1_000n, `${where}authorization.batch.count`, "批次超过 1000 条", "a batch of more than 1,000 records");
    const root = rootFromPath(leafHash(proof.record), batch.position, batch.count, batch.path);
    require(root !== null, `${where}authorization.batch.path`, "路径长度不符", "a path that does not fit");
    const kind = batch.atomic ? "batch-atomic" : "batch";
    message = utf8(`piaolian/1/${kind}\n${genesis.chainId}\n${batch.count}\n${toHex(root)}`);
  }
  progress.step = "signature";
  require(verify(proof.key, message, proof.signature), `${where}authorization.sig`, "提交者签名无效", "the submitter's signature is not valid");
  return signers;
}

/** Follows the changes of the validators: the set that decides on `height`, and all there were. */
function follow(changes, height, genesis, progress) {
  let [current, from] = [genesis.validators, 1n];
  const everyone = new Map(current.keys);
  for (const change of changes) {
    progress.step = "change";
    const place = `${change.where}record`;
    require(change.outcome.code === null, `${change.where}outcome`, "变更记录未被接受", "the record was refused");
    const fields = readRecord(change.record, place, ["type"]);
    require(fields.get("type") === "validators.change", place, "不是 validators.change 记录", "no validators.change record");
    require(!fields.repeated.has("change"), place, "成员 change 重复", "member change is repeated");
    const stated = readObject(fields.get("change"), place, ["from_height", "replaces", "validators"]);
    require(change.height >= from, `${change.where}height`, "变更顺序错误", "the change does not come after the one before it");
    const replaces = readHex(stated.get("replaces"), `${place}.replaces`, 32);
    require(same(replaces, current.digest), `${place}.replaces`, "被替换的不是当时的验证者集", "it replaces other validators than those in force");
    const fromHeight = readNumber(stated.get("from_height"), `${place}.from_height`, 64);
    const ahead = fromHeight - change.height;
    require(ahead >= 2n && ahead <= 1_000_000n, `${place}.from_height`, "生效高度不符", "the first height does not fit");
    const next = readValidators(stated.get("validators"), `${place}.validators`);
    stands(change, genesis, progress);
    isFinal(change, genesis, current, progress);
    progress.step = "change";
    require(fromHeight <= height, place, "变更在该高度尚未生效", "the change is not in effect at the height");
    [current, from] = [next, fromHeight];
    for (const [kid, validator] of next.keys) everyone.set(kid, validator);
  }
  return { validators: current, everyone };
}

function readChanges(value) {
  if (value === undefined) return [];
  const changes = readArray(value, "validator_changes", 64);
  require(changes.length > 0, "validator_changes", "没有变更时应省略", "a list without changes must be absent");
  return changes.map((item, n) => {
    const where = `validator_changes[${n}]`;
    return readProof(readObject(item, where, PROOF), `${where}.`);
  });
}

function told(verification) {
  const progress = { step: "form" };
  try {
    return verification(progress);
  } catch (error) {
    if (error instanceof Invalid) error.step = progress.step;
    throw error;
  }
}

/**
 * Verifies a receipt's bytes with a genesis file that was read. Throws Invalid with the step that
 * failed; returns what the receipt proves.
 */
export function verifyReceipt(bytes, genesis) {
  return told((progress) => {
    require(bytes.length <= RECEIPT_BYTES_MAX, "receipt", "回执超过 4 MiB", "the receipt is larger than 4 MiB");
    const value = readObject(parseJson(bytes, { lowerCaseEscapes: true }), "receipt", ["chain_id", "by", "id", "time", ...PROOF], ["validator_changes"]);
    const chainId = readText(value.get("chain_id"), "chain_id", CHAIN_ID);
    const by = readText(value.get("by"), "by", MEMBER_ID);
    const id = readText(value.get("id"), "id", RECORD_ID);
    const time = readText(value.get("time"), "time");
    const proof = readProof(value, "");
    const changes = readChanges(value.get("validator_changes"));
    progress.step = "chain";
    require(chainId === genesis.chainId && proof.header.chainId === chainId, "chain_id", "属于另一条链", "of another chain");
    progress.step = "identity";
    const fields = readRecord(proof.record, "record", ["by", "id"]);
    require(fields.get("by") === by && fields.get("id") === id, "record", "by 或 id 与记录不符", "by or id is not what the record says");
    progress.step = "header";
    require(spellTime(proof.header.time) === time, "time", "与区块头的时间不同", "not the header's time in its one spelling");
    stands(proof, genesis, progress);
    const { validators } = follow(changes, proof.height, genesis, progress);
    const signers = isFinal(proof, genesis, validators, progress);
    return { by, id, time, fields, record: proof.record, index: proof.index, height: proof.height, code: proof.outcome.code, signers };
  });
}

/**
 * Verifies the answer of `GET /v1/checkpoint` (bytes): that validators who go back to the genesis
 * file signed it. Throws Invalid; returns height, time, size and root of the log, and who signed.
 */
export function verifyCheckpoint(bytes, genesis) {
  return told((progress) => {
    const value = parseJson(bytes);
    require(value instanceof JsonObject && value.repeated.size === 0, "checkpoint", "应为对象", "an object is due");
    const header = decodeHeader(readHex(value.get("header"), "header", 198), "header");
    const round = readNumber(value.get("round"), "round", 32);
    const votes = readVotes(value.get("signatures"), "signatures");
    const changes = readChanges(value.get("validator_changes"));
    progress.step = "chain";
    require(value.get("chain_id") === genesis.chainId && header.chainId === genesis.chainId, "chain_id", "属于另一条链", "of another chain");
    progress.step = "header";
    require(readNumber(value.get("height"), "height", 64) === header.height, "height", "与区块头的高度不同", "not the header's height");
    require(readNumber(value.get("tree_size"), "tree_size", 64) === header.logSize, "tree_size", "与区块头的 log_size 不同", "not the header's log_size");
    require(same(readHex(value.get("root_hash"), "root_hash", 32), header.logRoot), "root_hash", "与区块头的 log_root 不同", "not the header's log_root");
    require(value.get("time") === spellTime(header.time), "time", "与区块头的时间不同", "not the header's time");
    progress.step = "predecessor";
    require(header.height !== 1n || same(header.previous, genesis.hash), "header", "首个区块未指向创世文件", "the first block does not follow the genesis file");
    const { validators, everyone } = follow(changes, header.height, genesis, progress);
    progress.step = "validators";
    requireValidators(header, validators, "header");
    progress.step = "certificate";
    const signers = verifyCertificate(genesis.chainId, validators, header, round, votes, "signatures");
    return { height: header.height, time: value.get("time"), treeSize: header.logSize, logRoot: header.logRoot, signers, everyone };
  });
}
