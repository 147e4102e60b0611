// The documents that a clerk dropped, each once, however many files it came in.

import { fen } from "./paper.js";
import { isUnanswered } from "./unanswered.js";
import { say } from "./words.js";

/** Formats in which people type what is on a document. */
const TYPED = new Set(["csv"]);

/** The documents by key; what has no key yet is listed by the file that it came in. */
export class Worklist {
  entries = new Map();

  /**
   * Adds what a file says of a document. The same key from another file is the same document;
   * files that say different things of it are remembered as disagreeing.
   */
  add(file, format, document, warnings = []) {
    const key = document.document;
    const entry = this.entries.get(key) ?? { key, files: [], disagree: new Set(), warnings: [], typed: new Set(), state: "new" };
    const known = this.entries.has(key);
    const before = known && JSON.stringify(checkItem(entry));
    this.entries.set(key, entry);
    const typed = TYPED.has(format);
    entry.files.push({ name: file, format });
    entry.warnings.push(...warnings);
    for (const name of ["amount", "date", "check_code", "seller", "buyer"]) {
      const value = document[name]?.name ?? document[name];
      if (!value) continue;
      const same = entry[name] && sameValue(name, entry[name], value);
      if (known && entry[name] && !same) entry.disagree.add(name);
      // What a document itself says counts more than what somebody typed, and another file more
      // than what the registry has found to be wrong.
      const better = (!typed && entry.typed.has(name)) || entry.differs?.includes(name);
      if (!entry[name] || (better && !same)) entry[name] = value;
      else if (!same || typed) continue;
      if (typed) entry.typed.add(name);
      else entry.typed.delete(name);
    }
    // An item that was compared as it was found gives way to a file that has the elements.
    if (known && !typed && document.amount && document.date) entry.item = undefined;
    if (known && !entry.claim && JSON.stringify(checkItem(entry)) !== before) entry.state = "new";
    return entry;
  }

  /** The entries that were not compared with the registry yet, or have to be again. */
  unchecked() {
    return [...this.entries.values()].filter((entry) => entry.state === "new");
  }
}

function sameValue(name, a, b) {
  return name === "amount" ? fen(a) === fen(b) : a === b;
}

/** The item by which an entry is compared. */
export function checkItem(entry) {
  if (entry.item) return entry.item;
  const item = { document: entry.key };
  for (const name of ["amount", "date", "check_code"]) {
    if (entry[name]) item[name] = entry[name];
  }
  return item;
}

const NAMES = {
  amount: ["金额", "amount"],
  date: ["日期", "date"],
  check_code: ["校验码", "check code"],
  seller: ["销售方", "seller"],
  buyer: ["购买方", "buyer"],
};

/** Names of elements, in words. */
export function elementNames(names) {
  return [...names].map((name) => (NAMES[name] ? say(...NAMES[name]) : name)).join(say("、", ", "));
}

/** Class and words of an entry's verdict: what it is, and the reason. */
export function verdictWords(entry) {
  const nothing = entry.claimable !== undefined && fen(entry.claimable) === 0n;
  switch (entry.verdict) {
    case "claimable":
      return nothing
        ? ["warn", say("真实，不归贵单位报销", "genuine, not yours to claim"), say("抬头不是贵单位，贵单位也没有分割份额。", "It is not made out to your organisation, and you hold no share of it.")]
        : ["good", say("真实，可报销", "genuine, claimable"), say(`可报销 ${entry.claimable} 元，全部未用。`, `${entry.claimable} yuan are free, nothing is used.`)];
    case "partly_claimed":
      return nothing
        ? ["warn", say("真实，无余额可用", "genuine, nothing free for you"), say("已部分报销、锁定或红冲，贵单位没有可用余额。", "Partly reimbursed, locked or reversed; nothing is free for your organisation.")]
        : ["warn", say("真实，部分可报销", "genuine, partly claimable"), say(`已部分报销、锁定或红冲，尚可报销 ${entry.claimable} 元。`, `Partly reimbursed, locked or reversed; ${entry.claimable} yuan are free.`)];
    case "claimed":
      return ["bad", say("已被报销", "taken"), say("金额已全部报销，不能再报。", "All of it is reimbursed already.")];
    case "locked":
      return ["bad", say("报销中", "taken"), say("可报销的金额都已被锁定。", "Everything that could be claimed is locked.")];
    case "reversed":
      return ["bad", say("已红冲", "reversed"), say("票据已全部红冲，不能报销。", "The document was reversed as a whole.")];
    case "frozen":
      return ["bad", say("已冻结", "frozen"), say("主管机关已冻结此票据。", "An authority froze the document.")];
    case "mismatch":
      return ["bad", say("与登记不符", "mismatch"), say(`号码存在，但不同的是：${elementNames(entry.differs ?? [])}。票面可能被改过。`, `The number exists, but this differs: ${elementNames(entry.differs ?? [])}. The paper may have been altered.`)];
    case "not_found":
      return ["bad", say("查无此票", "not found"), say("没有登记，或给出的信息不足（号码、金额、日期，医疗票据还需校验码）。", "Not recorded, or not enough was given (number, amount, date, and the check code of a bill).")];
    default:
      return ["plain", say("未查验", "not checked"), entry.trouble ?? ""];
  }
}

/** Whether something of an entry can be locked: nothing is signed about what waits for an answer. */
export function isLockable(entry) {
  const free = fen(entry.claimable);
  const usable = ["claimable", "partly_claimed"].includes(entry.verdict) && free !== null && free > 0n;
  return usable && !entry.claim && !isUnanswered(entry.key);
}
