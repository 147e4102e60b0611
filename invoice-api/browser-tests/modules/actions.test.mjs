// What becomes of many records when an answer is lost on the way.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

globalThis.document = { documentElement: { lang: "en" } };
const { expiryAfter, OutcomeUnknown, sendParts, settleOutcome } = await import("../../assets/actions.js");

/** Envelopes of two, two and one record, each named by its first. */
const parts = [0, 2, 4].map((at) => ({ at, envelope: `part ${at}` }));
const resultsOf = (body) => ({ "part 0": ["a", "b"], "part 2": ["c", "d"], "part 4": ["e"] })[body].map((id) => ({ id, status: 201 }));
const instantly = async () => {};

/** Answers to posts in turn: a status, "lost" on the way, or "cut" off in the middle. */
let answers;
let posted;
beforeEach(() => {
  [answers, posted] = [[], []];
});
globalThis.fetch = async (_path, { body }) => {
  posted.push(body);
  const answer = answers.shift() ?? 200;
  if (answer === "lost") throw new TypeError("network");
  if (answer === "cut") return { ok: true, status: 200, json: () => Promise.reject(new TypeError("body")) };
  const { status, retryAfter, results } = typeof answer === "object" ? answer : { status: answer };
  const text = status === 200 ? { results: resultsOf(body) } : { code: "x", detail: "no", results };
  return { ok: status === 200, status, headers: new Headers(retryAfter ? { "Retry-After": retryAfter } : {}), json: async () => text };
};

/** Sends, and lists what was told: each record's id at its place. */
async function sent(of, places) {
  return sendParts(
    of,
    (results, at) => {
      for (const [n, { id }] of results.entries()) places[at + n] = id;
    },
    instantly,
  );
}

test("each part is told at its place", async () => {
  const places = [];
  await sent(parts, places);
  assert.deepEqual(places, ["a", "b", "c", "d", "e"]);
});

test("a lost answer is tried again with the same bytes, and what follows goes on", async () => {
  answers = [200, "lost", 503, 200];
  const places = [];
  await sent(parts, places);
  assert.deepEqual(places, ["a", "b", "c", "d", "e"]);
  assert.deepEqual(posted, ["part 0", "part 2", "part 2", "part 2", "part 4"]);
});

test("what stays unknown is sent again later with the rest, and lands on its own places", async () => {
  answers = [200, "lost", "lost", "lost"];
  const places = [];
  const error = await sent(parts, places).then(() => null, (thrown) => thrown);
  assert.ok(error instanceof OutcomeUnknown);
  assert.deepEqual(places, ["a", "b"]);
  assert.deepEqual(error.parts.map(({ at, envelope }) => ({ at, envelope })), parts.slice(1));
  await sent(error.parts, places);
  assert.deepEqual(places, ["a", "b", "c", "d", "e"]);
});

test("a refused part takes nothing from those before it", async () => {
  answers = [200, 403];
  const places = [];
  await assert.rejects(sent(parts, places), (error) => error.status === 403);
  assert.deepEqual([places, posted], [["a", "b"], ["part 0", "part 2"]]);
});

test("an outcome that is unknown stays so, whatever later attempts are refused for", async () => {
  for (const later of [400, 401, 403, 413, 422, 429]) {
    for (const first of ["lost", "cut", 503]) {
      [answers, posted] = [[200, first, later, later], []];
      const error = await sent(parts, []).then(() => null, (thrown) => thrown);
      assert.ok(error instanceof OutcomeUnknown, `${first}, then ${later}: ${error}`);
      assert.equal(error.problem.status, later);
      assert.deepEqual(error.parts.map(({ at }) => at), [2, 4]);
      // The doubt goes with the parts: sent again, a refusal at the door does not end it either.
      answers = [later, later, later];
      const still = await sent(error.parts, []).then(() => null, (thrown) => thrown);
      assert.ok(still instanceof OutcomeUnknown, `${first}, again ${later}: ${still}`);
      assert.deepEqual(still.parts.map(({ at }) => at), [2, 4]);
    }
  }
});

test("results end the doubt, but not those that only say that the key is not good now", async () => {
  const refused = [{ id: "a", status: 409 }, { id: "b", status: 409 }];
  answers = ["lost", { status: 409, results: refused }];
  const told = [];
  await sendParts(parts.slice(0, 1), (results) => told.push(...results), instantly);
  assert.deepEqual(told, refused);
  answers = ["lost", { status: 401, results: refused.map((one) => ({ ...one, status: 401 })) }];
  await assert.rejects(sendParts(parts.slice(0, 1), () => {}, instantly), OutcomeUnknown);
});

test("a single record's refusal is its outcome", async () => {
  answers = ["lost", 409];
  await assert.rejects(settleOutcome("part 0", { wait: instantly }), (error) => error.status === 409);
  answers = ["lost", 403];
  await assert.rejects(settleOutcome("part 0", { wait: instantly }), OutcomeUnknown);
});

test("too many is waited for as the server says, unless that is long", async () => {
  const waits = [];
  const wait = async (milliseconds) => waits.push(milliseconds);
  answers = [{ status: 429, retryAfter: "7" }, { status: 503, retryAfter: "1" }, 200];
  await sendParts(parts.slice(0, 1), () => {}, wait);
  assert.deepEqual(waits, [7_000, 3_000]);
  [answers, posted] = [[{ status: 429, retryAfter: "600" }], []];
  await assert.rejects(sendParts(parts.slice(0, 1), () => {}, wait), (error) => error.status === 429);
  assert.deepEqual([posted.length, waits.length], [1, 2]);
});

test("a lock of thirty days leaves room for the clocks of other nodes", () => {
  const [now, day] = [Date.UTC(2026, 10, 22), 86_400_000];
  assert.equal(expiryAfter(7, now), now + 7 * day);
  assert.equal(expiryAfter(30, now), now + 30 * day - 300_000);
});
