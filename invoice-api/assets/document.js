// The public page: the browser verifies by itself what it can.

import { toHex } from "./bytes.js";
import { readGenesis } from "./chain.js";
import { Invalid } from "./json.js";
import { differences } from "./paper.js";
import { verifyCheckpoint, verifyReceipt } from "./receipt.js";
import { readStamp, verifyStamp } from "./stamp.js";
import { element, say } from "./words.js";

const RECEIPT_BYTES_MAX = 4 << 20;
const place = document.getElementById("check");
const section = document.getElementById("proof");
const list = document.getElementById("proof-list");

const paper = {
  key: place.dataset.key,
  amount: place.dataset.amount,
  date: place.dataset.date,
  checkCode: place.dataset.checkCode,
};

function tell(good, text, more) {
  const mark = good ? "✓" : "✗";
  const word = good ? say("通过", "holds") : say("不通过", "fails");
  list.append(
    element(
      "li",
      { class: good ? "proof-good" : "proof-bad" },
      element("span", { class: `tag ${good ? "good" : "bad"}` }, `${mark} ${word}`),
      ` ${text}`,
      more && element("br"),
      more && element("span", { class: "note" }, more),
    ),
  );
}

function words(error) {
  if (error instanceof Invalid) return say(error.zh, error.en);
  return say("无法从服务器读取数据。", "The data could not be read from the server.");
}

async function bytesOf(path) {
  const response = await fetch(path, { credentials: "omit" });
  if (!response.ok) throw new Error(path);
  return new Uint8Array(await response.arrayBuffer());
}

function names(signers) {
  return signers.map(({ name, kid }) => `${name} ${kid.slice(0, 8)}`).join(say("、", ", "));
}

/** A stamp may be of a validator of any time: of the genesis file or of a change since. */
function allValidators(genesis, checkpoint) {
  return new Map([...genesis.validators.keys, ...checkpoint.everyone]);
}

async function verifyHere() {
  const [genesisBytes, checkpointBytes] = await Promise.all([bytesOf("/v1/genesis"), bytesOf("/v1/checkpoint")]);
  const genesis = readGenesis(genesisBytes);
  const checkpoint = verifyCheckpoint(checkpointBytes, genesis);
  tell(
    true,
    say(
      `区块 ${checkpoint.height} 的签名，可追溯到创世文件（${names(checkpoint.signers)}）`,
      `The signatures on block ${checkpoint.height} lead back to the genesis file (${names(checkpoint.signers)})`,
    ),
    say(
      `创世文件由本服务器提供。它的摘要以 ${toHex(genesis.hash).slice(0, 16)} 开头，请与主管机关公布的对照。`,
      `The genesis file came from this server. Its digest begins with ${toHex(genesis.hash).slice(0, 16)}: compare with what the authorities published.`,
    ),
  );
  return { genesis, checkpoint };
}

function checkStamp({ genesis, checkpoint }) {
  let stamp = null;
  try {
    stamp = readStamp(new URLSearchParams(location.search));
    if (!stamp) return null;
    const by = verifyStamp(genesis.chainId, paper, stamp, allValidators(genesis, checkpoint));
    tell(true, say(`二维码中的签章：${by.name} 签署了这些票面信息`, `The stamp in the code: ${by.name} signed these elements`));
  } catch (error) {
    tell(false, say("二维码中的签章", "The stamp in the code"), words(error));
  }
  return stamp;
}

const NAMES = {
  number: ["号码", "number"],
  amount: ["金额", "amount"],
  date: ["日期", "date"],
  check_code: ["校验码", "check code"],
  stamp: ["二维码签章所指的记录", "the record that the stamp means"],
};

async function checkReceipt(file, { genesis }, stamp) {
  if (file.size > RECEIPT_BYTES_MAX) {
    tell(false, file.name, say("文件超过 4 MiB，不是回执。", "The file is larger than 4 MiB: it is no receipt."));
    return;
  }
  try {
    const receipt = verifyReceipt(new Uint8Array(await file.arrayBuffer()), genesis);
    const differs = differences(receipt, paper, stamp);
    if (differs === null) {
      tell(false, file.name, say("回执有效，但它不是开具这张票据的回执。", "The receipt is good, but it is not of the issue of a document."));
    } else if (differs.length > 0) {
      const what = differs.map((name) => say(...NAMES[name])).join(say("、", ", "));
      tell(false, file.name, say(`回执有效，但与票面不同：${what}`, `The receipt is good, but differs from the paper: ${what}`));
    } else {
      tell(
        true,
        file.name,
        say(
          `回执有效，与票面一致。登记于区块 ${receipt.height}，${receipt.time}（${names(receipt.signers)}）`,
          `The receipt is good and says what the paper says. Recorded in block ${receipt.height}, ${receipt.time} (${names(receipt.signers)})`,
        ),
      );
    }
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    tell(false, file.name, say(`回执无效：${error.zh}（${error.step}）`, `The receipt is not valid: ${error.en} (${error.step})`));
  }
}

/** A place to drop a receipt, or to choose it. */
function receiptPlace(known, stamp) {
  const input = element("input", { type: "file", id: "receipt", accept: ".json,application/json" });
  const drop = element(
    "div",
    { class: "drop" },
    element("label", { for: "receipt" }, say("有回执文件？拖到这里或选择，与票面核对", "Have the receipt file? Drop it here or choose it, to compare it with the paper")),
    input,
  );
  input.addEventListener("change", () => {
    for (const file of input.files) checkReceipt(file, known, stamp);
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop") for (const file of event.dataTransfer.files) checkReceipt(file, known, stamp);
    });
  }
  return drop;
}

async function start() {
  if (!section) return;
  section.hidden = false;
  const busy = element("li", {}, say("正在验证…", "Verifying…"));
  list.append(busy);
  try {
    const known = await verifyHere();
    if (place.dataset.verdict) {
      const stamp = checkStamp(known);
      section.append(receiptPlace(known, stamp));
    }
  } catch (error) {
    tell(false, say("区块签名", "The signatures on the block"), words(error));
  } finally {
    busy.remove();
  }
}

await start();
