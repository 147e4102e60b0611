// What time it is on the chain, as the answers to checks tell.

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { documentElement: { lang: "en" } };
const { blockTime, checkPart } = await import("../../assets/checks.js");
const { kidOf, publicKeyOf } = await import("../../assets/sm2.js");
const { Worklist } = await import("../../assets/worklist.js");

test("the clock of a machine that is wrong does not count once a check was answered", async (t) => {
  const [key, now] = ["D:26332990000000000001", Date.now()];
  t.mock.method(Date, "now", () => now + 3_600_000);
  assert.equal(blockTime(), now + 3_600_000, "before a check it is all there is");
  const time = new Date(now + 28_800_000).toISOString().replace("Z", "+08:00");
  const answer = { results: [{ document: key, verdict: "claimable", claimable: "1.00" }], as_of: { height: 1, time } };
  globalThis.fetch = async () => ({ ok: true, status: 200, json: async () => answer });
  const list = new Worklist();
  const entry = list.add("a.csv", "csv", { document: key });
  const publicKey = publicKeyOf(7n);
  const signer = { secret: 7n, publicKey, kid: kidOf(publicKey) };
  await checkPart(signer, [{ entry, item: { document: key } }], list, []);
  assert.equal(entry.chosen, true);
  assert.ok(Math.abs(blockTime() - now) < 5_000, `${blockTime() - now} ms off`);
});
