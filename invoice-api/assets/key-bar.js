// The bar that shows with which key this page signs, and opens a key file when it has none.

import { ask, closeSession, openSession, Problem } from "./api.js";
import { KeyFileError } from "./der.js";
import { forgetKey, heldKey, keyFileWords, openKeyFile } from "./keys.js";
import { element, say } from "./words.js";

/**
 * Makes the bar. `changed` is called with what the node says of the session whenever the key is
 * opened; the session becomes that key's. `session` is what the node says of it now.
 */
export function keyBar(changed, session = null) {
  let reader = session;
  const state = element("p", { id: "key-state", role: "status" });
  const file = element("input", { type: "file", id: "bar-key-file", accept: ".pem,.key", required: true });
  const passphrase = element("input", { type: "password", id: "bar-passphrase", autocomplete: "off" });
  const form = element(
    "form",
    { class: "row", id: "key-bar-form" },
    element("div", {}, element("label", { for: "bar-key-file" }, say("私钥文件（.pem，不会上传）", "Private key file (.pem, not sent)")), file),
    element("div", {}, element("label", { for: "bar-passphrase" }, say("口令（如有）", "Passphrase, if any")), passphrase),
    element("button", { type: "submit" }, say("打开签名密钥", "Open the signing key")),
  );
  const name = element("strong", { id: "reader" });
  const leave = element("button", { type: "button", class: "quiet", id: "leave" }, say("退出登录", "Sign out"));
  const who = element("div", { class: "row" }, element("p", {}, name), leave);
  leave.addEventListener("click", async () => {
    try {
      await closeSession();
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      state.textContent = error.words();
      return;
    }
    forgetKey();
    location.assign("/sign-in");
  });
  const bar = element("section", { id: "key-bar", class: "box plain", "aria-label": say("签名密钥", "Signing key") }, who, state, form);

  function show() {
    const key = heldKey();
    form.hidden = key !== null;
    who.hidden = reader === null;
    name.textContent = reader ? [reader.name, reader.member].filter(Boolean).join(say("，", ", ")) : "";
    state.textContent = key
      ? say(`本页用密钥 ${key.kid} 签名。私钥只在本页内存中，关闭或刷新即消失。`, `This page signs with key ${key.kid}. The key is in this page's memory only and is gone when it is closed or reloaded.`)
      : say("查验、锁定和入账需要签名：请打开私钥文件。", "Checking, locking and settling need a signature: open your key file.");
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const key = await openKeyFile(file.files[0], passphrase.value);
      passphrase.value = "";
      await openSession(key);
      reader = await (await ask("/v1/session")).json();
      show();
      await changed(reader);
    } catch (error) {
      forgetKey();
      show();
      if (error instanceof KeyFileError) state.textContent = keyFileWords(error);
      else if (error instanceof Problem) state.textContent = error.words();
      else throw error;
    }
  });
  show();
  return bar;
}
