// Lists, codes and amounts as finance clerks have them, and the documents that several files hold.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fen, spellFen } from "../../assets/paper.js";
import { decodeText, documentKey, listItems, parseCsv, plainAmount, plainDate } from "../../assets/table.js";
import { checkItem, isLockable, Worklist } from "../../assets/worklist.js";
import { linkItem } from "../../assets/link.js";

test("CSV is read as spreadsheets write it", () => {
  assert.deepEqual(parseCsv('a,"b ""x"", y"\r\n\r\n"l1\nl2", c \n'), [["a", 'b "x", y'], ["l1\nl2", "c"]]);
  assert.deepEqual(parseCsv(""), []);
  assert.throws(() => parseCsv("x\n".repeat(10_002)), RangeError);
});

test("headings in either language, and none", () => {
  const item = { document: "D:24442000000012345678", amount: "1060.00", date: "2026-11-01" };
  for (const text of [
    "24442000000012345678,1060.00,2026-11-01\n",
    "\ufeff发票号码,销售方,价税合计,开票日期\n24442000000012345678,甲,\"￥1,060.00\",2026年11月1日\n",
    "Date,Number,Amount\n20261101,24442000000012345678,1060.00\n",
  ]) {
    assert.deepEqual(listItems(text), [item], text);
  }
  assert.deepEqual(listItems("二维码\n\"01,32,,24442000000012345678,1060.00,20261101,,1DD6\"\n"), [
    { qr: "01,32,,24442000000012345678,1060.00,20261101,,1DD6" },
  ]);
  assert.deepEqual(listItems("票据代码,票据号码,金额,校验码\n33060122,0123456789,9,a1B2c3\n"), [
    { document: "F:33060122-0123456789", amount: "9", check_code: "a1B2c3" },
  ]);
});

test("texts of spreadsheets in Chinese are read in either encoding", () => {
  assert.equal(decodeText(Uint8Array.from([0xc6, 0xb1, 0xc1, 0xb4])), "票链", "GB 18030");
  assert.equal(decodeText(new TextEncoder().encode("票链")), "票链");
});

test("numbers, amounts and dates become those of the contract", () => {
  assert.equal(documentKey("12345678", "4403190011"), "P:4403190011-12345678");
  assert.equal(documentKey("12345678"), "12345678");
  assert.equal(plainAmount("¥ 1，060.00元"), "1060.00");
  assert.equal(plainDate("2026/1/2"), "2026-01-02");
  assert.equal(plainDate("2.1.2026"), "2.1.2026");
  for (const [text, value] of [["1060", 106000n], ["0.1", 10n], ["-3.05", -305n], ["1.005", null], ["1e3", null], ["", null]]) {
    assert.equal(fen(text), value, text);
  }
  for (const value of [0n, 5n, 106000n, -305n]) assert.equal(fen(spellFen(value)), value);
});

test("the same invoice in three files is one document, and a disagreement is seen", () => {
  const list = new Worklist();
  const document = { document: "D:24442000000012345678", amount: "1060.00", date: "2026-11-01", seller: { name: "甲" } };
  list.add("a.pdf", "pdf", document, [{ code: "x", detail: "y" }]);
  list.add("a.ofd", "ofd", { ...document, amount: "1060" });
  const entry = list.add("a.xml", "xml", { ...document, amount: "1060.01", check_code: "c" });
  assert.equal(list.entries.size, 1);
  assert.deepEqual(entry.files.map(({ name }) => name), ["a.pdf", "a.ofd", "a.xml"]);
  assert.deepEqual([...entry.disagree], ["amount"]);
  assert.equal(entry.seller, "甲");
  assert.deepEqual(checkItem(entry), { document: document.document, amount: "1060.00", date: "2026-11-01", check_code: "c" });
  assert.equal(list.unchecked().length, 1);
  for (const [verdict, claimable, lockable] of [
    ["claimable", "1.00", true],
    ["claimable", "0.00", false],
    ["partly_claimed", "0.01", true],
    ["locked", undefined, false],
    ["mismatch", undefined, false],
  ]) {
    assert.equal(isLockable({ ...entry, verdict, claimable }), lockable, `${verdict} ${claimable}`);
  }
});

test("a better file mends what was found to be wrong, and is compared again", () => {
  const key = "D:24442000000012345678";
  const good = { document: key, amount: "1060.00", date: "2026-11-01" };
  const checked = (list, verdict, differs) => {
    for (const entry of list.unchecked()) Object.assign(entry, { state: "checked", verdict, differs });
  };
  // Typed wrong, then the document itself.
  let list = new Worklist();
  list.add("list.csv", "csv", { ...good, amount: "9060.00" });
  checked(list, "mismatch", ["amount"]);
  const entry = list.add("a.xml", "einvoice_xml", good);
  assert.deepEqual(list.unchecked(), [entry]);
  assert.deepEqual(checkItem(entry), good);
  assert.deepEqual([...entry.disagree], ["amount"]);
  // A paper that was altered, then the right one; the altered one again changes nothing.
  list = new Worklist();
  list.add("a.pdf", "pdf", { ...good, amount: "9060.00" });
  checked(list, "mismatch", ["amount"]);
  const mended = list.add("b.pdf", "pdf", good);
  assert.deepEqual([list.unchecked(), checkItem(mended)], [[mended], good]);
  checked(list, "claimable");
  list.add("a.pdf", "pdf", { ...good, amount: "9060.00" });
  list.add("list.csv", "csv", { ...good, amount: "1.00" });
  assert.deepEqual([list.unchecked(), checkItem(mended)], [[], good]);
  // A bill without its check code, then the file that has it.
  list = new Worklist();
  const bill = { document: "F:33060122-0123456789", amount: "9", date: "2026-11-01" };
  list.add("list.csv", "csv", bill);
  checked(list, "not_found");
  const whole = list.add("bill.xml", "fiscal_xml", { ...bill, check_code: "a1B2c3" });
  assert.deepEqual([list.unchecked(), checkItem(whole).check_code], [[whole], "a1B2c3"]);
  // What is locked is not compared again.
  checked(list, "claimable");
  whole.claim = { id: "lock-1", amount: "9" };
  list.add("other.xml", "fiscal_xml", { ...bill, seller: { name: "甲" }, check_code: "zzzzzz" });
  assert.deepEqual(list.unchecked(), []);
});

test("the link of a code is taken apart wherever it leads to", () => {
  const item = { document: "D:24442000000012345678", amount: "1060.00", date: "2026-11-01" };
  const link = "https://registry.example/v/D:24442000000012345678?amount=1060.00&date=2026-11-01&h=x&i=1";
  assert.deepEqual(linkItem(link), item);
  assert.deepEqual(linkItem(link.replace("D:", "D%3A")), item);
  for (const other of ["hello", "https://registry.example/other", "01,32,,1"]) assert.equal(linkItem(other), null);
});
