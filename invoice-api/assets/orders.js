// An authority's orders: records that this page signs with the authority's key.

import { OutcomeUnknown, settleOutcome } from "./actions.js";
import { againBox } from "./again-box.js";
import { Problem } from "./api.js";
import { KeyFileError } from "./der.js";
import { envelope, recordBytes, recordId } from "./envelope.js";
import { forgetKey, heldKey, keyFileWords, openKeyFile } from "./keys.js";
import { say } from "./words.js";

const place = document.getElementById("orders");
const message = document.getElementById("message");
/** The file that the held key came out of, when it was opened here. */
let openedFile = null;
/** The signed order that has no answer yet; nothing else is signed before it has one. */
let open = null;
let running = false;

const again = againBox(() => act(() => send()));
message.after(again.box);

function tell(text) {
  message.textContent = text;
}

function forget() {
  forgetKey();
  openedFile = null;
}

/** The key of the session: out of the file that is chosen now, or held since another was opened. */
async function key() {
  const [file] = document.getElementById("key-file").files;
  if (file && file !== openedFile) {
    const passphrase = document.getElementById("passphrase");
    forget();
    await openKeyFile(file, passphrase.value);
    passphrase.value = "";
    openedFile = file;
  }
  const held = heldKey();
  if (!held) throw new Error(say("请先选择密钥文件。", "Choose the key file first."));
  const { kid } = place.dataset;
  if (held.kid !== kid) {
    forget();
    throw new Error(
      say(
        `该密钥（${held.kid}）不是登录所用的密钥（${kid}）：请选择另一个文件，或用它重新登录。`,
        `This key (${held.kid}) is not the one you signed in with (${kid}): choose another file, or sign in with it.`,
      ),
    );
  }
  return held;
}

/** The members of a record that a form fills in; its buttons name the type. */
function membersOf(form) {
  const members = {};
  for (const input of form.querySelectorAll("input[name]")) members[input.name] = input.value.trim();
  return members;
}

async function order(form, type) {
  if (open) {
    tell(say("上一条指令还没有结果，请先原样重发。", "The order before has no outcome yet: send the same again first."));
    document.getElementById("send-again").focus();
    return;
  }
  const { chain, member } = place.dataset;
  const record = recordBytes(type, recordId("order"), member, membersOf(form));
  open = { bytes: envelope(await key(), chain, record), doubted: false };
  await send();
}

/** Sends the signed order until its outcome is known. */
async function send() {
  tell(say("正在提交…", "Sending…"));
  let receipt;
  try {
    receipt = await settleOutcome(open.bytes, { doubted: open.doubted });
  } catch (error) {
    if (error instanceof OutcomeUnknown) open.doubted = true;
    else open = null;
    throw error;
  }
  open = null;
  tell(
    say(
      `已记入区块 ${receipt.height}，记录 #${receipt.index}。`,
      `Recorded in block ${receipt.height} as record #${receipt.index}.`,
    ),
  );
}

/** Runs one action at a time; what goes wrong is told in words. */
async function act(action) {
  if (running) return;
  running = true;
  const buttons = [...place.querySelectorAll("button")];
  for (const button of buttons) button.disabled = true;
  try {
    await action();
  } catch (error) {
    if (error instanceof OutcomeUnknown) {
      tell(say(`结果未知。${error.problem.words()}`, `The outcome is not known. ${error.problem.words()}`));
    } else if (error instanceof KeyFileError) tell(keyFileWords(error));
    else if (error instanceof Problem) {
      // Whatever is wrong with the key, it is not to be used without being asked for again.
      if (error.status === 401) forget();
      tell(error.words());
    } else tell(error.message);
  } finally {
    running = false;
    for (const button of buttons) button.disabled = false;
    again.show(open ? 1 : 0);
  }
}

for (const form of document.querySelectorAll("form.order")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act(() => order(form, event.submitter.value));
  });
}

/** Whoever leaves now leaves the signed bytes behind. */
window.addEventListener("beforeunload", (event) => {
  if (open) event.preventDefault();
});
