// Records that were signed and sent, and of which no answer has come: as long as it is not known
// what became of them, nothing new may be signed about the same things.

import { OutcomeUnknown, sendParts } from "./actions.js";

/** Deliveries that were not answered to their end. */
const open = new Set();

/**
 * A delivery of signed parts. `subjects` are the documents or claims that the records are about,
 * in their order; `told(results, at)` hears of each part's results as they come.
 */
export function delivery(parts, subjects, told) {
  return { parts, subjects, told, waiting: new Set(subjects) };
}

/** Sends what is left of a delivery; when an outcome stays unknown, it can be sent again later. */
export async function send(delivery, wait) {
  open.add(delivery);
  try {
    await sendParts(
      delivery.parts,
      async (results, at) => {
        for (const n of results.keys()) delivery.waiting.delete(delivery.subjects[at + n]);
        await delivery.told(results, at);
      },
      wait,
    );
  } catch (error) {
    if (error instanceof OutcomeUnknown) delivery.parts = error.parts;
    else open.delete(delivery);
    throw error;
  }
  open.delete(delivery);
}

/** Whether a document or claim is waiting for the answer to what was signed about it. */
export function isUnanswered(subject) {
  return [...open].some(({ waiting }) => waiting.has(subject));
}

/** The deliveries that wait for an answer, oldest first. */
export function unanswered() {
  return [...open];
}
