// Whose claim it is that a document is taken by, when it is the reader's own.

import { ask, Problem } from "./api.js";

/** Documents whose history is asked for to say that their claim is the reader's own. */
const HISTORIES_MAX = 100;

/** Notes with each entry that is taken what the reader's own organisation last did with it. */
export async function findOwn(member, entries) {
  const taken = entries.filter(({ verdict }) => ["locked", "claimed", "partly_claimed"].includes(verdict));
  for (const entry of taken.slice(0, HISTORIES_MAX)) {
    try {
      const { timeline } = await (await ask(`/v1/documents/${encodeURIComponent(entry.key)}`)).json();
      const own = timeline.filter(({ by, type }) => by === member && type.startsWith("claim."));
      const { type: kind, amount, time } = own.at(-1) ?? {};
      if (["claim.lock", "claim.settle"].includes(kind)) entry.own = { kind, amount, day: time.slice(0, 10) };
    } catch (error) {
      // Whose claim it is helps the reader; without it the verdict stands all the same.
      if (!(error instanceof Problem)) throw error;
    }
  }
}
