// Lists of documents as finance clerks keep them: CSV (RFC 4180) with a Chinese or English heading
// or none, in UTF-8 or GB 18030. The columns are those of `invoice check`.

const ROWS_MAX = 10_000;

const HEADINGS = {
  document: ["document", "key", "票据", "票据键"],
  code: ["code", "发票代码", "票据代码", "代码"],
  number: ["number", "发票号码", "票据号码", "号码", "数电票号码", "数电发票号码"],
  amount: ["amount", "total", "金额", "价税合计", "总金额", "含税", "含税金额"],
  date: ["date", "issue_date", "日期", "开票日期"],
  check_code: ["check_code", "校验码"],
  qr: ["qr", "二维码"],
};
const PLAIN = ["document", "amount", "date", "check_code"];

/** The text of a file that may be UTF-8, or what spreadsheets in Chinese write. */
export function decodeText(bytes) {
  for (const encoding of ["utf-8", "gb18030"]) {
    try {
      return new TextDecoder(encoding, { fatal: true }).decode(bytes);
    } catch {
      // The next one.
    }
  }
  return null;
}

/** The cells of a CSV text, row by row, trimmed. */
export function parseCsv(text) {
  const rows = [];
  let [row, cell, quoted, wasQuoted] = [[], "", false, false];
  const endCell = () => {
    row.push(cell.trim());
    [cell, wasQuoted] = ["", false];
  };
  const endRow = () => {
    endCell();
    if (row.some((one) => one !== "")) rows.push(row);
    row = [];
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (quoted) {
      if (character === '"' && text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else if (character === '"') quoted = false;
      else cell += character;
    } else if (character === '"' && cell.trim() === "" && !wasQuoted) {
      [cell, quoted, wasQuoted] = ["", true, true];
    } else if (character === ",") endCell();
    else if (character === "\n" || character === "\r") endRow();
    else cell += character;
    if (rows.length > ROWS_MAX) throw new RangeError("rows");
  }
  endRow();
  return rows;
}

/** A document key out of a key, a number of 20 digits, or a code and a number. */
export function documentKey(number, code = "") {
  const digits = /^[0-9]+$/.test(number);
  if (digits && number.length === 20) return `D:${number}`;
  if (digits && code && number.length === 8) return `P:${code}-${number}`;
  if (digits && code && number.length === 10) return `F:${code}-${number}`;
  return number;
}

/** Whether a text has the form of a document's key. */
export function isDocumentKey(text) {
  return /^(?:D:[0-9]{20}|P:(?:[0-9]{10}|[0-9]{12})-[0-9]{8}|F:[0-9]{8}-[0-9]{10})$/.test(text);
}

/** An amount without what spreadsheets put around it. */
export function plainAmount(text) {
  return text.replace(/[¥￥,，元\s]/g, "");
}

/** A date as YYYY-MM-DD; what is none is left as it is. */
export function plainDate(text) {
  if (/^[0-9]{8}$/.test(text)) return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`;
  const found = /^([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?$/.exec(text);
  return found ? `${found[1]}-${found[2].padStart(2, "0")}-${found[3].padStart(2, "0")}` : text;
}

/** What the rows of a list ask for: items with `document`, `amount`, `date`, `check_code`, or `qr`. */
export function listItems(text) {
  const rows = parseCsv(text.replace(/^\ufeff/, ""));
  if (rows.length === 0) return [];
  const heading = rows[0].map(
    (cell) => Object.keys(HEADINGS).find((name) => HEADINGS[name].includes(cell.toLowerCase())) ?? null,
  );
  const hasHeading = heading.some((name) => name !== null);
  const columns = hasHeading ? heading : PLAIN;
  return rows.slice(hasHeading ? 1 : 0).map((row) => {
    const cell = (name) => row[columns.indexOf(name)] ?? "";
    if (cell("qr")) return { qr: cell("qr") };
    const item = { document: documentKey(cell("document") || cell("number"), cell("code")) };
    if (cell("amount")) item.amount = plainAmount(cell("amount"));
    if (cell("date")) item.date = plainDate(cell("date"));
    if (cell("check_code")) item.check_code = cell("check_code");
    return item;
  });
}
