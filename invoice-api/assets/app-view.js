// What the clerk's page is made of: tables and forms, without a word about how they act.

import { droppedFiles } from "./folders.js";
import { chooser } from "./chosen.js";
import { fen } from "./paper.js";
import { isUnanswered } from "./unanswered.js";
import { element, say } from "./words.js";
import { elementNames, isLockable, verdictWords } from "./worklist.js";

/** The place to drop files on, or to choose them. */
export function dropPlace(take) {
  const input = element("input", { type: "file", id: "files", multiple: true });
  const folder = element("input", { type: "file", id: "folder", webkitdirectory: true, multiple: true });
  const drop = element(
    "div",
    { class: "drop", id: "drop" },
    element("p", {}, element("strong", {}, say("把票据或整个文件夹拖到这里", "Drop documents or a whole folder here"))),
    element("p", { class: "note" }, say("XML、OFD、PDF、二维码照片或截图、CSV 清单；同一张票据的多个文件只算一张", "XML, OFD, PDF, photos or screenshots of QR codes, CSV lists; several files of one document count as one")),
    element(
      "p",
      { class: "choices" },
      input,
      element("label", { for: "files", class: "button" }, say("选择文件", "Choose files")),
      " ",
      folder,
      element("label", { for: "folder", class: "button quiet" }, say("选择文件夹", "Choose a folder")),
    ),
  );
  for (const place of [input, folder]) {
    place.addEventListener("change", () => {
      const files = [...place.files];
      place.value = "";
      take(Promise.resolve(files));
    });
  }
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop") take(droppedFiles(event.dataTransfer));
    });
  }
  return drop;
}

function cell(label, attributes, ...children) {
  return element("td", { "data-label": label, ...attributes }, ...children);
}

/** Class and word of a claim that was made on this page, by its state in the ledger. */
function claimWords({ status, kind }) {
  if (kind === "reference") return ["good", say("本次已备案", "noted just now")];
  if (status === "settled") return ["good", say("本次已入账", "settled just now")];
  if (status === "released") return ["plain", say("本次已释放", "released just now")];
  return ["good", say("本次已锁定", "locked just now")];
}

/** Class and words of what was signed and not answered yet. */
function waitingWords() {
  return ["warn", say("等待结果", "outcome not known yet")];
}

/** What the reader's own organisation did with a document before. */
function ownWords({ kind, amount, day }) {
  if (kind === "claim.lock" && fen(amount) === 0n) return say(`贵单位已于 ${day} 备案。`, `Your organisation noted it on ${day}.`);
  return kind === "claim.settle"
    ? say(`贵单位已于 ${day} 入账。`, `Your organisation settled it on ${day}.`)
    : say(`贵单位已于 ${day} 锁定 ${amount} 元，见下方台账。`, `Your organisation locked ${amount} yuan of it on ${day}: see the ledger below.`);
}

function documentRow(entry, heads) {
  const [look, word, reason] = verdictWords(entry);
  const lockable = isLockable(entry);
  const choose = element("input", { type: "checkbox", checked: entry.chosen, disabled: !lockable, "aria-label": say(`选中 ${entry.key}`, `Choose ${entry.key}`) });
  choose.addEventListener("change", () => {
    entry.chosen = choose.checked;
  });
  let amount = entry.amount ?? "–";
  if (lockable) {
    amount = element("input", { class: "amount", inputmode: "decimal", value: entry.asked, "aria-label": say(`${entry.key} 的锁定金额`, `Amount to lock of ${entry.key}`) });
    amount.addEventListener("input", () => {
      entry.asked = amount.value.trim();
    });
  } else if (entry.claim) amount = entry.claim.amount;
  const [first, ...others] = entry.files;
  const notes = [];
  if (others.length > 0) {
    const names = others.map((file) => file.name).join(say("、", ", "));
    notes.push(say(`同一张票据，另见文件：${names}`, `The same document, also in file: ${names}`));
  }
  if (entry.disagree.size > 0) {
    notes.push(say(`各文件所载不一致：${elementNames(entry.disagree)}`, `The files disagree on: ${elementNames(entry.disagree)}`));
  }
  notes.push(...entry.warnings.map((warning) => warning.detail));
  if (entry.own && !entry.claim) notes.push(ownWords(entry.own));
  if (entry.refusal) notes.push(say(`锁定未成：${entry.refusal}`, `Not locked: ${entry.refusal}`));
  let [shown, said] = [look, word];
  if (entry.claim) [shown, said] = claimWords(entry.claim);
  else if (isUnanswered(entry.key)) [shown, said] = waitingWords();
  const tag = element("span", { class: `tag ${shown}` }, said);
  return element(
    "tr",
    { "data-key": entry.key, "data-verdict": entry.verdict ?? "" },
    cell(heads[0], {}, choose),
    element("th", { scope: "row", "data-label": heads[1] }, element("code", {}, entry.key)),
    cell(heads[2], {}, element("div", {}, entry.seller ?? "–", entry.date ? element("div", { class: "note" }, entry.date) : null)),
    cell(heads[3], {}, element("div", {}, tag, element("div", { class: "note" }, entry.claim ? "" : reason), ...notes.map((note) => element("div", { class: "note" }, note)))),
    cell(heads[4], { class: "number" }, amount),
    cell(heads[5], {}, first.name),
  );
}

/** The dropped documents with their verdicts, and the files that no document came out of. */
export function documentTable(entries, troubles) {
  const heads = [say("选", "Choose"), say("票据", "Document"), say("销售方、开票日期", "Seller, date"), say("结论", "Finding"), say("金额（元）", "Amount (yuan)"), say("文件", "File")];
  const body = element("tbody", {}, ...entries.map((entry) => documentRow(entry, heads)));
  const table = element(
    "table",
    { class: "stack", id: "documents" },
    element("caption", {}, say("本次拖入的票据", "Documents dropped now")),
    element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
    body,
  );
  const unread = troubles.map(({ name, text }) => element("li", {}, element("strong", {}, name), ` ${text}`));
  return element(
    "section",
    { "aria-label": say("查验结果", "Findings") },
    entries.length > 0 ? table : null,
    unread.length > 0 ? element("div", { class: "box bad", id: "troubles" }, element("p", {}, say("未能读取：", "Could not be read:")), element("ul", {}, ...unread)) : null,
  );
}

const KINDS = {
  employer: [["employer", "单位报销", "employer's reimbursement"], ["reference", "仅备案（不占额度）", "reference only (uses nothing)"]],
  insurer: [["commercial", "商业保险理赔", "commercial insurance"], ["reference", "仅备案（定额给付）", "reference only (fixed benefit)"]],
  health: [["basic", "基本医保", "basic medical insurance"], ["supplement", "补充医保", "supplementary insurance"], ["reference", "仅备案", "reference only"]],
};

function field(id, label, input, note) {
  return element("div", {}, element("label", { for: id }, label), input, note ? element("span", { class: "note" }, note) : null);
}

/** The form that locks what is chosen; the kinds are those of the member's roles. */
export function lockForm(roles, act) {
  const kinds = roles.flatMap((role) => KINDS[role] ?? []);
  const kind = element("select", { id: "lock-kind" }, ...kinds.map(([value, zh, en]) => element("option", { value }, say(zh, en))));
  const reference = element("input", { id: "lock-reference", required: true, maxlength: "200", autocomplete: "off" });
  const days = element("input", { id: "lock-days", type: "number", min: "1", max: "30", value: "7", required: true });
  const together = element("input", { id: "lock-together", type: "checkbox", checked: true });
  if (kinds.length === 0) {
    return element("p", { class: "box plain" }, say("贵单位的角色不能报销票据。", "Your organisation's roles do not claim documents."));
  }
  const form = element(
    "form",
    { id: "lock-form" },
    element("h2", {}, say("锁定选中的票据", "Lock the chosen documents")),
    chooser("documents", () => document.querySelectorAll("#documents input[type=checkbox]:enabled")),
    element(
      "div",
      { class: "row" },
      field("lock-reference", say("报销单号", "Expense report"), reference),
      field("lock-kind", say("用途", "Kind"), kind),
      field("lock-days", say("锁定天数（最多 30）", "Days (30 at most)"), days),
    ),
    element("p", {}, together, " ", element("label", { for: "lock-together", class: "inline" }, say("全部成功才锁定（一张不成，全部不锁）", "All or nothing: if one fails, none is locked"))),
    element("button", { type: "submit" }, say("签名并锁定", "Sign and lock")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act({ kind: kind.value, reference: reference.value.trim(), days: Number(days.value), together: together.checked });
  });
  return form;
}

/** The rows of the ledger that can be settled or released: what is only noted is neither. */
export function closable(ledger) {
  return [...ledger.querySelectorAll('tr[data-status="locked"]:not([data-kind="reference"])')];
}

/** What is chosen and typed in the rows of a ledger, by claim. */
export function closingValues(ledger) {
  const values = new Map();
  for (const row of closable(ledger)) {
    const [box, amount] = ["input[type=checkbox]", "input.amount"].map((part) => row.querySelector(part));
    if (box) values.set(row.dataset.claim, { checked: box.checked, amount: amount.value });
  }
  return values;
}

/** Gives each row that can be closed a box to choose it and the amount to settle, as `kept` has them. */
export function selectable(ledger, kept = new Map()) {
  const head = ledger.querySelector("thead tr");
  if (!head || head.querySelector(".choose")) return;
  const label = say("选", "Choose");
  head.prepend(element("th", { scope: "col", class: "choose" }, label));
  const open = new Set(closable(ledger));
  for (const row of ledger.querySelectorAll("tr[data-claim]")) {
    const { claim, document: key, locked } = row.dataset;
    const box = cell(label, {});
    if (isUnanswered(claim)) {
      const [look, words] = waitingWords();
      box.append(element("span", { class: `tag ${look}` }, words));
    } else if (open.has(row)) {
      const { checked, amount: typed } = kept.get(claim) ?? { checked: false, amount: locked };
      box.append(element("input", { type: "checkbox", checked, "aria-label": say(`选中 ${key}`, `Choose ${key}`) }));
      const amount = element("input", { class: "amount", inputmode: "decimal", value: typed, "aria-label": say(`${key} 的入账金额`, `Amount to settle of ${key}`) });
      row.querySelector(".settle-amount").replaceChildren(amount);
    }
    row.prepend(box);
  }
}

/** What chooses locked rows of the ledger: all, none, or those of one expense report. */
export function claimChooser(ledger) {
  const rows = () => closable(ledger);
  const references = [...new Set(rows().map((row) => row.dataset.reference))];
  const boxes = () => rows().map((row) => row.querySelector("input[type=checkbox]")).filter(Boolean);
  const tools = chooser("claims", boxes);
  const select = element(
    "select",
    { id: "choose-reference" },
    element("option", { value: "" }, say("按报销单选择…", "Choose an expense report…")),
    ...references.map((reference) => element("option", { value: `=${reference}` }, reference)),
  );
  select.addEventListener("change", () => {
    if (select.value === "") return;
    for (const box of boxes()) {
      box.checked = `=${box.closest("tr").dataset.reference}` === select.value;
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
  tools.append(element("div", {}, element("label", { for: "choose-reference" }, say("报销单", "Expense report")), select));
  return tools;
}

/** The forms that settle or release what is chosen in the ledger. */
export function claimForms(settle, release) {
  const today = new Date(Date.now() + 28_800_000).toISOString().slice(0, 10);
  const voucher = element("input", { id: "voucher", required: true, maxlength: "50", autocomplete: "off" });
  const bookedOn = element("input", { id: "booked-on", type: "date", value: today, required: true });
  const booking = element(
    "select",
    { id: "booking" },
    element("option", { value: "02" }, say("02 已入账（企业所得税税前扣除）", "02 booked, deducted before income tax")),
    element("option", { value: "03" }, say("03 已入账（不扣除）", "03 booked, not deducted")),
  );
  const reason = element("input", { id: "reason", required: true, maxlength: "200", autocomplete: "off" });
  const settleForm = element(
    "form",
    { id: "settle-form" },
    element("h3", {}, say("入账", "Settle")),
    element("div", { class: "row" }, field("voucher", say("记账凭证号", "Voucher"), voucher), field("booked-on", say("入账日期", "Booked on"), bookedOn), field("booking", say("入账状态", "Booking"), booking)),
    element("button", { type: "submit" }, say("签名并入账", "Sign and settle")),
  );
  const releaseForm = element(
    "form",
    { id: "release-form" },
    element("h3", {}, say("释放", "Release")),
    element("div", { class: "row" }, field("reason", say("原因", "Reason"), reason)),
    element("button", { type: "submit", class: "quiet" }, say("签名并释放", "Sign and release")),
  );
  settleForm.addEventListener("submit", (event) => {
    event.preventDefault();
    settle({ voucher: voucher.value.trim(), bookedOn: bookedOn.value, booking: booking.value });
  });
  releaseForm.addEventListener("submit", (event) => {
    event.preventDefault();
    release({ reason: reason.value.trim() });
  });
  return element("div", {}, settleForm, releaseForm);
}
