// What becomes of many records when an answer is lost on the way.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

globalThis.document = { documentElement: { lang: "en" } };
const { OutcomeUnknown, sendParts } = await import("../../assets/actions.js");

/** Envelopes of two, two and one record, each named by its first. */
const parts = [0, 2, 4].map((at) => ({ at, envelope: `part ${at}` }));
const resultsOf = (body) => ({ "part 0": ["a", "b"], "part 2": ["c", "d"], "part 4": ["e"] })[body].map((id) => ({ id, status: 201 }));
const instantly = async () => {};

/** Answers to posts in turn: a status, or "lost". */
let answers;
let posted;
beforeEach(() => {
  [answers, posted] = [[], []];
});
globalThis.fetch = async (_path, { body }) => {
  posted.push(body);
  const answer = answers.shift() ?? 200;
  if (answer === "lost") throw new TypeError("network");
  const text = answer === 200 ? { results: resultsOf(body) } : { code: "x", detail: "no" };
  return { ok: answer === 200, status: answer, json: async () => text };
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
  assert.deepEqual(error.parts, parts.slice(1));
  await sent(error.parts, places);
  assert.deepEqual(places, ["a", "b", "c", "d", "e"]);
});

test("a refused part takes nothing from those before it", async () => {
  answers = [200, 429];
  const places = [];
  await assert.rejects(sent(parts, places), (error) => error.status === 429);
  assert.deepEqual([places, posted], [["a", "b"], ["part 0", "part 2"]]);
});
