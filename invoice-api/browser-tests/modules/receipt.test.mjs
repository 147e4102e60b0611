// Receipts and checkpoints of the real program, verified by the pages' modules: what it gives is
// good, and no byte of it may change.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { fromHex, toHex, utf8 } from "../../assets/bytes.js";
import { readGenesis } from "../../assets/chain.js";
import { batchEnvelope, envelope, recordBytes, recordId } from "../../assets/envelope.js";
import { Invalid } from "../../assets/json.js";
import { differences } from "../../assets/paper.js";
import { verifyCheckpoint, verifyReceipt } from "../../assets/receipt.js";
import { sign } from "../../assets/sm2.js";
import { sm3 } from "../../assets/sm3.js";
import { readStamp, stampMessage, verifyStamp } from "../../assets/stamp.js";
import { bill, invoice, post, startDemo } from "../demo.mjs";

let demo;
let genesis;
before(async () => {
  demo = await startDemo();
  genesis = readGenesis(demo.genesis);
});
after(() => demo?.stop());

async function issued() {
  const seller = demo.member("merchant");
  const document = invoice(seller, demo.member("employer"));
  const { status, text } = await demo.send(seller, "invoice.issue", { invoice: document });
  assert.equal(status, 201, text);
  return { document, receipt: utf8(text) };
}

test("a receipt of the program is good and says what the paper says", async () => {
  const { document, receipt } = await issued();
  const proved = verifyReceipt(receipt, genesis);
  assert.equal(proved.by, demo.member("merchant").id);
  assert.equal(proved.signers.length, 1);
  const paper = { key: `D:${document.number}`, amount: "1060.0", date: document.issue_date, checkCode: "" };
  assert.deepEqual(differences(proved, paper, null), []);
  for (const [name, value, differs] of [
    ["key", "D:00000000000000000000", "number"],
    ["amount", "1060.01", "amount"],
    ["date", "2020-01-01", "date"],
    ["checkCode", "a1B2c3", "check_code"],
  ]) {
    assert.deepEqual(differences(proved, { ...paper, [name]: value }, null), [differs]);
  }
  const stamp = { digest: sm3(proved.record).subarray(0, 16), index: String(proved.index) };
  assert.deepEqual(differences(proved, paper, stamp), []);
  assert.deepEqual(differences(proved, paper, { ...stamp, index: "999" }), ["stamp"]);
});

test("a receipt with any byte changed is refused", async () => {
  const { receipt } = await issued();
  let refused = 0;
  for (let at = 0; at < receipt.length; at += 1) {
    const changed = Uint8Array.from(receipt);
    changed[at] ^= 1;
    assert.throws(() => verifyReceipt(changed, genesis), Invalid, `byte ${at}: ${receipt[at]}`);
    refused += 1;
  }
  assert.ok(refused > 1_500, `${refused}`);
  for (const cut of [0, 1, receipt.length - 1]) {
    assert.throws(() => verifyReceipt(receipt.subarray(0, cut), genesis), Invalid);
  }
});

test("a receipt says the same to other readers of JSON", async () => {
  const { receipt } = await issued();
  const text = new TextDecoder().decode(receipt);
  assert.ok(verifyReceipt(utf8(`\n ${text}\t\n`), genesis), "white space is free");
  const value = JSON.parse(text);
  for (const [what, changed] of [
    ["unknown member", { ...value, more: 1 }],
    ["null", { ...value, round: null }],
    ["fraction", text.replace('"round":0', '"round":0.0')],
    ["repeated member", text.replace('"round":0', '"round":0,"round":0')],
    ["upper-case hexadecimal", { ...value, header: value.header.toUpperCase() }],
    ["empty changes", { ...value, validator_changes: [] }],
    ["byte order mark", `\ufeff${text}`],
    ["missing member", { ...value, time: undefined }],
  ]) {
    const bytes = utf8(typeof changed === "string" ? changed : JSON.stringify(changed));
    assert.throws(() => verifyReceipt(bytes, genesis), Invalid, what);
  }
});

test("another chain's genesis file is no witness", async () => {
  const { receipt } = await issued();
  const text = new TextDecoder().decode(demo.genesis);
  const formatted = readGenesis(utf8(`${text} `));
  assert.notDeepEqual(formatted.hash, genesis.hash);
  const renamed = readGenesis(utf8(text.replaceAll(demo.chainId, "another")));
  assert.throws(() => verifyReceipt(receipt, renamed), (error) => error.step === "chain");
  for (const broken of [text.slice(1), text.replace("piaolian-genesis/1", "piaolian-genesis/2"), `${text}x`]) {
    assert.throws(() => readGenesis(utf8(broken)), Invalid);
  }
});

test("receipts of bills, refusals and batches are good", async () => {
  const hospital = demo.member("hospital");
  const medical = bill(hospital);
  const answer = await demo.send(hospital, "bill.issue", { bill: medical });
  assert.equal(answer.status, 201, answer.text);
  const paper = { key: `F:${medical.code}-${medical.number}`, amount: "100", date: medical.issue_date, checkCode: "a1B2c3" };
  assert.deepEqual(differences(verifyReceipt(utf8(answer.text), genesis), paper, null), []);

  // A refusal is recorded, and its receipt is in the problem document.
  const again = await demo.send(hospital, "bill.issue", { bill: medical });
  assert.equal(again.status, 409, again.text);
  const problem = again.text;
  assert.equal(JSON.parse(problem).code, "document_exists");
  const start = problem.indexOf('"receipt":') + '"receipt":'.length;
  const refusal = verifyReceipt(utf8(objectAt(problem, start)), genesis);
  assert.equal(refusal.code, "document_exists");
  assert.equal(differences(refusal, paper, null), null, "a refusal issues nothing");

  const employer = demo.member("employer");
  const { document } = await issued();
  for (const atomic of [false, true]) {
    const records = [1, 2, 3].map((n) =>
      recordBytes("claim.lock", recordId("l"), employer.id, {
        document: `D:${document.number}`,
        amount: `${n}.00`,
        kind: "employer",
        reference: "BX-1",
        expires_at: new Date(Date.now() + 86_400_000).toISOString(),
      }),
    );
    const { status, text } = await post(demo.base, batchEnvelope(employer.key, demo.chainId, records, atomic));
    assert.equal(status, 200, text);
    assert.deepEqual(JSON.parse(text).results.map((result) => result.status), [201, 201, 201]);
    const receipt = objectAt(text, text.indexOf('"receipt":') + '"receipt":'.length);
    const proved = verifyReceipt(utf8(receipt), genesis);
    assert.equal(proved.fields.get("type"), "claim.lock");
    const other = receipt.replace(/"atomic":(true|false)/, `"atomic":${!atomic}`);
    assert.throws(() => verifyReceipt(utf8(other), genesis), (error) => error.step === "signature");
  }
});

/** The text of the object that begins in a JSON text at a place. */
function objectAt(text, start) {
  let [depth, inside] = [0, false];
  for (let at = start; at < text.length; at += 1) {
    if (inside) {
      if (text[at] === "\\") at += 1;
      else if (text[at] === '"') inside = false;
    } else if (text[at] === '"') inside = true;
    else if (text[at] === "{") depth += 1;
    else if (text[at] === "}") {
      depth -= 1;
      if (depth === 0) return text.slice(start, at + 1);
    }
  }
  throw new Error("no object");
}

test("a record that was signed in the browser is what the node keeps", async () => {
  const employer = demo.member("employer");
  const record = recordBytes("claim.release", recordId("r"), employer.id, { claim: "none", reason: "票链 \"\\ 𠮷" });
  const { status, text } = await post(demo.base, envelope(employer.key, demo.chainId, record));
  assert.equal(status, 409, text);
  const receipt = objectAt(text, text.indexOf('"receipt":') + '"receipt":'.length);
  assert.deepEqual(verifyReceipt(utf8(receipt), genesis).record, record);
});

test("the checkpoint goes back to the genesis file, and a changed one does not", async () => {
  await issued();
  const text = await (await fetch(`${demo.base}/v1/checkpoint`)).text();
  const checkpoint = verifyCheckpoint(utf8(text), genesis);
  assert.equal(checkpoint.signers.length, 1);
  const value = JSON.parse(text);
  const flip = (hex) => `${hex.slice(0, -1)}${hex.endsWith("0") ? "1" : "0"}`;
  for (const [name, changed] of [
    ["height", value.height + 1],
    ["tree_size", value.tree_size + 1],
    ["root_hash", flip(value.root_hash)],
    ["time", value.time.replace("+08:00", "+09:00")],
    ["header", flip(value.header)],
    ["round", value.round + 1],
    ["signatures", []],
    ["chain_id", "another"],
  ]) {
    assert.throws(() => verifyCheckpoint(utf8(JSON.stringify({ ...value, [name]: changed })), genesis), Invalid, name);
  }
  const header = fromHex(value.header);
  for (let at = 0; at < header.length; at += 1) {
    const changed = Uint8Array.from(header);
    changed[at] ^= 1;
    const other = utf8(JSON.stringify({ ...value, header: toHex(changed) }));
    assert.throws(() => verifyCheckpoint(other, genesis), Invalid, `byte ${at}`);
  }
});

test("a stamp holds for what it was made for and nothing else", () => {
  const validator = demo.member("merchant").key;
  const validators = new Map([[validator.kid, { key: validator.publicKey, name: "验证节点" }]]);
  const paper = { key: "D:24442000000000000016", amount: "1060.00", date: "2026-11-21", checkCode: "" };
  const stamp = { digest: new Uint8Array(16).fill(7), index: "12", key: validator.kid.slice(0, 8) };
  const golden =
    "piaolian/1/paper\nsz-2026\nD:24442000000000000016\n1060.00\n2026-11-21\n\n07070707070707070707070707070707\n12";
  assert.equal(new TextDecoder().decode(stampMessage("sz-2026", paper, stamp)), golden);
  stamp.signature = sign(validator.secret, validator.publicKey, stampMessage("sz-2026", paper, stamp)).subarray(0, 64);
  const url = (bytes) => Buffer.from(bytes).toString("base64url");
  const query = { h: url(stamp.digest), i: "12", k: stamp.key, s: url(stamp.signature) };
  const read = readStamp(new URLSearchParams(query));
  assert.equal(verifyStamp("sz-2026", paper, read, validators).name, "验证节点");
  for (const [name, value] of [["key", "D:24442000000000000017"], ["amount", "1060"], ["date", "2026-11-22"], ["checkCode", "1"]]) {
    assert.throws(() => verifyStamp("sz-2026", { ...paper, [name]: value }, read, validators), Invalid, name);
  }
  assert.throws(() => verifyStamp("sz-2027", paper, read, validators), Invalid);
  assert.throws(() => verifyStamp("sz-2026", paper, { ...read, index: "13" }, validators), Invalid);
  assert.throws(() => verifyStamp("sz-2026", paper, read, new Map()), Invalid);
  assert.equal(readStamp(new URLSearchParams({ h: query.h, i: "12" })), null, "a link without a stamp");
  for (const bad of [{ ...query, h: "" }, { ...query, i: "012" }, { ...query, k: "ABCDEF00" }, { ...query, s: `${query.s}A` }, { ...query, s: "" }]) {
    assert.throws(() => readStamp(new URLSearchParams(bad)), Invalid);
  }
});
