// The box that offers to send signed records again that got no answer.

import { element, say } from "./words.js";

/** Makes the box, hidden; `show(count)` shows it for so many records, and hides it at 0. */
export function againBox(sendAgain) {
  const words = element("p", { role: "status" });
  const button = element("button", { type: "button", id: "send-again" }, say("原样重发", "Send the same again"));
  button.addEventListener("click", sendAgain);
  const box = element("div", { class: "box warn", id: "unanswered", hidden: true }, words, button);
  const show = (count) => {
    box.hidden = count === 0;
    words.textContent = say(
      `${count} 条已签名的记录还没有结果。原样重发是安全的，不会重复记入；得到结果之前，请不要关闭本页，也不能对同一事项另行签名。`,
      `Signed records without an outcome yet: ${count}. Sending the same again is safe: nothing counts twice. Until it is known, keep this page open; nothing else can be signed about the same thing.`,
    );
  };
  return { box, show };
}
