// The page of webhooks: an endpoint is added, tested, told of a reversal, and verified with Node's
// own HMAC by a real server.

import assert from "node:assert/strict";
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { inEveryView, openBrowser, Reader, VIEWS } from "../browser.mjs";
import { invoice, startDemo } from "../demo.mjs";

let demo;
let chromium;
before(async () => {
  demo = await startDemo("--webhook-networks", "127.0.0.0/8");
  chromium = await openBrowser();
});
after(async () => {
  await chromium?.close();
  await demo?.stop();
});

/** A member's own server: what arrived, and the status that it answers with. */
async function receiver() {
  const arrived = [];
  const own = { arrived, status: 200 };
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      arrived.push({ headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(own.status);
      response.end("<b>ok</b>");
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  own.url = `http://127.0.0.1:${server.address().port}/hook`;
  own.close = () => new Promise((resolve) => server.close(resolve));
  return own;
}

function verifies(secret, { headers, body }) {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signed = Buffer.concat([Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`), body]);
  const expected = Buffer.from(createHmac("sha256", key).update(signed).digest("base64"));
  return headers["webhook-signature"].split(" ").some((one) => {
    const given = Buffer.from(one.replace(/^v1,/, ""));
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

async function until(condition) {
  for (let waited = 0; waited < 30_000; waited += 50) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(String(condition));
}

/** Signs in as a member, on the page of webhooks. */
async function signIn(reader, member) {
  await reader.go("/sign-in?next=/app/push");
  await reader.upload("#key-file", member.path);
  await reader.page.click("#submit");
  await reader.until("#key-state", member.kid);
}

const row = (id) => `#endpoints tr[data-endpoint="${id}"]`;

/** Locks, settles, confirms and reverses an invoice; its key and the claim. */
async function reversed() {
  const [seller, buyer] = [demo.member("merchant"), demo.member("employer")];
  const document = invoice(seller, buyer);
  const key = `D:${document.number}`;
  const accepted = async (...record) => {
    const { status, text } = await demo.send(...record);
    assert.equal(status, 201, text);
    return JSON.parse(text).id;
  };
  await accepted(seller, "invoice.issue", { invoice: document });
  const expires = new Date(Date.now() + 86_400_000).toISOString();
  const claim = await accepted(buyer, "claim.lock", { document: key, kind: "employer", reference: "BX-1", expires_at: expires });
  await accepted(buyer, "claim.settle", { claim, amount: "1060.00", voucher: "记-1", booked_on: document.issue_date, booking: "02" });
  await accepted(buyer, "document.confirm_reversal", { document: key, amount: "1060.00" });
  await accepted(seller, "document.reverse", { document: key, amount: "1060.00", reason: "01" });
  return { key, claim };
}

test("an endpoint is added, tested, told of a reversal, looked at, replayed and removed", async (t) => {
  await inEveryView(t, chromium.browser, demo.base, async (reader) => {
    const server = await receiver();
    const id = `erp-${reader.view.name}`;
    await signIn(reader, demo.member("employer"));
    assert.equal(await reader.page.$eval(".sub a[aria-current]", (link) => link.getAttribute("href")), "/app/push");
    await reader.look("push-empty");
    await reader.page.type("#new-id", id);
    await reader.page.type("#new-url", server.url);
    await reader.page.type("#new-description", "报销系统 <b>");
    await reader.page.click("#event-document_reversed");
    await reader.page.focus("#new-url");
    await reader.page.keyboard.press("Enter");
    await reader.until("#push-status", reader.of(`已新增 ${id}`, `${id} was added`));
    const secret = await reader.text("#secret");
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    await reader.look("push-secret");

    await reader.page.click(`${row(id)} [data-action=test]`);
    await reader.until("#push-status", reader.of("测试消息已送达", "was taken"));
    await reader.until("#test-box", "HTTP 200");
    assert.ok((await reader.text("#test-box")).includes("<b>ok</b>"));
    assert.equal(server.arrived.length, 1);
    assert.equal(JSON.parse(server.arrived[0].body).type, "webhook.test");
    assert.ok(verifies(secret, server.arrived[0]));

    const { key, claim } = await reversed();
    await until(() => server.arrived.length === 2);
    const [, told] = server.arrived;
    const message = JSON.parse(told.body);
    assert.equal(message.type, "document_reversed");
    assert.equal(message.data.document, key);
    assert.deepEqual(message.data.facts, { amount: "1060.00", claims: claim });
    assert.ok(verifies(secret, told));
    assert.ok(!verifies(secret, { ...told, body: Buffer.from(told.body.toString().replace(key, "D:1")) }));

    await reader.page.click(`${row(id)} [data-action=deliveries]`);
    const delivered = `#deliveries tr[data-message="${told.headers["webhook-id"]}"][data-delivered=true]`;
    await reader.page.waitForSelector("#deliveries-again");
    await until(async () => {
      if (await reader.page.$(delivered)) return true;
      // In one step: the list is replaced whenever an answer comes.
      await reader.page.evaluate(() => document.getElementById("deliveries-again").click());
      return false;
    });
    assert.ok((await reader.text(delivered)).includes("HTTP 200"));
    await reader.look("push-deliveries");

    // After a new secret both sign what is sent again.
    await reader.page.click(`${delivered} button`);
    await reader.until("#push-status", reader.of("将重新推送高度", "are sent again"));
    await until(() => server.arrived.length === 3);
    await reader.page.click(`${row(id)} [data-action=rotate]`);
    await reader.until("#push-status", reader.of("已更换密钥", "was replaced"));
    const second = await reader.text("#secret");
    assert.notEqual(second, secret);
    await reader.page.click(`${row(id)} [data-action=deliveries]`);
    await reader.page.waitForSelector("#deliveries button[data-after]");
    await reader.page.click("#deliveries button[data-after]");
    await reader.until("#push-status", reader.of("将重新推送高度", "are sent again"));
    await until(() => server.arrived.length === 4);
    const signatures = server.arrived.map(({ headers }) => headers["webhook-signature"].split(" ").length);
    assert.deepEqual(signatures, [1, 1, 1, 2]);
    for (const again of server.arrived.slice(2)) {
      assert.equal(again.headers["webhook-id"], told.headers["webhook-id"]);
      assert.deepEqual(again.body, told.body);
    }
    assert.ok(verifies(secret, server.arrived[3]) && verifies(second, server.arrived[3]));

    await reader.page.click(`${row(id)} [data-action=remove]`);
    await reader.page.click(`${row(id)} [data-action=remove-sure]`);
    await reader.until("#push-status", reader.of(`已删除 ${id}`, `${id} was removed`));
    assert.equal(await reader.page.$(row(id)), null);
    await server.close();
  });
});

test("what goes wrong is told in words", async () => {
  const server = await receiver();
  server.status = 500;
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[0]);
  await signIn(reader, demo.member("insurer"));
  await reader.page.type("#new-id", "erp");
  await reader.page.type("#new-url", "https://10.0.0.1/");
  reader.expect(422, "/v1/webhooks/erp");
  await reader.page.click("#endpoint-form button");
  await reader.until("#push-status", "目标地址属于内网");
  await reader.fill("#new-url", server.url);
  await reader.page.click("#endpoint-form button");
  await reader.until("#push-status", "已新增 erp");
  await reader.page.click(`${row("erp")} [data-action=test]`);
  await reader.until("#push-status", "测试消息未送达");
  await reader.until("#test-box", "HTTP 500");
  await reader.look("push-test-failed");
  // Another page load has no key: the button says so.
  await reader.go("/app/push");
  await reader.page.waitForSelector(`${row("erp")} [data-action=test]`);
  await reader.page.click(`${row("erp")} [data-action=test]`);
  await reader.until("#push-status", "请先在上方打开签名密钥");
  await reader.leave();
  await server.close();
});

test("the list is there without scripts, and nobody else's", async () => {
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
  await signIn(reader, demo.member("insurer"));
  await reader.page.setJavaScriptEnabled(false);
  await reader.go("/app/push");
  assert.ok((await reader.text("#endpoints")).includes("127.0.0.1"));
  assert.ok((await reader.text("#push")).includes("need this site's scripts"));
  await reader.leave();
  const other = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
  await signIn(other, demo.member("employer", 1));
  await other.until("#endpoints", "There is none yet");
  await other.leave();
});
