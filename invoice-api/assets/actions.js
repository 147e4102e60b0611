// Locking, settling and releasing: records that the page's own key signs.

import { Problem, submit } from "./api.js";
import { BATCH_RECORDS_MAX, batchEnvelope, recordBytes, recordId } from "./envelope.js";

const TRIES = 3;
const WAIT_MS = 1_500;

/**
 * The outcome of the first of `parts` is not known, and those after it were not sent: all of them
 * are to be sent as they are. What was sent before gets the one answer that it has.
 */
export class OutcomeUnknown extends Error {
  constructor(parts, cause) {
    super(cause.message);
    this.parts = parts;
    this.problem = cause;
  }
}

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

/** Sends an envelope until its outcome is known; the results of its records. */
async function settleOutcome(envelope, wait) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await submit(envelope)).results;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      // An atomic batch that failed is a problem document with the results of its records.
      if (error.document.results) return error.document.results;
      const unknown = error.status === 0 || error.status >= 500;
      if (!unknown) throw error;
      if (attempt === TRIES) throw new OutcomeUnknown([], error);
      await wait(WAIT_MS * attempt);
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

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * Sends signed parts in order. `told(results, at)` is called with each part's results as soon as
 * they are known, so that what happens to a later part takes nothing from an earlier one.
 */
export async function sendParts(parts, told, wait = pause) {
  for (const [n, { at, envelope }] of parts.entries()) {
    let results;
    try {
      results = await settleOutcome(envelope, wait);
    } catch (error) {
      if (error instanceof OutcomeUnknown) throw new OutcomeUnknown(parts.slice(n), error.problem);
      throw error;
    }
    await told(results, at);
  }
}

/** Whether a record was accepted, now or before. */
export function isAccepted(result) {
  return result.status === 201 || result.status === 200;
}
