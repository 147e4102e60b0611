// An authority's orders: records that this page signs with the authority's key.

import { Problem, submit } from "./api.js";
import { KeyFileError } from "./der.js";
import { envelope, recordBytes, recordId } from "./envelope.js";
import { heldKey, keyFileWords, openKeyFile } from "./keys.js";
import { say } from "./words.js";

const place = document.getElementById("orders");
const message = document.getElementById("message");

function tell(text) {
  message.textContent = text;
}

async function key() {
  if (heldKey()) return heldKey();
  const [file] = document.getElementById("key-file").files;
  if (!file) throw new Error(say("请先选择密钥文件。", "Choose the key file first."));
  const passphrase = document.getElementById("passphrase");
  const opened = await openKeyFile(file, passphrase.value);
  passphrase.value = "";
  return opened;
}

/** The members of a record that a form fills in; its buttons name the type. */
function membersOf(form) {
  const members = {};
  for (const input of form.querySelectorAll("input[name]")) members[input.name] = input.value.trim();
  return members;
}

async function order(form, type) {
  const { chain, member } = place.dataset;
  const opened = await key();
  const record = recordBytes(type, recordId("order"), member, membersOf(form));
  const receipt = await submit(envelope(opened, chain, record));
  tell(
    say(
      `已记入区块 ${receipt.height}，记录 #${receipt.index}。`,
      `Recorded in block ${receipt.height} as record #${receipt.index}.`,
    ),
  );
}

for (const form of document.querySelectorAll("form.order")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const buttons = form.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    tell(say("正在签名并提交…", "Signing and sending…"));
    try {
      await order(form, event.submitter.value);
    } catch (error) {
      if (error instanceof KeyFileError) tell(keyFileWords(error));
      else if (error instanceof Problem) tell(error.words());
      else tell(error.message);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  });
}
