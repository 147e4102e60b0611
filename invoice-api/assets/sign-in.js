// Signing in: the browser opens the key file and signs the request for a session.

import { closeSession, openSession, Problem } from "./api.js";
import { KeyFileError } from "./der.js";
import { forgetKey, keyFileWords, openKeyFile } from "./keys.js";
import { say } from "./words.js";

const place = document.getElementById("sign-in");
const form = document.getElementById("key-form");
const message = document.getElementById("message");
const button = document.getElementById("submit");

function tell(text) {
  message.textContent = text;
}

/**
 * Goes on without leaving the document, so that the key stays in memory and need not be chosen
 * again for the first signature. What cannot be taken over that way is simply opened.
 */
async function goOn(next) {
  const response = await fetch(next, { credentials: "same-origin" });
  const there = new URL(response.url);
  const html = (response.headers.get("Content-Type") ?? "").startsWith("text/html");
  if (!response.ok || !html || there.origin !== location.origin) {
    location.assign(next);
    return;
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const module = page.querySelector("script[type=module]")?.getAttribute("src");
  history.replaceState(null, "", there.pathname + there.search);
  document.title = page.title;
  document.body.replaceWith(document.adoptNode(page.body));
  document.getElementById("main")?.focus();
  if (module) await import(module);
}

function showSignedIn() {
  const member = place.dataset.member;
  document.getElementById("signed-in").hidden = !member;
  form.hidden = Boolean(member);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [file] = document.getElementById("key-file").files;
  if (!file) return;
  button.disabled = true;
  tell(say("正在打开密钥文件…", "Opening the key file…"));
  try {
    const passphrase = document.getElementById("passphrase");
    const key = await openKeyFile(file, passphrase.value);
    passphrase.value = "";
    await openSession(key);
    await goOn(place.dataset.next);
  } catch (error) {
    forgetKey();
    if (error instanceof KeyFileError) tell(keyFileWords(error));
    else if (error instanceof Problem) tell(error.words());
    else throw error;
  } finally {
    button.disabled = false;
  }
});

document.getElementById("sign-out").addEventListener("click", async () => {
  try {
    await closeSession();
    forgetKey();
    place.dataset.member = "";
    showSignedIn();
    document.querySelector('nav a[href="/sign-in"]').textContent = say("登录", "Sign in");
    tell(say("已退出登录。", "Signed out."));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    tell(error.words());
  }
});

showSignedIn();
