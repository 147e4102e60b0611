// A real Chromium, watched: what it complains about fails the test.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFileSync } from "node:fs";

import puppeteer from "puppeteer-core";

const PROGRAM = process.env.PIAOLIAN_CHROMIUM ?? "/usr/bin/chromium";
const SCREENSHOTS =
  process.env.PIAOLIAN_SCREENSHOTS ?? new URL("../../target/screenshots", import.meta.url).pathname;
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** A name that is not this machine's own: under http a page there is in no secure context. */
export const FOREIGN_HOST = "piaolian.test";

/** The reader's screens and languages that every page is looked at in. */
export const VIEWS = [
  { name: "1280-zh", width: 1280, height: 900, language: "zh-CN" },
  { name: "1280-en", width: 1280, height: 900, language: "en" },
  { name: "360-zh", width: 360, height: 740, language: "zh-CN" },
  { name: "360-en", width: 360, height: 740, language: "en" },
];

/** Starts the browser with an empty profile; `close` ends it and removes that. */
export async function openBrowser() {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const profile = mkdtempSync(join(tmpdir(), "piaolian-chromium-"));
  const browser = await puppeteer.launch({
    executablePath: PROGRAM,
    userDataDir: profile,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      `--host-resolver-rules=MAP ${FOREIGN_HOST} 127.0.0.1`,
    ],
  });
  const close = async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { browser, close };
}

/** One reader: cookies of its own, one page, and a list of everything that went wrong in it. */
export class Reader {
  static async arrive(browser, base, view) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    await page.setViewport({ width: view.width, height: view.height });
    await page.setExtraHTTPHeaders({ "Accept-Language": view.language });
    const reader = new Reader();
    Object.assign(reader, { context, page, base, view, complaints: [], expected: [] });
    page.on("console", (message) => {
      if (!["error", "warn"].includes(message.type())) return;
      const text = `${message.text()} ${message.location().url ?? ""}`;
      if (!reader.expected.some((pattern) => pattern.test(text))) reader.complaints.push(text);
    });
    page.on("pageerror", (error) => reader.complaints.push(String(error)));
    page.on("request", (request) => {
      const url = new URL(request.url());
      const here = [new URL(base).hostname, FOREIGN_HOST].includes(url.hostname);
      if (!here && !["data:", "blob:"].includes(url.protocol)) reader.complaints.push(`asks ${url}`);
    });
    return reader;
  }

  get english() {
    return this.view.language === "en";
  }

  /** The text in the reader's language. */
  of(zh, en) {
    return this.english ? en : zh;
  }

  /** An answer of the server that the browser is going to complain about, as is due. */
  expect(status, path) {
    this.expected.push(new RegExp(`status of ${status} .*${path}`));
  }

  async go(path, base = this.base) {
    const response = await this.page.goto(base + path, { waitUntil: "networkidle0" });
    return response;
  }

  text(selector = "body") {
    return this.page.$eval(selector, (found) => found.innerText);
  }

  /** Waits until an element's text contains a part. */
  async until(selector, part) {
    try {
      await this.page.waitForFunction(
        (where, what) => [...document.querySelectorAll(where)].some((found) => found.textContent.includes(what)),
        { timeout: 30_000 },
        selector,
        part,
      );
    } catch (error) {
      throw new Error(`${selector} never said "${part}" but: ${await this.text()}\n${error.message}`);
    }
  }

  async fill(selector, value) {
    await this.page.$eval(selector, (input) => {
      input.value = "";
    });
    await this.page.type(selector, value);
  }

  async upload(selector, ...files) {
    const input = await this.page.waitForSelector(selector);
    await input.uploadFile(...files);
  }

  /** Looks at the page: a picture, no serious finding of axe, nothing wider than the screen. */
  async look(name) {
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}-${this.view.name}.png`), fullPage: true });
    await this.page.evaluate(AXE);
    const found = await this.page.evaluate(() =>
      window.axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
        violations
          .filter(({ impact }) => ["serious", "critical"].includes(impact))
          .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`),
      ),
    );
    assert.deepEqual(found, [], `${name}: axe`);
    const [wide, screen] = await this.page.evaluate(() => [
      document.documentElement.scrollWidth,
      document.documentElement.clientWidth,
    ]);
    assert.ok(wide <= screen, `${name}: ${wide} px wide on a screen of ${screen} px`);
  }

  /** Leaves; whatever the browser complained about fails the test. */
  async leave() {
    await this.context.close();
    assert.deepEqual(this.complaints, []);
  }
}

/** Runs `body` once for each view, each a test of its own. */
export async function inEveryView(t, browser, base, body, views = VIEWS) {
  for (const view of views) {
    await t.test(view.name, async () => {
      const reader = await Reader.arrive(browser, base, view);
      try {
        await body(reader);
      } catch (error) {
        await reader.page.screenshot({ path: join(SCREENSHOTS, `failed-${view.name}.png`) }).catch(() => {});
        if (reader.complaints.length > 0) error.message += `\ncomplaints: ${reader.complaints.join("\n")}`;
        throw error;
      }
      await reader.leave();
    });
  }
}
