// The clerk's page: what is in the files that are dropped, be they printed, photographed or listed.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { inEveryView, openBrowser, Reader, VIEWS } from "../browser.mjs";
import { claimRow, drop, fileIn, issued as issuedIn, listOf, qrOf, row, signIn } from "../clerk.mjs";
import { startDemo } from "../demo.mjs";

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

test("the same invoice as PDF, OFD and XML is one line, and files that disagree are told", async (t) => {
  await inEveryView(
    t,
    chromium.browser,
    demo.base,
    async (reader) => {
      const employer = demo.member("employer");
      const [paper, altered] = [await issued(), await issued()];
      await signIn(reader, employer);
      const print = async ({ key }, name, format, change = (bytes) => bytes) =>
        file(`${name}-${reader.view.name}.${format}`, change(await demo.paper(employer, key, format)));
      const raise = (bytes) => Buffer.from(bytes.toString("utf8").replaceAll("1060.00", "9060.00"));
      await drop(
        reader,
        await print(paper, "甲", "pdf"),
        await print(paper, "甲", "ofd"),
        await print(paper, "甲", "xml"),
        await print(altered, "乙", "ofd"),
        await print(altered, "乙改", "xml", raise),
      );
      await reader.until("#app-status", reader.of("共 2 张票据，其中 2 张可以锁定", "2 documents, 2 of them can be locked"));
      const line = await reader.text(row(paper.key));
      const others = ["甲", "甲"].map((name, n) => `${name}-${reader.view.name}.${["pdf", "xml"][n]}`);
      for (const part of [...others, "示范商户甲", paper.date, reader.of("真实，可报销", "genuine, claimable")]) {
        assert.ok(line.includes(part), `${part}: ${line}`);
      }
      assert.ok(!line.includes(reader.of("不一致", "disagree")), line);
      // What the files contradict each other about is not chosen by itself.
      await reader.until("#documents-sum", reader.of("已选 1 张，合计 1060.00 元", "1 chosen, 1060.00 yuan"));
      const other = await reader.text(row(altered.key));
      const told = [reader.of("各文件所载不一致：金额", "The files disagree on: amount")];
      // The reader of papers names the place in words, not by a pointer.
      told.push(reader.of("合计与明细或价税合计不符：价税合计", "sums of the document do not agree: the total"));
      for (const part of told) assert.ok(other.includes(part), `${part}: ${other}`);
      await reader.look("claims-one-document");
    },
    [VIEWS[0], VIEWS[3]],
  );
});

test("photos and screenshots of codes are read", async () => {
  const employer = demo.member("employer");
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[0]);
  await signIn(reader, employer);
  // A camera and a screen: the browser paints what was printed.
  const camera = await chromium.browser.newPage();
  const shoot = async (name, html, width, height, type = "png", deviceScaleFactor = 1) => {
    await camera.setViewport({ width, height, deviceScaleFactor });
    await camera.setContent(html);
    await camera.evaluate(() => Promise.all([...document.images].map((image) => image.decode())));
    return file(`${name}.${type}`, await camera.screenshot({ type }));
  };
  const code = async (paper, scale) => {
    const png = await demo.get(employer, `/v1/documents/${paper.key}/qr.png?scale=${scale}`);
    return `<img src="data:image/png;base64,${png.toString("base64")}"`;
  };
  const dark = "<body style='margin:0;background:linear-gradient(100deg,#ddd,#888);overflow:hidden'>";
  const papers = [];
  for (let n = 0; n < 5; n += 1) papers.push(await issued());
  const [small, turned, tilted, screen, sheet] = papers;
  const files = [
    file("小码.png", await demo.get(employer, `/v1/documents/${small.key}/qr.png?scale=2`)),
    await shoot("转过的", `${dark}${await code(turned, 6)} style='margin:220px;transform:rotate(67deg)'>`, 900, 900),
    await shoot("歪的", `${dark}${await code(tilted, 8)} style='margin:150px;transform:perspective(900px) rotateX(7deg) rotate(-14deg);filter:blur(0.6px)'>`, 900, 900, "jpeg"),
    await shoot("屏幕", `<body style='background:#fff'>${await code(screen, 8)} style='width:125px'>`, 800, 500),
  ];
  const html = (await demo.paper(employer, sheet.key, "html")).toString("utf8");
  files.push(await shoot("整页截图", html, 1_100, 800, "png", 1.5));
  await camera.close();
  await drop(reader, ...files);
  await reader.until("#app-status", "共 5 张票据，其中 5 张可以锁定");
  for (const { key } of papers) await reader.until(row(key), "真实，可报销");
  assert.equal(await reader.page.$("#troubles"), null);
  await reader.look("claims-photos");
  await reader.leave();
});

test("a folder is gone through, and what is hidden in it is left", async () => {
  const [one, two, three] = [await issued(), await issued(), await issued()];
  const folder = join(demo.folder, "报销");
  mkdirSync(join(folder, "十一月"), { recursive: true });
  writeFileSync(join(folder, "one.txt"), qrOf(one));
  writeFileSync(join(folder, "十一月", "two.csv"), listOf(two));
  for (const name of [".DS_Store", "Thumbs.db", "~$报销.docx"]) writeFileSync(join(folder, name), "x");
  writeFileSync(join(folder, "说明.txt"), "请尽快报销，谢谢。\n第二行");
  const mixed = `${listOf(three)}2.64E+19,1.00,${three.date},\n`;
  writeFileSync(join(folder, "三.csv"), mixed);
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
  await signIn(reader, demo.member("employer"));
  const input = await reader.page.waitForSelector("#folder");
  await input.uploadFile(folder);
  await reader.until("#app-status", "3 documents, 3 of them can be locked");
  const rows = await reader.page.$$eval("#documents tbody tr td:last-child", (cells) => cells.map((cell) => cell.textContent));
  assert.deepEqual(rows, [...rows].sort(new Intl.Collator("zh-CN", { numeric: true }).compare), "in the order of their names");
  assert.ok(rows.includes("报销/十一月/two.csv"), rows.join());
  const troubles = await reader.page.$$eval("#troubles li", (all) => all.map((one) => one.innerText));
  assert.equal(troubles.length, 2, troubles.join());
  assert.ok(troubles.some((text) => text.includes("说明.txt") && text.includes("no documents in the file")), troubles.join());
  assert.ok(troubles.some((text) => text.includes("2.64E+19") && text.includes("scientific notation")), troubles.join());
  await reader.until("#documents-sum", "3 chosen, 3180.00 yuan");
  await reader.page.click("#documents-none");
  await reader.until("#documents-sum", "0 chosen, 0.00 yuan");
  await reader.page.click("#documents-all");
  await reader.until("#documents-sum", "3 chosen");
  await reader.leave();
});

/** A lock that a member makes elsewhere. */
async function lockElsewhere(member, document, members = {}) {
  const expires = new Date(Date.now() + 86_400_000).toISOString();
  const record = { document, amount: "60.00", kind: "employer", reference: "BX-0", expires_at: expires, ...members };
  const { status, text } = await demo.send(member, "claim.lock", record);
  assert.equal(status, 201, text);
}

test("what was chosen and typed for a lock outlives the next file, and what is noted is not locked", async () => {
  const [one, two] = [await issued(), await issued()];
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
  await signIn(reader, demo.member("employer"));
  await drop(reader, file("one.csv", listOf(one)));
  await reader.until("#app-status", "1 of them can be locked");
  await reader.page.select("#lock-kind", "reference");
  await reader.page.click("#lock-together");
  await reader.fill("#lock-days", "3");
  await reader.fill("#lock-reference", "BX-noted");
  await drop(reader, file("two.csv", listOf(two)));
  await reader.until("#app-status", "2 of them can be locked");
  const typed = () =>
    reader.page.$eval("#lock-form", (form) => [
      form.querySelector("#lock-kind").value,
      form.querySelector("#lock-together").checked,
      form.querySelector("#lock-days").value,
      form.querySelector("#lock-reference").value,
    ]);
  assert.deepEqual(await typed(), ["reference", false, "3", "BX-noted"]);
  await reader.page.click("#lock-form button[type=submit]");
  await reader.until("#app-status", "2 noted, 0 not");
  await reader.until(`${row(one.key)} .tag`, "noted just now");
  for (const { key } of [one, two]) {
    await reader.until(`${claimRow(key)}[data-kind="reference"] .tag`, "noted");
    assert.equal(await reader.page.$(`${claimRow(key)} input`), null, "it is neither settled nor released");
  }
  // The next report has another number; a list made anew begins with the form as it was.
  assert.deepEqual(await typed(), ["reference", false, "3", ""]);
  await reader.page.click("#clear");
  assert.deepEqual(await typed(), ["employer", true, "7", ""]);
  await reader.look("claims-noted");
  await reader.leave();
});

test("what was typed for a settlement outlives a partial refusal", async () => {
  const [good, frozen] = [await issued(), await issued()];
  const employer = demo.member("employer");
  for (const { key } of [good, frozen]) await lockElsewhere(employer, key, { reference: "BX-partly" });
  const freeze = await demo.send(demo.member("tax"), "document.freeze", { document: frozen.key, reason: "核查" });
  assert.equal(freeze.status, 201, freeze.text);
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
  await signIn(reader, employer);
  await reader.page.waitForSelector("#choose-reference");
  await reader.page.select("#choose-reference", "=BX-partly");
  await reader.fill(`${claimRow(frozen.key)} input.amount`, "12.34");
  await reader.fill("#voucher", "记-0033");
  await reader.page.select("#booking", "03");
  await reader.page.click("#settle-form button");
  await reader.until("#app-status", "1 settled");
  await reader.page.waitForSelector(`${claimRow(good.key)}[data-status="settled"]`);
  const typed = await reader.page.$eval("#settle-form", (form) => [form.querySelector("#voucher").value, form.querySelector("#booking").value]);
  assert.deepEqual(typed, ["记-0033", "03"]);
  const kept = await reader.page.$eval(claimRow(frozen.key), (found) => [
    found.querySelector("input[type=checkbox]").checked,
    found.querySelector("input.amount").value,
  ]);
  assert.deepEqual(kept, [true, "12.34"]);
  await reader.until("#claims-sum", "1 chosen, 12.34 yuan");
  await reader.leave();
});

test("thirty days are thirty days of the chain, whatever the clock of the machine says", async () => {
  const paper = await issued();
  for (const minutes of [4, -4]) {
    const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
    // As far as a signed question may be off.
    await reader.page.evaluateOnNewDocument((shift) => {
      const real = Date.now.bind(Date);
      Date.now = () => real() + shift;
    }, minutes * 60_000);
    await signIn(reader, demo.member("employer"));
    await drop(reader, file(`clock${minutes}.csv`, listOf(paper)));
    await reader.until("#app-status", "1 of them can be locked");
    await reader.fill(`${row(paper.key)} input.amount`, "60.00");
    await reader.fill("#lock-days", "30");
    await reader.fill("#lock-reference", `BX-clock${minutes}`);
    await reader.page.click("#lock-form button[type=submit]");
    await reader.until("#app-status", "1 locked, 0 not");
    await reader.leave();
  }
});
