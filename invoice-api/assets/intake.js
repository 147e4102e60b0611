// Files that a clerk drops: what documents are in them. The node reads XML, OFD, PDF and pictures;
// lists and QR texts are read here.

import { ask, Problem } from "./api.js";
import { toBase64 } from "./bytes.js";
import { linkItem } from "./link.js";
import { decodeText, isDocumentKey, listItems } from "./table.js";
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

const ROWS_TOLD_MAX = 5;

/** What to tell of rows that name no document; undefined when there are none. */
function badRows(numbers) {
  if (numbers.length === 0) return undefined;
  const some = numbers.slice(0, ROWS_TOLD_MAX).map((number) => number.slice(0, 40) || "–");
  const told = say(`${numbers.length} 行没有正确的票据号码，未查验：${some.join("、")}。`, `${numbers.length} rows have no document's number and were not checked: ${some.join(", ")}.`);
  // Spreadsheets keep 15 digits of a number: the rest is lost in the file.
  if (!numbers.some((number) => /^[0-9.]+E\+?[0-9]+$/i.test(number))) return told;
  return told + say("表格把长号码存成了科学计数，请将该列设为文本后重新导出。", " The spreadsheet stored long numbers in scientific notation: make the column text and export again.");
}

function textItems(text) {
  const lines = text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  if (lines.length > 0 && lines.every((line) => isQrText(line) || linkItem(line))) {
    return { format: "qr_text", items: lines.map((line) => linkItem(line) ?? { qr: line }) };
  }
  const rows = listItems(text);
  const items = rows.filter((item) => item.qr || isDocumentKey(item.document));
  const others = rows.filter((item) => !items.includes(item)).map((item) => item.document);
  return { format: "csv", items, trouble: items.length > 0 ? badRows(others) : undefined };
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
 * they are; `trouble` says in words what was not read and why.
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
      const { format, items, trouble } = textItems(text);
      return items.length > 0 ? { format, items, trouble } : { trouble: say("文件中没有票据：清单的每行应有发票号码、价税合计和开票日期。", "There are no documents in the file: each row of a list has an invoice's number, total and date.") };
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return { trouble: say("清单超过 10,000 行。", "The list has more than 10,000 rows.") };
    }
  }
  if (/\.(?:xlsx?|et|ods)$/i.test(file.name)) {
    return { trouble: say("请将表格另存为 CSV 后再拖入。", "Save the table as CSV and drop that.") };
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
