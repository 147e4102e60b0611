// What is chosen in a table by its boxes: choosing all or none, and what it comes to.

import { fen, spellFen } from "./paper.js";
import { element, say } from "./words.js";

/** How many are chosen and what they come to, in words. */
function chosenWords(count, sum) {
  return say(`已选 ${count} 张，合计 ${sum} 元`, `${count} chosen, ${sum} yuan in all`);
}

/** Buttons that choose all or none of some boxes, beside what they come to. */
export function chooser(id, boxes) {
  const choose = (checked) => () => {
    for (const box of boxes()) {
      box.checked = checked;
      box.dispatchEvent(new Event("change", { bubbles: true }));
    }
  };
  const button = (checked, name, text) => {
    const made = element("button", { type: "button", class: "quiet", id: `${id}-${name}` }, text);
    made.addEventListener("click", choose(checked));
    return made;
  };
  return element(
    "div",
    { class: "row" },
    element("p", { id: `${id}-sum`, role: "status" }),
    button(true, "all", say("全选", "Choose all")),
    button(false, "none", say("全不选", "Choose none")),
  );
}

/** Says what the chosen boxes of a table come to; amounts that are none count as nothing. */
export function sumUp(table, place) {
  const told = document.getElementById(place);
  if (!told) return;
  const rows = [...document.querySelectorAll(`#${table} tbody tr`)].filter((row) => row.querySelector("input[type=checkbox]:checked:enabled"));
  const sum = rows.reduce((sum, row) => sum + (fen(row.querySelector("input.amount")?.value.trim()) ?? 0n), 0n);
  told.replaceChildren(chosenWords(rows.length, spellFen(sum)));
}
