// The clerk's page: what is in the files that are dropped, be they printed, photographed or listed.

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { inEveryView, openBrowser, Reader, VIEWS } from "../browser.mjs";
import { drop, fileIn, issued as issuedIn, listOf, qrOf, row, signIn } from "../clerk.mjs";
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
