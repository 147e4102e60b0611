// What the page of webhooks shows.

import { codeText, EVENTS } from "./push-words.js";
import { element, say } from "./words.js";

/** A time of the contract as people read it, to the second. */
function readable(time) {
  return time.slice(0, 19).replace("T", " ");
}

function field(id, label, input) {
  return element("div", {}, element("label", { for: id }, label), input);
}

/** The form that adds an endpoint or changes the one of the same name. */
export function endpointForm(act) {
  const id = element("input", { id: "new-id", required: true, maxlength: "32", pattern: "[a-z0-9\\-]{1,32}", autocomplete: "off" });
  const url = element("input", { id: "new-url", required: true, maxlength: "1024", type: "url", autocomplete: "off", placeholder: "https://" });
  const description = element("input", { id: "new-description", maxlength: "200", autocomplete: "off" });
  const boxes = EVENTS.map(([kind, zh, en]) => {
    const box = element("input", { type: "checkbox", id: `event-${kind}`, value: kind });
    return element("li", {}, box, " ", element("label", { for: `event-${kind}`, class: "inline" }, say(zh, en)));
  });
  const form = element(
    "form",
    { id: "endpoint-form" },
    element("h2", {}, say("新增或修改推送地址", "Add or change an endpoint")),
    element(
      "div",
      { class: "row" },
      field("new-id", say("名称（a-z、0-9、-）", "Name (a-z 0-9 -)"), id),
      field("new-url", say("接收地址（https）", "URL (https)"), url),
      field("new-description", say("说明（可不填）", "Description, if any"), description),
    ),
    element(
      "fieldset",
      {},
      element("legend", {}, say("推送哪些事件（全不选即全部）", "Which events (none chosen: all)")),
      element("ul", { class: "choices" }, ...boxes),
    ),
    element("button", { type: "submit" }, say("签名并保存", "Sign and save")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const events = [...form.querySelectorAll("fieldset input:checked")].map((box) => box.value);
    act({ id: id.value.trim(), url: url.value.trim(), description: description.value.trim(), events });
  });
  return form;
}

/** The secret, which is not shown again. */
export function secretBox(id, secret, oldUntil) {
  return element(
    "section",
    { id: "secret-box", class: "box warn", "aria-label": say("签名密钥", "Secret") },
    element("p", {}, say(`${id} 的密钥，只显示这一次，请立即存入接收服务器：`, `The secret of ${id}, shown this once: put it into your server now.`)),
    element("p", {}, element("code", { id: "secret" }, secret)),
    oldUntil ? element("p", {}, say(`旧密钥在 ${readable(oldUntil)} 前仍同时签名。`, `The old secret signs beside it until ${readable(oldUntil)}.`)) : null,
  );
}

function outcome(attempt) {
  const parts = [];
  if (attempt.status) parts.push(`HTTP ${attempt.status}`);
  parts.push(`${attempt.duration_ms} ms`);
  if (attempt.reason) parts.push(codeText(attempt.reason));
  return parts.join(" · ");
}

/** What came of a test message. */
export function testBox(id, tested) {
  return element(
    "section",
    { id: "test-box", class: `box ${tested.delivered ? "good" : "bad"}`, "aria-label": say("测试结果", "Result of the test") },
    element("p", {}, `${id}: `, outcome(tested)),
    element("p", { class: "note" }, element("code", {}, tested.message)),
    tested.answer ? element("pre", { class: "record" }, tested.answer) : null,
  );
}

/** Gives a row of the list its buttons. */
export function rowActions(row, id, state, actions) {
  const button = (name, text, run, quiet = true) => {
    const made = element("button", { type: "button", class: quiet ? "quiet" : "", "data-action": name, "aria-label": `${text} ${id}` }, text);
    made.addEventListener("click", run);
    return made;
  };
  const removal = button("remove", say("删除", "Remove"), () => {
    // A second press on another button: nothing is removed by a slip.
    const sure = button("remove-sure", say("确认删除", "Really remove"), actions.remove, false);
    removal.replaceWith(sure);
    sure.focus();
  });
  const buttons = [
    button("test", say("测试", "Test"), actions.test),
    button("deliveries", say("投递记录", "Deliveries"), actions.deliveries),
    state === "active" ? null : button("enable", say("启用并重试", "Enable, try now"), actions.enable),
    button("rotate", say("更换密钥", "New secret"), actions.rotate),
    removal,
  ];
  const cell = row.querySelector("td");
  cell.querySelector("div").append(element("div", { class: "actions" }, ...buttons.filter(Boolean)));
}

/** A page of deliveries with their attempts. */
export function deliveryTable(id, page, actions) {
  const rows = page.deliveries.map((delivery) => {
    const attempts = delivery.attempts.map((attempt) => element("li", {}, `${readable(attempt.at)} · ${outcome(attempt)}`));
    const next = delivery.next ? element("p", { class: "note" }, say(`下次重试：${readable(delivery.next)}`, `Tried again: ${readable(delivery.next)}`)) : null;
    const again = element("button", { type: "button", class: "quiet", "data-after": String(delivery.height - 1), "aria-label": say(`由此重放：高度 ${delivery.height}`, `Replay from here: height ${delivery.height}`) }, say("由此重放", "Replay from here"));
    again.addEventListener("click", () => actions.replay(delivery.height - 1));
    const tag = element("span", { class: `tag ${delivery.delivered ? "good" : "warn"}` }, delivery.delivered ? say("已送达", "taken") : say("未送达", "not taken"));
    const cell = (label, ...children) => element("td", { "data-label": label }, element("div", {}, ...children));
    return element(
      "tr",
      { "data-message": delivery.id, "data-delivered": String(delivery.delivered) },
      cell(say("事件", "Event"), element("code", {}, delivery.event), " ", tag),
      cell(say("高度", "Height"), String(delivery.height)),
      cell(say("消息编号", "Message id"), element("code", {}, delivery.id)),
      cell(say(`尝试（${delivery.attempts_total}）`, `Attempts (${delivery.attempts_total})`), element("ol", { class: "attempts" }, ...attempts), next),
      cell(say("操作", "Action"), again),
    );
  });
  const heads = [say("事件", "Event"), say("高度", "Height"), say("消息编号", "Message id"), say("尝试", "Attempts"), say("操作", "Action")];
  const table = element(
    "table",
    { class: "stack" },
    element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...rows),
  );
  const again = element("button", { type: "button", class: "quiet", id: "deliveries-again" }, say("刷新", "Refresh"));
  again.addEventListener("click", actions.again);
  const next = page.next ? element("button", { type: "button", class: "quiet", id: "deliveries-next" }, say("更早的", "Earlier ones")) : null;
  next?.addEventListener("click", actions.next);
  return element(
    "section",
    { id: "deliveries", "aria-labelledby": "deliveries-title" },
    element("h2", { id: "deliveries-title", tabindex: "-1" }, say(`${id} 的投递记录`, `Deliveries of ${id}`)),
    rows.length > 0 ? table : element("p", { class: "note" }, say("还没有。", "There are none yet.")),
    element("p", {}, again, " ", next),
  );
}
