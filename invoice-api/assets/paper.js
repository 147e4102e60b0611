// A verified receipt beside what is printed on a paper.

import { same } from "./bytes.js";
import { JsonObject } from "./json.js";
import { sm3 } from "./sm3.js";

/** Money of the contract in fen, as BigInt; null for what is not money. */
export function fen(text) {
  const found = /^(-?)([0-9]{1,13})(?:\.([0-9]{1,2}))?$/.exec(text ?? "");
  if (!found) return null;
  const value = BigInt(found[2]) * 100n + BigInt((found[3] ?? "").padEnd(2, "0"));
  return found[1] ? -value : value;
}

function text(object, ...path) {
  let value = object;
  for (const name of path) value = value instanceof JsonObject ? value.get(name) : undefined;
  return typeof value === "string" ? value : "";
}

/** What a document in a record says of itself; null when the record issues none. */
export function issuedDocument(fields) {
  const invoice = fields.get("invoice");
  const bill = fields.get("bill");
  const [member, kind] = invoice instanceof JsonObject ? [invoice, "invoice"] : [bill, "bill"];
  if (!(member instanceof JsonObject)) return null;
  const [code, number] = [text(member, "code"), text(member, "number")];
  const key = kind === "bill" ? `F:${code}-${number}` : code ? `P:${code}-${number}` : `D:${number}`;
  return {
    key,
    amount: text(member, "total"),
    date: text(member, "issue_date"),
    checkCode: text(member, "check_code"),
    issuer: text(member, kind === "bill" ? "issuer" : "seller", "name"),
    buyer: text(member, "buyer", "name"),
  };
}

/**
 * Compares a verified receipt with a paper's elements and, where the code has one, its stamp.
 * Returns `null` when the receipt issued no document, else the names of what differs.
 */
export function differences(receipt, paper, stamp) {
  const document = issuedDocument(receipt.fields);
  if (!document || receipt.code !== null) return null;
  const differs = [];
  if (document.key !== paper.key) differs.push("number");
  if (fen(document.amount) === null || fen(document.amount) !== fen(paper.amount)) differs.push("amount");
  if (document.date !== paper.date) differs.push("date");
  if (document.checkCode !== paper.checkCode) differs.push("check_code");
  if (stamp) {
    const digest = sm3(receipt.record).subarray(0, 16);
    if (!same(digest, stamp.digest) || String(receipt.index) !== stamp.index) differs.push("stamp");
  }
  return differs;
}
