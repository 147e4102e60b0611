// The supervisor's pages: looked at in every size and language, alive, and with orders signed by
// the authority's own key.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { inEveryView, openBrowser, VIEWS } from "../browser.mjs";
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
