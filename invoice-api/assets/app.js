// The clerk's page: drop files, see each document's state, lock, settle, release.

import { expiryAfter, isAccepted, lockRecord, OutcomeUnknown, releaseRecord, settleRecord, signedParts } from "./actions.js";
import { againBox } from "./again-box.js";
import { ask, Problem } from "./api.js";
import { codeWords } from "./catalogue.js";
import { blockTime, CHECK_ITEMS_MAX, checkPart } from "./checks.js";
import { sumUp } from "./chosen.js";
import { BATCH_RECORDS_MAX, clock } from "./envelope.js";
import { readFile } from "./intake.js";
import { FILES_MAX, papersAmong, pathOf } from "./folders.js";
import { keyBar } from "./key-bar.js";
import { heldKey } from "./keys.js";
import { claimChooser, claimForms, closable, closingValues, documentTable, dropPlace, lockForm, selectable } from "./app-view.js";
import { findOwn } from "./own.js";
import { delivery, isUnanswered, send, unanswered } from "./unanswered.js";
import { element, say } from "./words.js";
import { checkItem, isLockable, Worklist } from "./worklist.js";

const place = document.getElementById("app");
let session = null;
let list = new Worklist();
/** What runs now; one action at a time, so that nothing is signed twice. */
let running = null;
/** What is known of the records that are being sent, in words. */
let progress = "";

const status = element("p", { id: "app-status", role: "status", class: "message" });
const work = element("div", { id: "work" });
/** Stands as long as something that was sent has no answer. */
const again = againBox(() => act(sendAgain));

function tell(text) {
  status.replaceChildren(text);
}

function need(key) {
  if (key) return true;
  tell(say("请先在上方打开签名密钥。", "Open the signing key above first."));
  document.getElementById("bar-key-file")?.focus();
  return false;
}

/** Runs an action of the reader's, unless one runs already; what goes wrong is told in words. */
async function act(action) {
  if (running) return;
  running = run(action);
  try {
    await running;
  } finally {
    running = null;
  }
}

/** The same for what must not get lost: it waits for its turn. */
async function inTurn(action) {
  while (running) await running.catch(() => {});
  await act(action);
}

async function run(action) {
  const focused = document.activeElement;
  const buttons = [...document.querySelectorAll("#app button, #ledger-actions button")].filter((button) => !button.disabled);
  for (const button of buttons) button.disabled = true;
  place.setAttribute("aria-busy", "true");
  progress = "";
  try {
    await action();
  } catch (error) {
    if (error instanceof OutcomeUnknown) tellUnknown(error);
    else if (error instanceof Problem) tell([progress, error.words()].filter(Boolean).join("\n"));
    else throw error;
  } finally {
    place.removeAttribute("aria-busy");
    for (const button of buttons) button.disabled = false;
    // A button that was disabled has lost the focus.
    if (focused?.isConnected && document.activeElement === document.body) focused.focus();
  }
}

/** Sends what was signed, or what is left of it, and shows what became of it. */
async function deliver(sent) {
  try {
    await send(sent);
  } catch (error) {
    // What is known is shown; that the rest failed is what is told.
    await reloadLedger().catch(() => {});
    throw error;
  } finally {
    draw();
    again.show(unanswered().reduce((sum, { waiting }) => sum + waiting.size, 0));
  }
  await reloadLedger();
}

/** Sends the same bytes again: they get the one outcome that they have. */
async function sendAgain() {
  let failed = null;
  for (const sent of unanswered()) {
    // One that stays without an answer does not keep the others from theirs.
    await deliver(sent).catch((error) => {
      failed ??= error;
    });
  }
  if (failed) throw failed;
}

function tellUnknown({ problem }) {
  const unknown =
    problem.status === 0
      ? say("服务器没有答复，结果未知。", "The server did not answer, so the outcome is not known.")
      : say(`结果未知。${problem.words()}`, `The outcome is not known. ${problem.words()}`);
  tell([progress, unknown].filter(Boolean).join("\n"));
}

/** Whoever leaves now leaves the signed bytes behind. */
window.addEventListener("beforeunload", (event) => {
  if (unanswered().length > 0) event.preventDefault();
});

// --- Files and checks -------------------------------------------------------------------------

async function takeFiles(dropped) {
  let files;
  try {
    files = papersAmong(await dropped);
    if (files.length > FILES_MAX) throw new RangeError("files");
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    tell(say(`一次最多 ${FILES_MAX} 个文件。`, `At most ${FILES_MAX} files at once.`));
    return;
  }
  for (const [n, file] of files.entries()) {
    tell(say(`正在读取 ${n + 1}/${files.length}：${file.name}`, `Reading ${n + 1}/${files.length}: ${file.name}`));
    const found = await readFile(file);
    const name = pathOf(file);
    if (found.trouble) troubles.push({ name, text: found.trouble });
    for (const document of found.documents ?? []) {
      list.add(name, found.format, document, document.warnings);
    }
    for (const item of found.items ?? []) {
      // What has no key yet gets it from the answer of the check.
      if (item.document) list.add(name, found.format, item);
      else waiting.push({ file: name, format: found.format, item });
    }
  }
  draw();
  await check();
}

let troubles = [];
let waiting = [];

async function check() {
  const key = heldKey();
  if (!need(key)) return;
  const entries = list.unchecked();
  const asked = [...entries.map((entry) => ({ entry, item: checkItem(entry) })), ...waiting.map((one) => ({ one, item: one.item }))];
  try {
    for (let at = 0; at < asked.length; at += CHECK_ITEMS_MAX) {
      const part = asked.slice(at, at + CHECK_ITEMS_MAX);
      await checkPart(key, part, list, troubles);
      const answered = new Set(part.map(({ one }) => one));
      waiting = waiting.filter((one) => !answered.has(one));
    }
  } finally {
    draw();
  }
  await findOwn(session.member, asked.map(({ entry }) => entry).filter(Boolean));
  draw();
  const usable = [...list.entries.values()].filter(isLockable).length;
  tell(say(`共 ${list.entries.size} 张票据，其中 ${usable} 张可以锁定。`, `${list.entries.size} documents, ${usable} of them can be locked.`));
}

// --- Signed records ---------------------------------------------------------------------------

async function lock(values) {
  const key = heldKey();
  const chosen = [...list.entries.values()].filter((entry) => isLockable(entry) && entry.chosen);
  if (!need(key)) return;
  if (chosen.length === 0) {
    tell(say("没有选中可锁定的票据。", "No document that can be locked is chosen."));
    return;
  }
  const together = values.together && chosen.length > 1;
  if (together && chosen.length > BATCH_RECORDS_MAX) {
    tell(say("“全部成功才锁定”一次最多 1,000 张：请少选一些，或取消该选项。", "All or nothing works for at most 1,000 together: choose fewer, or take the tick away."));
    return;
  }
  const amounts = chosen.map((entry) => (values.kind === "reference" ? "0.00" : entry.asked));
  const records = chosen.map((entry, n) =>
    lockRecord(session.member, {
      document: entry.key,
      amount: amounts[n],
      kind: values.kind,
      reference: values.reference,
      expiresAt: clock(expiryAfter(values.days, blockTime())),
    }),
  );
  let [accepted, refused] = [0, 0];
  const told = async (results, at) => {
    for (const [n, result] of results.entries()) {
      // The list may have been made anew since it was signed.
      const entry = list.entries.get(chosen[at + n].key) ?? chosen[at + n];
      if (isAccepted(result)) {
        accepted += 1;
        entry.claim = { id: records[at + n].id, amount: amounts[at + n], kind: values.kind };
        entry.refusal = undefined;
      } else {
        refused += 1;
        entry.refusal = await codeWords(result);
      }
    }
    draw();
    progress =
      values.kind === "reference"
        ? say(`已备案 ${accepted} 张，未成 ${refused} 张。`, `${accepted} noted, ${refused} not.`)
        : say(`已锁定 ${accepted} 张，未成 ${refused} 张。`, `${accepted} locked, ${refused} not.`);
    tell(progress);
    // The next report has another number; what was refused is tried again under this one.
    if (accepted === chosen.length) forgetField("lock-reference", values.reference);
  };
  tell(say("正在签名并提交…", "Signing and sending…"));
  const parts = signedParts(key, session.chain_id, records, together);
  await deliver(delivery(parts, chosen.map(({ key: document }) => document), told));
}

/** Empties a field, unless something else was typed in the meantime. */
function forgetField(id, value) {
  const field = document.getElementById(id);
  if (field?.value.trim() === value) field.value = "";
}

/** Settles or releases the claims that are chosen in the ledger. */
async function close(values, make, done) {
  const key = heldKey();
  if (!need(key)) return;
  const rows = [...document.querySelectorAll("#ledger tr[data-claim]")].filter(
    (row) => row.querySelector("input[type=checkbox]")?.checked && !isUnanswered(row.dataset.claim),
  );
  if (rows.length === 0) {
    tell(say("请先在台账中选中已锁定的行。", "Choose locked rows of the ledger first."));
    return;
  }
  const records = rows.map(make);
  let accepted = 0;
  const refusals = [];
  const told = async (results, at) => {
    for (const [n, result] of results.entries()) {
      if (isAccepted(result)) accepted += 1;
      else refusals.push(`${rows[at + n].dataset.document}: ${await codeWords(result)}`);
    }
    progress = [done(accepted), ...refusals].join("\n");
    tell(progress);
    if (accepted === rows.length) for (const id of ["voucher", "reason"]) forgetField(id, values[id]);
  };
  tell(say("正在签名并提交…", "Signing and sending…"));
  const parts = signedParts(key, session.chain_id, records, false);
  await deliver(delivery(parts, rows.map(({ dataset }) => dataset.claim), told));
}

function settle(values) {
  return close(
    values,
    (row) =>
      settleRecord(session.member, {
        claim: row.dataset.claim,
        amount: row.querySelector("input.amount").value.trim(),
        voucher: values.voucher,
        bookedOn: values.bookedOn,
        booking: values.booking,
      }),
    (count) => say(`已入账 ${count} 笔。`, `${count} settled.`),
  );
}

function release(values) {
  return close(
    values,
    (row) => releaseRecord(session.member, { claim: row.dataset.claim, reason: values.reason }),
    (count) => say(`已释放 ${count} 笔。`, `${count} released.`),
  );
}

/** Takes the ledger from the server anew: it is the server's list, not this page's memory. */
async function reloadLedger() {
  const response = await ask(location.pathname + location.search);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.getElementById("ledger");
  // What is chosen and typed in rows that are still there stays.
  const kept = closingValues(document.getElementById("ledger"));
  if (fresh) document.getElementById("ledger").replaceWith(document.adoptNode(fresh));
  dressLedger(kept);
  // What became of the claims of this page's list.
  let changed = false;
  for (const { claim } of list.entries.values()) {
    const row = claim && document.querySelector(`#ledger tr[data-claim="${CSS.escape(claim.id)}"]`);
    if (!row || (claim.status ?? "locked") === row.dataset.status) continue;
    claim.status = row.dataset.status;
    changed = true;
  }
  if (changed) draw();
}

function dressLedger(kept = new Map()) {
  const ledger = document.getElementById("ledger");
  selectable(ledger, kept);
  if (closable(ledger).length === 0) return;
  document.getElementById("ledger-actions").replaceChildren(claimChooser(ledger), closing);
  const sum = () => sumUp("ledger", "claims-sum");
  for (const kind of ["input", "change"]) ledger.addEventListener(kind, sum);
  sum();
}

// --- The page ---------------------------------------------------------------------------------

const found = element("div", {});
const tools = element("p", {});
/** Made once for each reader: what is typed and chosen in it outlives every answer. */
let locking = null;
let closing = null;

/** Begins with an empty list and the form of whoever signs now. */
function beginList() {
  [list, troubles, waiting] = [new Worklist(), [], []];
  locking = lockForm(session.roles, (values) => act(() => lock(values)));
  work.replaceChildren(found, locking, tools);
  draw();
}

function makeClosing() {
  closing = claimForms((values) => act(() => settle(values)), (values) => act(() => release(values)));
}

function draw() {
  const entries = [...list.entries.values()];
  const shown = entries.length + troubles.length + waiting.length > 0;
  found.replaceChildren(...(shown ? [documentTable(entries, troubles)] : []));
  locking.hidden = !entries.some(isLockable);
  tools.replaceChildren();
  if (!shown) return;
  if (list.unchecked().length + waiting.length > 0) {
    const checkAgain = element("button", { type: "button", id: "check-again" }, say("查验尚未查验的票据", "Check what was not checked yet"));
    checkAgain.addEventListener("click", () => act(check));
    tools.append(checkAgain, " ");
  }
  const clear = element("button", { type: "button", class: "quiet", id: "clear" }, say("清空列表", "Clear the list"));
  clear.addEventListener("click", () => {
    beginList();
    tell("");
  });
  tools.append(clear);
  sumUp("documents", "documents-sum");
}

async function start() {
  session = await (await ask("/v1/session")).json();
  const bar = keyBar(async (now) => {
    const other = now.member !== session.member;
    session = now;
    if (other) {
      beginList();
      makeClosing();
      await reloadLedger();
    } else if (list.unchecked().length + waiting.length > 0) await inTurn(check);
  }, session);
  for (const kind of ["input", "change"]) work.addEventListener(kind, () => sumUp("documents", "documents-sum"));
  beginList();
  makeClosing();
  place.replaceChildren(bar, dropPlace((dropped) => inTurn(() => takeFiles(dropped))), status, again.box, work);
  dressLedger();
}

await act(start);
