// Receipts and checkpoints after the validators were changed: a small chain is made here, and
// scripts/verify.py, which shares no code with these modules, judges it, too.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { concat, fromBigInt, fromHex, toBase64, toHex, utf8 } from "../../assets/bytes.js";
import { readGenesis, spellTime } from "../../assets/chain.js";
import { Invalid } from "../../assets/json.js";
import { leafHash, root } from "../../assets/merkle.js";
import { verifyCheckpoint, verifyReceipt } from "../../assets/receipt.js";
import { kidOf, publicKeyOf, sign } from "../../assets/sm2.js";
import { sm3 } from "../../assets/sm3.js";

const CHAIN = "js-2026";
const START = 1_795_242_600_000n;

function key(number) {
  const secret = BigInt(number) * 1_000_003n;
  const publicKey = publicKeyOf(secret);
  return { secret, publicKey, kid: kidOf(publicKey) };
}

const FOUNDER = key(1);
const NEW = [key(2), key(3), key(4), key(5)];
const SUBMITTER = key(6);
const signature = (who, message) => toBase64(sign(who.secret, who.publicKey, message).subarray(0, 64));

function listed(keys) {
  return keys.map(({ publicKey }, n) => ({
    public_key: toHex(publicKey),
    weight: 1,
    ...(keys.length > 1 ? { group: n < 2 ? "tax" : "finance" } : {}),
    name: `验证节点 ${n}`,
  }));
}

const setDigest = (keys) => sm3([5], ...keys.flatMap(({ publicKey }) => [publicKey, fromBigInt(1, 8)]));

function path(index, hashes) {
  if (hashes.length === 1) return [];
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return index < split
    ? [...path(index, hashes.slice(0, split)), root(hashes.slice(split))]
    : [...path(index - split, hashes.slice(split)), root(hashes.slice(0, split))];
}

/** A chain of one record a block, in memory. */
class Chain {
  constructor() {
    const genesis = { format: "piaolian-genesis/1", chain_id: CHAIN, time: "2026-11-21T08:00:00Z", validators: listed([FOUNDER]), members: [] };
    this.genesis = utf8(JSON.stringify(genesis));
    this.previous = sm3([3], this.genesis);
    this.leaves = [];
  }

  /** Records something by the decision of `deciders` with the signatures of `signers`. */
  record(fields, deciders, signers) {
    const record = JSON.stringify(fields);
    const outcome = concat([0], fromBigInt(0, 2), fromBigInt(0, 2));
    const bytes = utf8(record);
    this.leaves.push(leafHash(concat([1], fromHex(SUBMITTER.kid), fromBigInt(bytes.length, 4), bytes, outcome)));
    const size = this.leaves.length;
    const time = START + BigInt(size);
    const header = concat(
      fromBigInt(1, 2), utf8(CHAIN), new Uint8Array(32 - CHAIN.length), fromBigInt(size, 8), fromBigInt(time, 8), this.previous,
      fromBigInt(size - 1, 8), fromBigInt(1, 4), fromBigInt(size, 8), root(this.leaves), sm3([4]), setDigest(deciders),
    );
    const id = sm3([2], header);
    this.previous = id;
    const votes = signers.map((who) => {
      const message = concat(utf8(`piaolian/1/vote\n${CHAIN}\n`), [1], fromBigInt(size, 8), fromBigInt(0, 8), [1], id, fromHex(who.kid));
      return { kid: who.kid, sig: signature(who, message) };
    });
    const proof = {
      record,
      outcome: { status: "accepted" },
      height: size,
      index: size - 1,
      inclusion: { tree_size: size, path: path(size - 1, this.leaves).map(toHex) },
      header: toHex(header),
      round: 0,
      signatures: votes.sort((a, b) => (a.kid < b.kid ? -1 : 1)),
      authorization: {
        kid: SUBMITTER.kid,
        public_key: toHex(SUBMITTER.publicKey),
        sig: signature(SUBMITTER, concat(utf8(`piaolian/1\n${CHAIN}\n`), bytes)),
      },
    };
    const checkpoint = { chain_id: CHAIN, height: size, tree_size: size, root_hash: toHex(root(this.leaves)), time: spellTime(time), header: toHex(header), round: 0, signatures: proof.signatures };
    return { proof, checkpoint, receipt: { chain_id: CHAIN, by: fields.by, id: fields.id, time: spellTime(time), ...proof } };
  }
}

const plain = (id) => ({ type: "claim.release", id, by: "91330000142942095H", claim: "x" });

function changed(signers = [NEW[0], NEW[1], NEW[2]]) {
  const chain = new Chain();
  const first = chain.record(plain("a"), [FOUNDER], [FOUNDER]);
  const change = chain.record(
    {
      type: "validators.change",
      id: "b",
      by: "91330000142942095H",
      change: { from_height: 4, replaces: toHex(setDigest([FOUNDER])), validators: listed(NEW) },
    },
    [FOUNDER],
    [FOUNDER],
  );
  const between = chain.record(plain("c"), [FOUNDER], [FOUNDER]);
  const last = chain.record(plain("d"), NEW, signers);
  return { chain, first, between, last, changes: [change.proof], genesis: readGenesis(chain.genesis) };
}

const bytes = (value) => utf8(JSON.stringify(value));

test("a change of the validators leads on, and scripts/verify.py agrees", (t) => {
  const { chain, first, between, last, changes, genesis } = changed();
  const folder = mkdtempSync(join(tmpdir(), "piaolian-changes-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "genesis.json"), chain.genesis);
  const program = new URL("../../../scripts/verify.py", import.meta.url).pathname;
  const good = (value) => {
    writeFileSync(join(folder, "receipt.json"), bytes(value));
    const judged = spawnSync("python3", [program, "receipt", "receipt.json", "--genesis", "genesis.json"], { cwd: folder });
    let own = true;
    try {
      verifyReceipt(bytes(value), genesis);
    } catch (error) {
      assert.ok(error instanceof Invalid, error.stack);
      own = false;
    }
    assert.equal(own, judged.status === 0, `${judged.stdout}${judged.stderr}`);
    return own;
  };
  assert.ok(good(first.receipt) && good(between.receipt));
  assert.ok(good({ ...last.receipt, validator_changes: changes }));
  const [change] = changes;
  for (const [what, value] of [
    ["the change left out", last.receipt],
    ["a change that is not in effect yet", { ...between.receipt, validator_changes: changes }],
    ["the change twice", { ...last.receipt, validator_changes: [change, change] }],
    ["a change that was refused", { ...last.receipt, validator_changes: [{ ...change, outcome: { status: "refused", code: "x" } }] }],
    ["a change that nobody signed", { ...last.receipt, validator_changes: [{ ...change, signatures: [] }] }],
    ["another record as the change", { ...last.receipt, validator_changes: [between.proof] }],
    ["other validators in it", { ...last.receipt, validator_changes: [{ ...change, record: change.record.replace("验证节点 0", "验证节点 9") }] }],
  ]) {
    assert.equal(good(value), false, what);
  }
  const few = changed([NEW[0], NEW[1]]);
  assert.throws(() => verifyReceipt(bytes({ ...few.last.receipt, validator_changes: few.changes }), few.genesis), (error) => error.step === "certificate");
});

test("a checkpoint after a change carries it, and names who signed", () => {
  const { last, changes, genesis } = changed();
  const checkpoint = verifyCheckpoint(bytes({ ...last.checkpoint, validator_changes: changes }), genesis);
  assert.equal(checkpoint.signers.length, 3);
  assert.ok(checkpoint.signers.every(({ name }) => name.startsWith("验证节点")));
  assert.equal(checkpoint.everyone.size, 5, "those of the past are known, too");
  assert.throws(() => verifyCheckpoint(bytes(last.checkpoint), genesis), (error) => error.step === "validators");
});
