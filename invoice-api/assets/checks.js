// Comparing documents with the registry, and what time it is there.

import { Problem, signed } from "./api.js";
import { utf8 } from "./bytes.js";
import { isLockable } from "./worklist.js";

/** Items that the node takes in one question. */
export const CHECK_ITEMS_MAX = 1_000;

/** The node's time of the last check, and this page's when it came. */
let checkedAt = null;

/** What time it is on the chain, about: the clock of this machine may be wrong by days. */
export function blockTime() {
  const known = checkedAt && checkedAt.block + performance.now() - checkedAt.here;
  return known || Date.now();
}

/**
 * Compares up to a question's worth of items with the registry: each an `entry` of the list, or
 * `one` that gets into the list by the key in its answer. What nobody can read joins `troubles`.
 */
export async function checkPart(key, asked, list, troubles) {
  let results;
  try {
    const body = utf8(JSON.stringify({ items: asked.map(({ item }) => item) }));
    const answered = await (await signed(key, "POST", "/v1/checks", body)).json();
    results = answered.results;
    checkedAt = { block: Date.parse(answered.as_of?.time), here: performance.now() };
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 422) throw error;
    // Items that nobody can read are named by their place; the others are asked again without them.
    const bad = new Map();
    for (const { pointer, detail } of error.document.errors ?? []) {
      const found = /^\/items\/([0-9]+)/.exec(pointer);
      if (found) bad.set(Number(found[1]), detail);
    }
    if (bad.size === 0) throw error;
    for (const [n, detail] of bad) {
      const { entry, one } = asked[n];
      if (entry) Object.assign(entry, { state: "checked", verdict: "", trouble: detail });
      else troubles.push({ name: one.file, text: detail });
    }
    const rest = asked.filter((_, n) => !bad.has(n));
    if (rest.length > 0) await checkPart(key, rest, list, troubles);
    return;
  }
  results.forEach((result, n) => {
    const { one } = asked[n];
    const entry = asked[n].entry ?? list.add(one.file, one.format, { document: result.document });
    if (one) entry.item ??= one.item;
    entry.state = "checked";
    entry.verdict = result.verdict;
    entry.claimable = result.claimable;
    entry.differs = result.detail?.differs;
    entry.trouble = undefined;
    entry.asked = result.claimable;
    // Files that contradict each other are for the reader to decide about.
    entry.chosen = isLockable(entry) && entry.disagree.size === 0;
  });
}
