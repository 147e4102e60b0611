// Signing in with a key file that never leaves the browser.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { FOREIGN_HOST, inEveryView, openBrowser, Reader, VIEWS } from "../browser.mjs";
import { startDemo } from "../demo.mjs";

let demo;
let chromium;
let sealed;
before(async () => {
  demo = await startDemo();
  chromium = await openBrowser();
  sealed = join(demo.folder, "sealed.pem");
  const plain = demo.member("employer").path;
  const words = `pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000 -passout pass:open -in ${plain} -out ${sealed}`;
  execFileSync("openssl", words.split(" "));
});
after(async () => {
  await chromium?.close();
  await demo?.stop();
});

test("a plain key signs in, goes on with the key at hand, and leaves nothing behind", async (t) => {
  const employer = demo.member("employer");
  await inEveryView(t, chromium.browser, demo.base, async (reader) => {
    await reader.go("/app?status=locked");
    assert.match(reader.page.url(), /\/sign-in\?next=%2Fapp%3Fstatus%3Dlocked$/);
    await reader.look("sign-in");
    await reader.upload("#key-file", employer.path);
    await reader.page.click("#submit");
    await reader.until("#key-state", employer.kid);
    assert.match(reader.page.url(), /\/app\?status=locked$/);
    const kept = await reader.page.evaluate(async () => [
      localStorage.length,
      sessionStorage.length,
      (await indexedDB.databases()).length,
      document.cookie,
    ]);
    assert.deepEqual(kept, [0, 0, 0, ""], "neither key nor cookie is where a script could read it");
    const [cookie] = (await reader.context.cookies()).filter(({ name }) => name === "piaolian_session");
    assert.ok(cookie.httpOnly && cookie.sameSite === "Strict");
    // Loaded anew, the page still reads but has no key.
    await reader.go("/app");
    await reader.until("#key-state", reader.of("请打开私钥文件", "open your key file"));
    await reader.go("/sign-in");
    await reader.until("#signed-in", employer.id);
    await reader.look("signed-in");
    await reader.page.click("#sign-out");
    await reader.until("#message", reader.of("已退出登录", "Signed out"));
    await reader.go("/app");
    assert.match(reader.page.url(), /\/sign-in\?next=%2Fapp$/);
  });
});

test("an encrypted key needs its passphrase", async (t) => {
  await inEveryView(
    t,
    chromium.browser,
    demo.base,
    async (reader) => {
      await reader.go("/sign-in");
      await reader.upload("#key-file", sealed);
      await reader.page.click("#submit");
      await reader.until("#message", reader.of("请输入口令", "enter its passphrase"));
      await reader.page.type("#passphrase", "wrong");
      await reader.page.click("#submit");
      await reader.until("#message", reader.of("口令错误", "Wrong passphrase"));
      await reader.look("sign-in-wrong-passphrase");
      await reader.fill("#passphrase", "open");
      await reader.page.click("#submit");
      await reader.until("#key-state", demo.member("employer").kid);
    },
    [VIEWS[0], VIEWS[3]],
  );
});

test("what is no key, or the key of no member, is told in words", async (t) => {
  const nonsense = join(demo.folder, "nonsense.pem");
  writeFileSync(nonsense, "hello");
  const stranger = join(demo.folder, "stranger.pem");
  execFileSync("openssl", `genpkey -algorithm SM2 -out ${stranger}`.split(" "));
  await inEveryView(
    t,
    chromium.browser,
    demo.base,
    async (reader) => {
      await reader.go("/sign-in");
      await reader.upload("#key-file", nonsense);
      await reader.page.click("#submit");
      await reader.until("#message", reader.of("不是 PKCS#8", "not a private key file"));
      reader.expect(401, "/v1/session");
      await reader.upload("#key-file", stranger);
      await reader.page.click("#submit");
      await reader.until("#message", reader.of("密钥", "key"));
      assert.match(reader.page.url(), /\/sign-in/);
    },
    [VIEWS[1], VIEWS[2]],
  );
});

test("under plain http an encrypted key file is refused with the reason, and a plain one works", async () => {
  const base = demo.base.replace("127.0.0.1", FOREIGN_HOST);
  const reader = await Reader.arrive(chromium.browser, base, VIEWS[1]);
  await reader.go("/sign-in");
  assert.equal(await reader.page.evaluate(() => window.isSecureContext), false);
  await reader.upload("#key-file", sealed);
  await reader.page.type("#passphrase", "open");
  await reader.page.click("#submit");
  await reader.until("#message", "Open this site by https");
  await reader.upload("#key-file", demo.member("employer").path);
  await reader.page.click("#submit");
  await reader.until("#key-state", demo.member("employer").kid);
  await reader.leave();
});
