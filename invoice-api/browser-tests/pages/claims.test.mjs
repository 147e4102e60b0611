// The clerk's page: from a handful of files to a settled expense report.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { inEveryView, openBrowser, Reader, VIEWS } from "../browser.mjs";
import { claimRow, drop, fileIn, issued as issuedIn, listOf, qrOf, row, signIn } from "../clerk.mjs";
import { bill, startDemo } from "../demo.mjs";

let demo;
let chromium;
before(async () => {
  demo = await startDemo();
  chromium = await openBrowser();
});
after(async () => {
  await chromium?.close();
  await demo?.stop();
});

const issued = () => issuedIn(demo);
const file = (name, content) => fileIn(demo, name, content);

const xmlOf = ({ number, date }) =>
  "<EInvoice><Header><EInvoiceTag>SWEI3300</EInvoiceTag></Header><EInvoiceData><BasicInformation>" +
  "<TotalTax-includedAmount>1060.00</TotalTax-includedAmount></BasicInformation></EInvoiceData>" +
  `<TaxSupervisionInfo><InvoiceNumber>${number}</InvoiceNumber><IssueTime>${date}</IssueTime></TaxSupervisionInfo></EInvoice>`;

test("files are dropped, compared, locked, settled and released", async (t) => {
  await inEveryView(t, chromium.browser, demo.base, async (reader) => {
    const [one, two, taken] = [await issued(), await issued(), await issued()];
    const altered = { ...(await issued()), amount: "9060.00" };
    const absent = { key: "D:26442000999999999999", number: "26442000999999999999", date: one.date };
    const employer = demo.member("employer");
    const elsewhere = await demo.send(employer, "claim.lock", { document: taken.key, kind: "employer", reference: "BX-0", expires_at: new Date(Date.now() + 86_400_000).toISOString() });
    assert.equal(elsewhere.status, 201, elsewhere.text);

    await signIn(reader, employer);
    await reader.look("claims-empty");
    const name = reader.view.name;
    const nonsense = file(`照片-${name}.bin`, "no document at all");
    await drop(
      reader,
      file(`清单-${name}.csv`, listOf(one, two, taken, altered, absent)),
      file(`发票-${name}.xml`, xmlOf(one)),
      file(`扫码-${name}.txt`, qrOf(one)),
      nonsense,
    );
    await reader.until("#app-status", reader.of("张可以锁定", "of them can be locked"));
    const verdicts = await reader.page.$$eval("#documents tbody tr", (rows) =>
      Object.fromEntries(rows.map((found) => [found.dataset.key, found.dataset.verdict])),
    );
    assert.deepEqual(verdicts, {
      [one.key]: "claimable",
      [two.key]: "claimable",
      [taken.key]: "locked",
      [altered.key]: "mismatch",
      [absent.key]: "not_found",
    });
    const first = await reader.text(row(one.key));
    assert.ok(first.includes(reader.of("同一张票据，另见文件", "The same document, also in file")), first);
    assert.ok(first.includes(`扫码-${name}.txt`) && first.includes(`发票-${name}.xml`), first);
    assert.ok((await reader.text(row(altered.key))).includes(reader.of("金额", "amount")));
    assert.ok((await reader.text("#troubles")).includes(`照片-${name}.bin`));
    await reader.look("claims-checked");

    // A part of the first, all of the second, under one signature.
    await reader.fill(`${row(one.key)} input.amount`, "60.00");
    await reader.page.type("#lock-reference", `BX-${name}`);
    await reader.page.focus("#lock-reference");
    await reader.page.keyboard.press("Enter");
    await reader.until("#app-status", reader.of("已锁定 2 张，未成 0 张", "2 locked, 0 not"));
    await reader.until(`${row(one.key)} .tag`, reader.of("本次已锁定", "locked just now"));
    await reader.page.waitForSelector(`${claimRow(two.key)}[data-status="locked"]`);
    await reader.look("claims-locked");

    // One is settled, the other released.
    await reader.page.click(`${claimRow(one.key)} input[type=checkbox]`);
    await reader.page.type("#voucher", "记-0001");
    await reader.page.click("#settle-form button");
    await reader.until("#app-status", reader.of("已入账 1 笔", "1 settled"));
    await reader.page.waitForSelector(`${claimRow(one.key)}[data-status="settled"]`);
    await reader.until(`${row(one.key)} .tag`, reader.of("本次已入账", "settled just now"));
    await reader.page.click(`${claimRow(two.key)} input[type=checkbox]`);
    await reader.page.type("#reason", "重复提交");
    await reader.page.click("#release-form button");
    await reader.until("#app-status", reader.of("已释放 1 笔", "1 released"));
    await reader.page.waitForSelector(`${claimRow(two.key)}[data-status="released"]`);
    await reader.look("claims-settled");

    // The ledger as files.
    const [csv, xlsx] = await reader.page.evaluate(async () => {
      const bytes = async (path) => Array.from(new Uint8Array(await (await fetch(path)).arrayBuffer()));
      return [await bytes("/app/ledger.csv?status=settled"), await bytes("/app/ledger.xlsx?status=settled")];
    });
    assert.deepEqual(csv.slice(0, 3), [0xef, 0xbb, 0xbf]);
    const text = Buffer.from(csv).toString("utf8");
    assert.ok(text.includes(`\t${one.number}`) && text.includes("记-0001") && text.includes("1060.00"), text);
    assert.ok(text.includes(demo.member("merchant").name) && text.includes(`BX-${name}`), text);
    const workbook = join(demo.folder, `ledger-${name}.xlsx`);
    writeFileSync(workbook, Buffer.from(xlsx));
    const program = "import sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);print(z.read('xl/sharedStrings.xml').decode())";
    const strings = execFileSync("python3", ["-c", program, workbook], { env: { ...process.env, PYTHONIOENCODING: "utf-8" } }).toString();
    assert.ok(strings.includes(one.number) && strings.includes("记-0001"), strings);
  });
});

test("all or nothing means nothing when one is taken in between", async (t) => {
  await inEveryView(
    t,
    chromium.browser,
    demo.base,
    async (reader) => {
      const [one, two] = [await issued(), await issued()];
      await signIn(reader, demo.member("employer"));
      await drop(reader, file(`two-${reader.view.name}.csv`, listOf(one, two)));
      await reader.until("#app-status", reader.of("2 张可以锁定", "2 of them can be locked"));
      const elsewhere = await demo.send(demo.member("employer"), "claim.lock", { document: two.key, kind: "employer", reference: "BX-0", expires_at: new Date(Date.now() + 86_400_000).toISOString() });
      assert.equal(elsewhere.status, 201);
      reader.expect(409, "/v1/records");
      await reader.page.type("#lock-reference", "BX-2");
      await reader.page.click("#lock-form button[type=submit]");
      await reader.until("#app-status", reader.of("已锁定 0 张，未成 2 张", "0 locked, 2 not"));
      await reader.until(row(two.key), reader.of("锁定未成", "Not locked"));
      await reader.look("claims-refused");
    },
    [VIEWS[0], VIEWS[3]],
  );
});

test("an expense report goes on the next day: what was locked is there, and one's own", async () => {
  const employer = demo.member("employer");
  const papers = [await issued(), await issued(), await issued()];
  const first = await Reader.arrive(chromium.browser, demo.base, VIEWS[0]);
  await signIn(first, employer);
  await first.until("#reader", `${employer.name}，${employer.id}`);
  await drop(first, file("三张.csv", listOf(...papers)));
  await first.until("#app-status", "3 张可以锁定");
  await first.page.type("#lock-reference", "BX-次日");
  await first.page.click("#lock-form button[type=submit]");
  await first.until("#app-status", "已锁定 3 张");
  // The newest claims stand on the first page, however many there are.
  for (const { key } of papers) await first.page.waitForSelector(`${claimRow(key)}[data-status="locked"]`);
  await first.page.click("#leave");
  await first.until("#key-form", "登录");
  await first.leave();

  const next = await Reader.arrive(chromium.browser, demo.base, VIEWS[0]);
  await signIn(next, employer);
  await drop(next, file("又是三张.csv", listOf(...papers)));
  await next.until(row(papers[0].key), "贵单位已于");
  await next.page.select("#choose-reference", "=BX-次日");
  await next.until("#claims-sum", "已选 3 张，合计 3180.00 元");
  await next.page.type("#voucher", "记-0007");
  await next.page.click("#settle-form button");
  await next.until("#app-status", "已入账 3 笔");
  for (const { key } of papers) await next.page.waitForSelector(`${claimRow(key)}[data-status="settled"]`);
  await next.look("claims-next-day");
  await next.leave();
});

test("another employer sees what is not its own, and an insurer claims a bill by its check code", async () => {
  const paper = await issued();
  const hospital = demo.member("hospital");
  const medical = bill(hospital);
  assert.equal((await demo.send(hospital, "bill.issue", { bill: medical })).status, 201);
  const other = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
  await signIn(other, demo.member("employer", 1));
  await drop(other, file("other.csv", listOf(paper)));
  await other.until(row(paper.key), "not yours to claim");
  assert.equal(await other.page.$eval("#lock-form", (form) => form.hidden), true);
  await other.leave();

  const insurer = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
  await signIn(insurer, demo.member("insurer"));
  const key = `F:${medical.code}-${medical.number}`;
  await drop(insurer, file("bill.csv", `票据代码,票据号码,金额,开票日期,校验码\n${medical.code},${medical.number},100.00,${medical.issue_date},a1B2c3\n`));
  await insurer.until(row(key), "genuine, claimable");
  await insurer.page.select("#lock-kind", "commercial").catch(() => {});
  await insurer.page.type("#lock-reference", "CASE-1");
  await insurer.page.click("#lock-form button[type=submit]");
  await insurer.until("#app-status", "1 locked, 0 not");
  await insurer.leave();
});

test("a page that was loaded anew asks for the key before it checks", async () => {
  const paper = await issued();
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
  await signIn(reader, demo.member("employer"));
  await reader.go("/app");
  await drop(reader, file("again.csv", listOf(paper)));
  await reader.until("#app-status", "Open the signing key above first");
  await reader.upload("#bar-key-file", demo.member("employer").path);
  await reader.page.click("#key-bar-form button");
  await reader.until(row(paper.key), "genuine, claimable");
  await reader.leave();
});

test("an answer that was lost is got by sending the same again", async () => {
  const paper = await issued();
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
  await signIn(reader, demo.member("employer"));
  await drop(reader, file("lost.csv", listOf(paper)));
  await reader.until("#app-status", "1 of them can be locked");
  // The records arrive and their answers do not, three times over.
  let lost = 0;
  await reader.page.setRequestInterception(true);
  reader.page.on("request", async (request) => {
    if (request.method() === "POST" && request.url().endsWith("/v1/records") && lost < 3) {
      lost += 1;
      await fetch(request.url(), { method: "POST", headers: { "Content-Type": "application/json" }, body: request.postData() });
      await request.abort("connectionreset");
    } else await request.continue();
  });
  reader.expected.push(/net::ERR_CONNECTION_RESET/);
  await reader.page.type("#lock-reference", "BX-9");
  await reader.page.click("#lock-form button[type=submit]");
  await reader.until("#app-status", "the outcome is not known");
  await reader.page.click("#send-again");
  await reader.until("#app-status", "1 locked, 0 not");
  assert.equal(lost, 3);
  await reader.page.waitForSelector(claimRow(paper.key));
  const rows = await reader.page.$$(claimRow(paper.key));
  assert.equal(rows.length, 1, "locked once");
  await reader.leave();
});

test("while an outcome is not known, nothing else is signed about the same document", async () => {
  const [paper, other] = [await issued(), await issued()];
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
  await signIn(reader, demo.member("employer"));
  await drop(reader, file("twice.csv", listOf(paper, other)));
  await reader.until("#app-status", "2 of them can be locked");
  // The record arrives and its answer does not; the attempts after it are told that they are too many.
  let [lost, refuse] = [0, true];
  await reader.page.setRequestInterception(true);
  reader.page.on("request", async (request) => {
    if (request.method() !== "POST" || !request.url().endsWith("/v1/records") || !refuse) return request.continue();
    lost += 1;
    if (lost > 1) {
      const problem = JSON.stringify({ code: "rate_limited", detail: "too many for now" });
      return request.respond({ status: 429, contentType: "application/problem+json", headers: { "Retry-After": "600" }, body: problem });
    }
    await fetch(request.url(), { method: "POST", headers: { "Content-Type": "application/json" }, body: request.postData() });
    return request.abort("connectionreset");
  });
  reader.expected.push(/net::ERR_CONNECTION_RESET/);
  reader.expect(429, "/v1/records");
  await reader.fill(`${row(paper.key)} input.amount`, "60.00");
  await reader.page.click(`${row(other.key)} input[type=checkbox]`);
  await reader.page.type("#lock-reference", "BX-10");
  await reader.page.click("#lock-form button[type=submit]");
  await reader.until("#app-status", "The outcome is not known. too many for now");
  await reader.until("#unanswered", "without an outcome yet: 1.");
  await reader.until(`${row(paper.key)} .tag`, "outcome not known yet");
  assert.equal(await reader.page.$eval(`${row(paper.key)} input[type=checkbox]`, (box) => box.disabled), true);
  await reader.look("claims-unanswered");
  // Neither the list made anew nor a lock of the other makes the open one forgotten.
  refuse = false;
  await reader.page.click("#clear");
  await drop(reader, file("anew.csv", listOf(paper, other)));
  await reader.until("#app-status", "1 of them can be locked");
  await reader.fill("#lock-reference", "BX-11");
  await reader.page.click("#lock-form button[type=submit]");
  await reader.until("#app-status", "1 locked, 0 not");
  await reader.page.waitForSelector(claimRow(other.key));
  await reader.until("#unanswered", "without an outcome yet: 1.");
  // Leaving is warned of.
  const asked = new Promise((resolve) => reader.page.once("dialog", async (dialog) => resolve([dialog.type(), await dialog.dismiss()])));
  await reader.page.evaluate(() => setTimeout(() => location.assign("/"), 0));
  assert.equal((await asked)[0], "beforeunload");
  await reader.page.click("#send-again");
  await reader.until("#app-status", "1 locked, 0 not");
  await reader.page.waitForSelector("#unanswered", { hidden: true });
  await reader.until(`${row(paper.key)} .tag`, "locked just now");
  assert.equal((await reader.page.$$(claimRow(paper.key))).length, 1, "locked once");
  await reader.leave();
});

test("a settlement that was not answered is not signed again", async () => {
  const paper = await issued();
  const employer = demo.member("employer");
  const expires = new Date(Date.now() + 86_400_000).toISOString();
  const locked = await demo.send(employer, "claim.lock", { document: paper.key, amount: "60.00", kind: "employer", reference: "BX-12", expires_at: expires });
  assert.equal(locked.status, 201, locked.text);
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[0]);
  await signIn(reader, employer);
  await reader.page.waitForSelector("#voucher");
  let lost = 0;
  await reader.page.setRequestInterception(true);
  reader.page.on("request", async (request) => {
    if (request.method() === "POST" && request.url().endsWith("/v1/records") && lost < 3) {
      lost += 1;
      await request.abort("connectionreset");
    } else await request.continue();
  });
  reader.expected.push(/net::ERR_CONNECTION_RESET/);
  await reader.page.click(`${claimRow(paper.key)} input[type=checkbox]`);
  await reader.page.type("#voucher", "记-0012");
  await reader.page.click("#settle-form button");
  await reader.until("#app-status", "结果未知");
  await reader.until(`${claimRow(paper.key)} .tag`, "等待结果");
  assert.equal(await reader.page.$(`${claimRow(paper.key)} input[type=checkbox]`), null);
  await reader.page.click("#send-again");
  await reader.until("#app-status", "已入账 1 笔");
  await reader.page.waitForSelector(`${claimRow(paper.key)}[data-status="settled"]`);
  await reader.leave();
});

test("a double click locks once", async () => {
  const paper = await issued();
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
  await signIn(reader, demo.member("employer"));
  await drop(reader, file("double.csv", listOf(paper)));
  await reader.until("#app-status", "1 of them can be locked");
  await reader.fill(`${row(paper.key)} input.amount`, "60.00");
  await reader.page.type("#lock-reference", "BX-7");
  await reader.page.evaluate(() => {
    const button = document.querySelector("#lock-form button[type=submit]");
    for (let n = 0; n < 3; n += 1) button.click();
    // A form can also be sent by the keyboard, whatever its button says.
    document.getElementById("lock-form").requestSubmit();
  });
  await reader.until("#app-status", "1 locked, 0 not");
  await reader.page.waitForSelector(claimRow(paper.key));
  await reader.go("/app");
  assert.equal((await reader.page.$$(claimRow(paper.key))).length, 1, "locked once");
  await reader.leave();
});

test("a better file mends a finding, and what was not answered is asked again", async () => {
  const [paper, scanned] = [await issued(), await issued()];
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
  await signIn(reader, demo.member("employer"));
  await drop(reader, file("wrong.csv", listOf({ ...paper, amount: "9060.00" })));
  await reader.until(row(paper.key), "mismatch");
  await drop(reader, file("right.txt", qrOf(paper)));
  await reader.until(row(paper.key), "genuine, claimable");

  let refused = 0;
  await reader.page.setRequestInterception(true);
  reader.page.on("request", async (request) => {
    if (request.url().endsWith("/v1/checks") && refused < 1) {
      refused += 1;
      const problem = JSON.stringify({ code: "rate_limited", detail: "too many for now" });
      await request.respond({ status: 429, contentType: "application/problem+json", body: problem });
    } else await request.continue();
  });
  reader.expect(429, "/v1/checks");
  await drop(reader, file("scanned.txt", qrOf(scanned)));
  await reader.until("#app-status", "too many for now");
  await reader.page.click("#check-again");
  await reader.until(row(scanned.key), "genuine, claimable");
  assert.equal(await reader.page.$("#check-again"), null);
  await reader.leave();
});

test("more than a batch holds is not locked all or nothing, and the page says so", async () => {
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
  await signIn(reader, demo.member("employer"));
  await reader.page.setRequestInterception(true);
  reader.page.on("request", async (request) => {
    if (!request.url().endsWith("/v1/checks")) return request.continue();
    const { items } = JSON.parse(request.postData());
    const results = items.map(({ document }) => ({ document, verdict: "claimable", claimable: "1060.00" }));
    return request.respond({ status: 200, contentType: "application/json", body: JSON.stringify({ results }) });
  });
  const many = Array.from({ length: 1_001 }, (_, n) => ({ number: `2633299${String(n).padStart(13, "0")}`, date: "2026-11-01" }));
  await drop(reader, file("many.csv", listOf(...many)));
  await reader.until("#app-status", "1001 of them can be locked");
  await reader.page.type("#lock-reference", "BX-8");
  await reader.page.click("#lock-form button[type=submit]");
  await reader.until("#app-status", "at most 1,000 together");
  await reader.leave();
});
