// The public pages, as a citizen with a paper in hand sees them.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { utf8 } from "../../assets/bytes.js";
import { readKeyFile } from "../../assets/der.js";
import { kidOf, sign } from "../../assets/sm2.js";
import { sm3 } from "../../assets/sm3.js";
import { stampMessage } from "../../assets/stamp.js";
import { inEveryView, openBrowser, Reader, VIEWS } from "../browser.mjs";
import { bill, invoice, startDemo } from "../demo.mjs";

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

/** Issues an invoice; its key, elements and receipt file. */
async function issued() {
  const seller = demo.member("merchant");
  const document = invoice(seller, demo.member("employer"));
  const { status, text } = await demo.send(seller, "invoice.issue", { invoice: document });
  assert.equal(status, 201, text);
  const path = join(demo.folder, `${document.number}.json`);
  writeFileSync(path, text);
  const elements = `amount=1060.00&date=${document.issue_date}`;
  return { key: `D:${document.number}`, elements, date: document.issue_date, receipt: path, text };
}

test("the first page leads everywhere", async (t) => {
  await inEveryView(t, chromium.browser, demo.base, async (reader) => {
    await reader.go("/");
    await reader.look("home");
    const links = await reader.page.$$eval("main a", (all) => all.map((link) => link.getAttribute("href")));
    assert.deepEqual(links, ["/v", "/app", "/oversight", "/docs"]);
    await reader.page.click(".lang");
    await reader.until("h1", reader.of("Piaolian", "票链"));
  });
});

test("whoever types what is printed learns that the document is genuine", async (t) => {
  const paper = await issued();
  await inEveryView(t, chromium.browser, demo.base, async (reader) => {
    await reader.go("/v");
    await reader.look("check-form");
    await reader.fill("#key", paper.key.slice(2));
    await reader.fill("#amount", "1060.00");
    await reader.fill("#date", paper.date);
    await Promise.all([reader.page.waitForNavigation(), reader.page.keyboard.press("Enter")]);
    await reader.until(".verdict", reader.of("真实有效，尚未报销", "Genuine, valid, not claimed"));
    await reader.until("#proof-list", reader.of("可追溯到创世文件", "lead back to the genesis file"));
    const said = await reader.text();
    for (const part of [demo.member("merchant").name, "1060.00", paper.date, paper.key.slice(2)]) {
      assert.ok(said.includes(part), part);
    }
    await reader.look("check-genuine");
  });
});

test("a number alone is asked for the rest, and nothing is shown", async (t) => {
  const paper = await issued();
  await inEveryView(t, chromium.browser, demo.base, async (reader) => {
    await reader.go(`/v/${paper.key}`);
    const said = await reader.text();
    assert.ok(!said.includes(demo.member("merchant").name) && !said.includes("1060.00"));
    assert.equal(await reader.page.$eval("#key", (input) => input.value), paper.key);
    await reader.look("check-incomplete");
    // A document that does not exist is answered in the same words.
    await reader.go("/v/D:00000000000000000009");
    const absent = (await reader.text()).replaceAll("D:00000000000000000009", "");
    assert.equal(absent, said.replaceAll(paper.key, ""));
  });
});

test("what does not match is answered in one way", async (t) => {
  const paper = await issued();
  await inEveryView(t, chromium.browser, demo.base, async (reader) => {
    const absent = "D:00000000000000000009";
    await reader.go(`/v/${paper.key}?amount=1.00&date=${paper.date}`);
    await reader.until("#proof-list", reader.of("可追溯", "lead back"));
    await reader.until(".verdict", reader.of("查无相符的票据", "No such document"));
    await reader.look("check-no-match");
    // The words and all that a script could read, but for what the address held and the time.
    const shown = async (key) => {
      const html = await reader.page.$eval("#check", (found) => found.outerHTML);
      return html.replaceAll(key, "").replace(/<time.*?<\/time>/, "");
    };
    const differs = await shown(paper.key);
    await reader.go(`/v/${absent}?amount=1.00&date=${paper.date}`);
    await reader.until("#proof-list", reader.of("可追溯", "lead back"));
    assert.equal(differs, await shown(absent));
  });
});

test("the browser compares a receipt with the paper, and finds what was altered", async (t) => {
  const [paper, other] = [await issued(), await issued()];
  const altered = join(demo.folder, "altered.json");
  writeFileSync(altered, paper.text.replace("1060.00", "1960.00"));
  const nothing = join(demo.folder, "nothing.json");
  writeFileSync(nothing, "{}");
  await inEveryView(t, chromium.browser, demo.base, async (reader) => {
    await reader.go(`/v/${paper.key}?${paper.elements}`);
    await reader.upload("#receipt", paper.receipt);
    await reader.until(".proof-good", reader.of("与票面一致", "says what the paper says"));
    await reader.upload("#receipt", altered);
    await reader.until(".proof-bad", reader.of("回执无效", "The receipt is not valid"));
    await reader.upload("#receipt", other.receipt);
    await reader.until(".proof-bad", reader.of("与票面不同：号码", "differs from the paper: number"));
    await reader.upload("#receipt", nothing);
    await reader.until(".proof-bad", "nothing.json");
    // Dropping is choosing.
    await reader.page.$eval(
      ".drop",
      (place, text) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([text], "dropped.json"));
        place.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
      },
      paper.text,
    );
    await reader.until(".proof-good", "dropped.json");
    await reader.look("check-receipts");
  });
});

test("the stamp of a code is verified by the browser", async (t) => {
  const paper = await issued();
  const receipt = JSON.parse(paper.text);
  const file = readFileSync(join(demo.folder, "data", "keys", "validator.pem"), "utf8");
  const validator = await readKeyFile(file);
  const stamp = { digest: sm3(utf8(receipt.record)).subarray(0, 16), index: String(receipt.index) };
  const printed = { key: paper.key, amount: "1060.00", date: paper.date, checkCode: "" };
  const signature = sign(validator.secret, validator.publicKey, stampMessage(demo.chainId, printed, stamp));
  const url = (bytes) => Buffer.from(bytes).toString("base64url");
  const code = new URLSearchParams({
    amount: printed.amount,
    date: printed.date,
    h: url(stamp.digest),
    i: stamp.index,
    k: kidOf(validator.publicKey).slice(0, 8),
    s: url(signature.subarray(0, 64)),
  });
  await inEveryView(t, chromium.browser, demo.base, async (reader) => {
    await reader.go(`/v/${paper.key}?${code}`);
    await reader.until(".proof-good", reader.of("签署了这些票面信息", "signed these elements"));
    await reader.upload("#receipt", paper.receipt);
    await reader.until(".proof-good", reader.of("与票面一致", "says what the paper says"));
    await reader.look("check-stamp");
    const false_ = new URLSearchParams(code);
    false_.set("i", String(receipt.index + 1));
    await reader.go(`/v/${paper.key}?${false_}`);
    await reader.until(".proof-bad", reader.of("二维码中的签章", "The stamp in the code"));
  });
});

test("each state of a document is told at one glance", async (t) => {
  const employer = demo.member("employer");
  const seller = demo.member("merchant");
  const lock = async (paper, amount) => {
    const members = { document: paper.key, amount, kind: "employer", reference: "BX-1", expires_at: new Date(Date.now() + 86_400_000).toISOString() };
    const { status, text } = await demo.send(employer, "claim.lock", members);
    assert.equal(status, 201, text);
    return JSON.parse(text).id;
  };
  const settle = async (claim, amount) => {
    const members = { claim, amount, voucher: "1", booked_on: "2026-11-21", booking: "02" };
    assert.equal((await demo.send(employer, "claim.settle", members)).status, 201);
  };
  const papers = {};
  papers.part = await issued();
  await lock(papers.part, "60.00");
  papers.locked = await issued();
  await lock(papers.locked, "1060.00");
  papers.claimed = await issued();
  await settle(await lock(papers.claimed, "1060.00"), "1060.00");
  papers.reversed = await issued();
  const reversal = { document: papers.reversed.key, amount: "1060.00", reason: "01" };
  const reversed = await demo.send(seller, "document.reverse", reversal);
  assert.equal(reversed.status, 201, reversed.text);
  papers.frozen = await issued();
  assert.equal((await demo.send(demo.member("tax"), "document.freeze", { document: papers.frozen.key, reason: "核查" })).status, 201);
  await inEveryView(t, chromium.browser, demo.base, async (reader) => {
    for (const [name, zh, en] of [
      ["part", "真实有效，部分已用", "Genuine and valid, partly used"],
      ["locked", "真实，正在报销", "Genuine, being claimed"],
      ["claimed", "真实，已全部报销", "Genuine, fully reimbursed"],
      ["reversed", "已全部红冲", "Reversed as a whole"],
      ["frozen", "真实，已被冻结", "Genuine, but frozen"],
    ]) {
      await reader.go(`/v/${papers[name].key}?${papers[name].elements}`);
      await reader.until(".verdict", reader.of(zh, en));
      await reader.until("#proof-list", reader.of("可追溯", "lead back"));
      await reader.look(`check-${name}`);
    }
  });
});

test("a medical bill needs its check code", async (t) => {
  const hospital = demo.member("hospital");
  const medical = bill(hospital);
  assert.equal((await demo.send(hospital, "bill.issue", { bill: medical })).status, 201);
  const address = `/v/F:${medical.code}-${medical.number}?amount=100&date=${medical.issue_date}`;
  await inEveryView(t, chromium.browser, demo.base, async (reader) => {
    await reader.go(address);
    await reader.until(".verdict", reader.of("查无相符的票据", "No such document"));
    await reader.go(`${address}&check_code=a1B2c3`);
    await reader.until(".verdict", reader.of("真实有效", "Genuine, valid"));
    assert.ok(!(await reader.text()).includes("西药费"), "the items are nobody else's business");
    await reader.look("check-bill");
  });
});

test("a problem is told to people as a page", async () => {
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[3]);
  reader.expect(404, "/nowhere");
  const response = await reader.go("/nowhere");
  assert.equal(response.status(), 404);
  await reader.until("h1", "That did not work");
  await reader.look("problem");
  await reader.leave();
});

test("without scripts the page says what the server says", async () => {
  const paper = await issued();
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[0]);
  await reader.page.setJavaScriptEnabled(false);
  await reader.go(`/v/${paper.key}?${paper.elements}`);
  const said = await reader.text();
  assert.ok(said.includes("真实有效，尚未报销") && said.includes("以上为服务器的答复"), said);
  await reader.leave();
});

test("the statement has the answer and the validators' signatures, and not the content", async () => {
  const paper = await issued();
  const response = await fetch(`${demo.base}/v/${paper.key}?${paper.elements}&download=statement`);
  assert.match(response.headers.get("content-disposition"), /^attachment/);
  const statement = await response.json();
  assert.equal(statement.verdict, "claimable");
  assert.equal(statement.issuer, demo.member("merchant").name);
  assert.equal(statement.checkpoint.signatures.length, 1);
  assert.ok(!JSON.stringify(statement).includes("软件服务费"));
  const none = await (await fetch(`${demo.base}/v/${paper.key}?amount=1&date=${paper.date}&download=statement`)).json();
  assert.equal(none.verdict, "no_match");
  assert.equal(none.issuer, undefined);
});

test("whoever guesses is refused for a while", async () => {
  const guessed = await startDemo();
  try {
    const guess = (n) => fetch(`${guessed.base}/v/D:00000000000000000009?amount=${n}&date=2026-11-21`);
    let refused = 0;
    for (let n = 1; n <= 80; n += 1) {
      const { status } = await guess(n);
      if (status === 429) refused += 1;
      else assert.equal(status, 200);
    }
    assert.ok(refused >= 10, `${refused} of 80`);
    assert.equal((await fetch(`${guessed.base}/v`)).status, 200, "other pages are there");
  } finally {
    await guessed.stop();
  }
});
