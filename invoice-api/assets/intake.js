// Files that a clerk drops: what documents are in them. The node reads XML, OFD, PDF and pictures;
// lists and QR texts are read here.

import { ask, Problem } from "./api.js";
import { decodeText, listItems } from "./table.js";
import { toBase64 } from "./bytes.js";
import { say } from "./words.js";

const FILE_BYTES_MAX = 10 << 20;
const XML_BYTES_MAX = 1 << 20;

function isXml(bytes) {
  return /^(?:\xef\xbb\xbf)?\s*</.test(String.fromCharCode(...bytes.subarray(0, 64)));
}

/** Whether a text is what a QR code of an invoice holds. */
function isQrText(text) {
  return /^01,[0-9]{2},/.test(text);
}

/** The elements in the link of a QR code that this registry printed; null for any other text. */
export function linkItem(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  const found = /^\/v\/([^/]+)$/.exec(url.pathname);
  if (!found) return null;
  const item = { document: decodeURIComponent(found[1]) };
  for (const name of ["amount", "date", "check_code"]) {
    const value = url.searchParams.get(name);
    if (value) item[name] = value;
  }
  return item;
}

function textItems(name, text) {
  const lines = text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  if (lines.length > 0 && lines.every((line) => isQrText(line) || linkItem(line))) {
    return { format: "qr_text", items: lines.map((line) => linkItem(line) ?? { qr: line }) };
  }
  return { format: "csv", items: listItems(text) };
}

/** What the node finds in a file; null when it has no reader for papers. */
async function askNode(bytes) {
  try {
    const response = await ask("/v1/papers", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: bytes });
    return await response.json();
  } catch (error) {
    if (error instanceof Problem && (error.status === 404 || error.status === 405)) return null;
    throw error;
  }
}

/**
 * Reads one file. `documents` have elements as the node found them; `items` are to be compared as
 * they are; `trouble` says in words why there is neither.
 */
export async function readFile(file) {
  if (file.size > FILE_BYTES_MAX) {
    return { trouble: say("文件超过 10 MiB。", "The file is larger than 10 MiB.") };
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (/\.(?:csv|txt)$/i.test(file.name)) {
    const text = decodeText(bytes);
    if (text === null) return { trouble: say("不是文本文件。", "Not a text file.") };
    try {
      const { format, items } = textItems(file.name, text);
      return items.length > 0 ? { format, items } : { trouble: say("文件中没有票据。", "There are no documents in the file.") };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { trouble: say("清单超过 10,000 行。", "The list has more than 10,000 rows.") };
    }
  }
  try {
    const papers = await askNode(bytes);
    if (papers) return { format: papers.format, documents: papers.documents };
  } catch (error) {
    if (error instanceof Problem) return { trouble: error.words() };
    throw error;
  }
  if (isXml(bytes) && bytes.length <= XML_BYTES_MAX) {
    return { format: "xml", items: [{ xml: toBase64(bytes) }] };
  }
  return { trouble: say("本节点不能读取此类文件。", "This node cannot read files of this kind.") };
}
