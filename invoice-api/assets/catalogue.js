// What codes mean, in the reader's language, from the node's own catalogue.

import { ask, Problem } from "./api.js";
import { say } from "./words.js";

let loading = null;

function load() {
  loading ??= ask("/v1/rejections")
    .then((response) => response.json())
    .then(({ rejections }) => new Map(rejections.map((one) => [one.code, one])))
    .catch((error) => {
      loading = null;
      throw error;
    });
  return loading;
}

/** A refused record in words: the rule, what collided, and what helps. */
export async function codeWords(result) {
  // Without the catalogue the code stands for itself: that a record was refused is told all the same.
  const entries = await load().catch((error) => {
    if (!(error instanceof Problem)) throw error;
    return new Map();
  });
  const parts = [];
  const codes = result.errors?.length > 0 ? result.errors.map((error) => error.detail) : [];
  const entry = entries.get(result.code);
  parts.push(...(codes.length > 0 ? codes : [entry ? say(entry.zh, entry.en) : result.code]));
  const facts = Object.entries(result.facts ?? {}).map(([name, value]) => `${name}: ${value}`);
  if (facts.length > 0) parts.push(facts.join(say("；", "; ")));
  const hint = entry && say(entry.hint_zh, entry.hint_en);
  if (hint) parts.push(hint);
  return parts.join(" ");
}
