// Locking, settling and releasing: records that the page's own key signs.

import { Problem, submit } from "./api.js";
import { BATCH_RECORDS_MAX, batchEnvelope, recordBytes, recordId } from "./envelope.js";

const TRIES = 3;
const WAIT_MS = 1_500;

/** The outcome is not known: the same bytes are to be sent again and will get the one answer they have. */
export class OutcomeUnknown extends Error {
  constructor(envelope, cause) {
    super(cause.message);
    this.envelope = envelope;
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
export async function settleOutcome(envelope) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return (await submit(envelope)).results;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      // An atomic batch that failed is a problem document with the results of its records.
      if (error.document.results) return error.document.results;
      const unknown = error.status === 0 || error.status >= 500;
      if (!unknown) throw error;
      if (attempt === TRIES) throw new OutcomeUnknown(envelope, error);
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS * attempt));
    }
  }
}

/**
 * Signs and sends records, together or one by one; a result for each, in order. More than a batch
 * holds cannot be all or nothing.
 */
export async function send(key, chainId, records, together) {
  if (together && records.length > BATCH_RECORDS_MAX) throw new RangeError("batch");
  const results = [];
  for (let at = 0; at < records.length; at += BATCH_RECORDS_MAX) {
    const part = records.slice(at, at + BATCH_RECORDS_MAX).map((record) => record.bytes);
    results.push(...(await settleOutcome(batchEnvelope(key, chainId, part, together))));
  }
  return results;
}

/** Whether a record was accepted, now or before. */
export function isAccepted(result) {
  return result.status === 201 || result.status === 200;
}
