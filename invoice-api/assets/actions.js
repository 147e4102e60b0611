// Locking, settling and releasing: records that the page's own key signs.

import { Problem, submit } from "./api.js";
import { BATCH_RECORDS_MAX, batchEnvelope, recordBytes, recordId } from "./envelope.js";

const TRIES = 3;
const WAIT_MS = 1_500;
/** The longest wait that a server may ask for before the reader is told instead. */
const WAIT_SECONDS_MAX = 20;

/**
 * The outcome of the first of `parts` is not known, and those after it were not sent: all of them
 * are to be sent as they are. What was sent before gets the one answer that it has. `problem` is
 * the last thing that the server said.
 */
export class OutcomeUnknown extends Error {
  constructor(parts, cause) {
    super(cause.message);
    this.parts = parts;
    this.problem = cause;
  }
}

const DAY_MS = 86_400_000;
/** The longest that a lock may last, and by how much it is cut: blocks are made by other clocks. */
const LOCK_DAYS_MAX = 30;
const CLOCKS_DIFFER_MS = 5 * 60_000;

/** When a lock of so many days ends that is made at an instant of the chain, in milliseconds. */
export function expiryAfter(days, blockTime) {
  const end = blockTime + days * DAY_MS;
  return days >= LOCK_DAYS_MAX ? end - CLOCKS_DIFFER_MS : end;
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A lock of an amount of a document. */
export function lockRecord(by, { document, amount, kind, reference, expiresAt }) {
  const id = recordId("lock");
  const members = { document, amount, kind, reference, expires_at: expiresAt };
  return { id, document, bytes: recordBytes("claim.lock", id, by, members) };
}

/** The settlement of a lock. */
export function settleRecord(by, { claim, amount, voucher, bookedOn, booking }) {
  const id = recordId("settle");
  const members = { claim, amount, voucher, booked_on: bookedOn, booking };
  return { id, claim, bytes: recordBytes("claim.settle", id, by, members) };
}

/** The release of a lock. */
export function releaseRecord(by, { claim, reason }) {
  const id = recordId("release");
  return { id, claim, bytes: recordBytes("claim.release", id, by, { claim, reason }) };
}

/** Whether a problem says what became of the records, and not only of this attempt to send them. */
function speaksOfRecords(problem) {
  // An atomic batch that failed comes with its results; a key that is refused now was perhaps good before.
  return problem.status === 409 || (problem.document.results && problem.status !== 401);
}

/**
 * Sends an envelope until its outcome is known; the answer, which for a batch that failed is its
 * problem document. Once an attempt may have been taken, only what speaks of the records ends the
 * doubt: a later attempt that is refused at the door says nothing of the earlier one. `doubted`
 * says that there was one already.
 */
export async function settleOutcome(envelope, { doubted = false, wait = pause } = {}) {
  let doubt = doubted;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await submit(envelope);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      const known = speaksOfRecords(error) || (!doubt && error.document.results);
      if (known && error.document.results) return error.document;
      const lost = error.status === 0 || error.status >= 500;
      doubt ||= lost;
      const again = (lost || error.status === 429) && attempt < TRIES && error.retryAfterSeconds <= WAIT_SECONDS_MAX;
      if (again) await wait(Math.max(WAIT_MS * attempt, error.retryAfterSeconds * 1_000));
      else if (doubt && !known) throw new OutcomeUnknown([], error);
      else throw error;
    }
  }
}

/**
 * Signs records, together or one by one: parts of as many as a batch holds, each with the place of
 * its first record. More than a batch holds cannot be all or nothing.
 */
export function signedParts(key, chainId, records, together) {
  if (together && records.length > BATCH_RECORDS_MAX) throw new RangeError("batch");
  const parts = [];
  for (let at = 0; at < records.length; at += BATCH_RECORDS_MAX) {
    const part = records.slice(at, at + BATCH_RECORDS_MAX).map((record) => record.bytes);
    parts.push({ at, envelope: batchEnvelope(key, chainId, part, together) });
  }
  return parts;
}

/**
 * Sends signed parts in order. `told(results, at)` is called with each part's results as soon as
 * they are known, so that what happens to a later part takes nothing from an earlier one.
 */
export async function sendParts(parts, told, wait = pause) {
  for (const [n, part] of parts.entries()) {
    let answer;
    try {
      answer = await settleOutcome(part.envelope, { doubted: part.doubted, wait });
    } catch (error) {
      if (!(error instanceof OutcomeUnknown)) throw error;
      throw new OutcomeUnknown([{ ...part, doubted: true }, ...parts.slice(n + 1)], error.problem);
    }
    await told(answer.results, part.at);
  }
}

/** Whether a record was accepted, now or before. */
export function isAccepted(result) {
  return result.status === 201 || result.status === 200;
}
