// What a finance clerk has and does in the tests: papers, files, and the clerk's page.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { invoice } from "./demo.mjs";

/** A row of the dropped documents, and one of the ledger, as selectors. */
export const row = (key) => `#documents tr[data-key="${key}"]`;
export const claimRow = (key) => `#ledger tr[data-document="${key}"]`;

/** A list as spreadsheets export it. */
export const listOf = (...papers) =>
  `发票号码,价税合计,开票日期,校验码\n${papers.map((paper) => `${paper.number},${paper.amount ?? "1060.00"},${paper.date},`).join("\n")}\n`;

/** The text of the QR code that tax bureaus print. */
export const qrOf = ({ number, date }) => `01,32,,${number},1060.00,${date.replaceAll("-", "")},,1DD6`;

/** Issues an invoice of a demonstration to its first employer; its key and what is printed on it. */
export async function issued(demo) {
  const seller = demo.member("merchant");
  const document = invoice(seller, demo.member("employer"));
  const { status, text } = await demo.send(seller, "invoice.issue", { invoice: document });
  assert.equal(status, 201, text);
  return { key: `D:${document.number}`, number: document.number, date: document.issue_date };
}

/** A file in a demonstration's folder; its path. */
export function fileIn(demo, name, content) {
  const path = join(demo.folder, name);
  writeFileSync(path, content);
  return path;
}

/** Signs in as a member, on the clerk's page. */
export async function signIn(reader, member) {
  await reader.go("/sign-in?next=/app");
  await reader.upload("#key-file", member.path);
  await reader.page.click("#submit");
  await reader.until("#key-state", member.kid);
  // A file that is no document, and a list of which the registry cannot read a row.
  for (const status of [401, 422]) reader.expect(status, "/v1/(papers|checks)");
  // Whether a claim is one's own is asked of documents that may be none of one's business.
  reader.expect(404, "/v1/documents");
}

/** Chooses files in the place where they are dropped. */
export async function drop(reader, ...files) {
  await reader.page.waitForSelector("#files");
  await reader.upload("#files", ...files);
}
