// The supervisor's pages: looked at in every size and language, alive, and with orders signed by
// the authority's own key.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { inEveryView, openBrowser, Reader, VIEWS } from "../browser.mjs";
import { invoice, startDemo } from "../demo.mjs";

let demo;
let chromium;
let document_;

/** An invoice of which one employer settled a part, and what another tried. */
async function story() {
  const seller = demo.member("merchant");
  const [first, second] = [demo.member("employer", 0), demo.member("employer", 1)];
  const paper = invoice(seller, first);
  const sent = async (by, type, members, status) => {
    const { status: got, text } = await demo.send(by, type, members);
    assert.equal(got, status, text);
    return JSON.parse(text);
  };
  await sent(seller, "invoice.issue", { invoice: paper }, 201);
  document_ = `D:${paper.number}`;
  const lock = (amount) => ({
    document: document_,
    amount,
    kind: "employer",
    reference: "BX-1",
    expires_at: new Date(Date.now() + 86_400_000).toISOString(),
  });
  const { id } = await sent(first, "claim.lock", lock("636.00"), 201);
  await sent(first, "claim.settle", { claim: id, amount: "636.00", voucher: "记-1", booked_on: paper.issue_date, booking: "02" }, 201);
  await sent(first, "claim.lock", lock("24.00"), 201);
  await sent(second, "claim.lock", lock("1060.00"), 409);
  await oddities(sent, lock);
}

/** What pages could lead to in vain: a seller that is no member, a document that does not exist. */
async function oddities(sent, lock) {
  const [tax, seller, employer] = [demo.member("tax"), demo.member("merchant"), demo.member("employer")];
  const held = invoice(seller, employer);
  await sent(seller, "invoice.issue", { invoice: held }, 201);
  await sent(tax, "document.freeze", { document: `D:${held.number}`, reason: "核查" }, 201);
  const elsewhere = { ...invoice(seller, employer), seller: { id: OUTSIDER, name: "别处的商户" } };
  const original = { sm3: "41dad32bfd90eb37cd0e0b7dc899a76895d1a7ca72542d8980754e26a2117b04", format: "ofd" };
  await sent(tax, "document.register", { invoice: elsewhere, original }, 201);
  await sent(tax, "document.reverse", { document: `D:${elsewhere.number}`, amount: "60.00", reason: "04" }, 201);
  const unknown = `D:${invoice(seller, employer).number}`;
  await sent(employer, "claim.lock", { ...lock("5.00"), document: unknown }, 409);
  for (const key of [unknown, document_]) {
    const { status } = await fetch(`${demo.base}/v/${key}?amount=1060.00&date=${held.issue_date}`);
    assert.equal(status, 200);
  }
}

/** A seller that is no member. */
const OUTSIDER = "91350100M000100Y43";
/** Pages that one reader is led to; more would mean that they lead on without an end. */
const PAGES_MAX = 1_000;

/** Opens every address that a reader is led to from the first page, and gives them. */
async function follow(reader) {
  const waiting = ["/oversight"];
  const seen = new Set(waiting);
  while (waiting.length > 0) {
    const path = waiting.shift();
    assert.ok(seen.size < PAGES_MAX);
    if (!path.startsWith("/oversight")) {
      const [status, text] = await reader.page.evaluate(async (address) => {
        const answer = await fetch(address);
        return [answer.status, await answer.text()];
      }, path);
      assert.equal(status, 200, path);
      assert.ok(!text.includes('"state":"absent"'), `${path} leads to nothing`);
      continue;
    }
    const response = await reader.page.goto(demo.base + path, { waitUntil: "domcontentloaded" });
    assert.equal(response.status(), 200, path);
    const links = await reader.page.$$eval("main a[href], nav.sub a[href]", (all) => all.map((link) => link.getAttribute("href")));
    for (const link of links) {
      assert.match(link, /^[/#]/, path);
      if (link.startsWith("/") && !link.includes("lang=") && !seen.has(link)) {
        seen.add(link);
        waiting.push(link);
      }
    }
  }
  return [...seen];
}

before(async () => {
  demo = await startDemo();
  chromium = await openBrowser();
  await story();
});
after(async () => {
  await chromium?.close();
  await demo?.stop();
});

async function signIn(reader, member, next) {
  await reader.go(`/sign-in?next=${encodeURIComponent(next)}`);
  await reader.upload("#key-file", member.path);
  await reader.page.click("#submit");
  await reader.page.waitForSelector("nav.sub");
}

test("every page can be read in every size and language", async (t) => {
  await inEveryView(t, chromium.browser, demo.base, async (reader) => {
    await signIn(reader, demo.member("tax"), "/oversight");
    const views = [
      ["overview", "#live .cards"],
      ["volume", "svg.chart"],
      ["attempts", "table"],
      ["pairs", "svg.chart .heat4"],
      ["over-claims", ".lead"],
      ["late-reversals", ".lead"],
      ["merchants", "table"],
      ["locks", "svg.chart"],
      ["members", "table"],
      ["access", "#live"],
      ["search?q=%E7%A4%BA%E8%8C%83", "ul"],
      ["health", "svg.chart"],
      ["orders", "#freeze"],
      [`documents/${encodeURIComponent(document_)}`, "table"],
      ["records?list=code&code=claimant_not_entitled", "table"],
      ["records?list=frozen", "table"],
      ["locks?days_from=0&days_below=1", "svg.chart a"],
    ];
    for (const [view, part] of views) {
      const response = await reader.go(`/oversight/${view}`);
      assert.equal(response.status(), 200, view);
      await reader.page.waitForSelector(part);
      await reader.look(`oversight-${view.split(/[?/]/)[0]}`);
    }
    const heads = await reader.page.$$eval("svg.chart", (charts) => charts.map((chart) => chart.getAttribute("aria-labelledby")));
    assert.ok(heads.every(Boolean));
  });
});

test("every link leads somewhere, for an authority and for an auditor", async (t) => {
  await inEveryView(
    t,
    chromium.browser,
    demo.base,
    async (reader) => {
      await signIn(reader, demo.member("tax"), "/oversight");
      const all = await follow(reader);
      for (const part of ["/documents/", "/v1/records/", "list=frozen", "list=expired", "days_from=", `merchants/${OUTSIDER}`]) {
        assert.ok(all.some((path) => path.includes(part)), part);
      }
    },
    VIEWS.slice(0, 1),
  );
  await inEveryView(
    t,
    chromium.browser,
    demo.base,
    async (reader) => {
      await signIn(reader, demo.member("auditor"), "/oversight");
      const all = await follow(reader);
      for (const part of ["/documents/", "/v1/records/", "/oversight/access", "/oversight/orders"]) {
        assert.ok(!all.some((path) => path.includes(part)), part);
      }
      assert.ok(all.includes(`/oversight/merchants/${OUTSIDER}`));
    },
    VIEWS.slice(1, 2),
  );
});

test("figures follow the chain without a reload", async (t) => {
  await inEveryView(
    t,
    chromium.browser,
    demo.base,
    async (reader) => {
      await signIn(reader, demo.member("finance"), "/oversight");
      const issued = () => reader.page.$eval("#live .cards strong", (number) => Number(number.textContent));
      const before = await issued();
      const seller = demo.member("merchant");
      await demo.send(seller, "invoice.issue", { invoice: invoice(seller, demo.member("employer")) });
      await reader.page.waitForFunction(
        (known) => Number(document.querySelector("#live .cards strong").textContent) === known + 1,
        { timeout: 30_000 },
        before,
      );
    },
    VIEWS.slice(0, 1),
  );
});

test("a document's life is looked at again by nobody but its reader", async (t) => {
  await inEveryView(
    t,
    chromium.browser,
    demo.base,
    async (reader) => {
      await signIn(reader, demo.member("health"), "/oversight");
      const life = `/oversight/documents/${encodeURIComponent(document_)}`;
      await reader.go(life);
      await reader.page.waitForSelector("#refresh");
      assert.equal(await reader.page.$("#live"), null);
      await Promise.all([reader.page.waitForNavigation(), reader.page.click("#refresh")]);
      assert.equal(new URL(reader.page.url()).pathname, new URL(life, demo.base).pathname);
    },
    VIEWS.slice(0, 1),
  );
});

test("an authority freezes a document and sets a quota with its own key", async (t) => {
  await inEveryView(
    t,
    chromium.browser,
    demo.base,
    async (reader) => {
      const tax = demo.member("tax");
      await signIn(reader, tax, `/oversight/orders?document=${encodeURIComponent(document_)}`);
      const state = async () => {
        const page = await reader.page.evaluate(async (path) => (await fetch(path)).json(), `/v1/documents/${document_}`);
        return page.amounts.frozen;
      };
      await reader.page.waitForSelector("#freeze");
      await reader.fill("#reason", "核查");
      await reader.page.click('#freeze button[value="document.freeze"]');
      await reader.until("#message", reader.of("已记入区块", "Recorded in block"));
      assert.equal(await state(), true);
      // Twice is refused in words.
      reader.expect(409, "/v1/records");
      await reader.page.click('#freeze button[value="document.freeze"]');
      await reader.until("#message", reader.of("冻结", "frozen"));
      await reader.page.click('#freeze button[value="document.unfreeze"]');
      await reader.until("#message", reader.of("已记入区块", "Recorded in block"));
      assert.equal(await state(), false);
      await reader.fill("#member", demo.member("merchant", 1).id);
      await reader.fill("#month", "2027-01");
      await reader.fill("#amount", "50000.00");
      await reader.page.click("#quota button");
      await reader.until("#message", reader.of("已记入区块", "Recorded in block"));
    },
    [VIEWS[0], VIEWS[3]],
  );
});

test("the file that is chosen last signs, and an order without an answer is sent again as it is", async () => {
  const tax = demo.member("tax");
  const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
  await signIn(reader, tax, `/oversight/orders?document=${encodeURIComponent(document_)}`);
  await reader.page.waitForSelector("#freeze");
  await reader.fill("#reason", "check");
  const freeze = '#freeze button[value="document.freeze"]';
  // Somebody else's key is told before anything is signed with it, and does not stick.
  await reader.upload("#key-file", demo.member("finance").path);
  await reader.page.click(freeze);
  await reader.until("#message", "not the one you signed in with");
  await reader.upload("#key-file", tax.path);
  const posted = [];
  await reader.page.setRequestInterception(true);
  reader.page.on("request", async (request) => {
    if (request.method() !== "POST" || !request.url().endsWith("/v1/records")) return request.continue();
    posted.push(request.postData());
    if (posted.length === 2) {
      const problem = JSON.stringify({ code: "signature_invalid", detail: "not now" });
      return request.respond({ status: 401, contentType: "application/problem+json", body: problem });
    }
    if (posted.length > 2) return request.continue();
    await fetch(request.url(), { method: "POST", headers: { "Content-Type": "application/json" }, body: request.postData() });
    return request.abort("connectionreset");
  });
  reader.expected.push(/net::ERR_CONNECTION_RESET/);
  reader.expect(401, "/v1/records");
  await reader.page.click(freeze);
  await reader.until("#message", "The outcome is not known. not now");
  await reader.page.click('#freeze button[value="document.unfreeze"]');
  await reader.until("#message", "has no outcome yet");
  await reader.look("orders-unanswered");
  await reader.page.click("#send-again");
  await reader.until("#message", "Recorded in block");
  await reader.page.waitForSelector("#unanswered", { hidden: true });
  assert.equal(posted.length, 3);
  assert.equal(new Set(posted).size, 1, "the same bytes");
  const { amounts } = await reader.page.evaluate(async (path) => (await fetch(path)).json(), `/v1/documents/${document_}`);
  assert.equal(amounts.frozen, true);
  const thawed = await demo.send(tax, "document.unfreeze", { document: document_, reason: "done" });
  assert.equal(thawed.status, 201, thawed.text);
  await reader.leave();
});
