// The page of webhooks: add an endpoint, see its secret once, test it, look at deliveries, replay.

import { ask, Problem, signed } from "./api.js";
import { utf8 } from "./bytes.js";
import { codeText } from "./push-words.js";
import { deliveryTable, endpointForm, rowActions, secretBox, testBox } from "./push-view.js";
import { keyBar } from "./key-bar.js";
import { heldKey } from "./keys.js";
import { element, say } from "./words.js";

const place = document.getElementById("push");
const status = element("p", { id: "push-status", role: "status", class: "message" });
const shown = element("div", { id: "shown" });
let member = null;

function tell(text) {
  status.replaceChildren(text);
}

/** The page's key; the reader is told when there is none. */
function key() {
  const held = heldKey();
  if (held) return held;
  tell(say("请先在上方打开签名密钥。", "Open the signing key above first."));
  document.getElementById("bar-key-file")?.focus();
  return null;
}

/** Runs an action of the reader's; what goes wrong is told in words. */
async function act(action) {
  place.setAttribute("aria-busy", "true");
  try {
    await action();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    const reason = error.document.facts?.reason;
    tell(reason ? `${error.words()} ${codeText(reason)}` : error.words());
  } finally {
    place.removeAttribute("aria-busy");
  }
}

const path = (id, what = "") => `/v1/webhooks/${encodeURIComponent(id)}${what}`;

/** A signed request; its status and parsed answer, null when the page has no key. */
async function order(method, address, body) {
  const held = key();
  if (!held) return null;
  const bytes = body === undefined ? new Uint8Array() : utf8(JSON.stringify(body));
  const response = await signed(held, method, address, bytes);
  return { status: response.status, answer: response.status === 204 ? null : await response.json() };
}

async function add(values) {
  const body = { url: values.url };
  if (values.events.length > 0) body.events = values.events;
  if (values.description) body.description = values.description;
  const made = await order("PUT", path(values.id), body);
  if (!made) return;
  const created = made.status === 201;
  shown.replaceChildren(...(created ? [secretBox(values.id, made.answer.secret)] : []));
  await reload();
  const done = created
    ? say(`已新增 ${values.id}。`, `${values.id} was added.`)
    : say(`已修改 ${values.id}；密钥未变，不再显示。`, `${values.id} was changed; its secret is as before and not shown.`);
  tell(done + disabledWords(made.answer));
}

/** What is to be said of an endpoint that is changed while it is disabled. */
function disabledWords(endpoint) {
  if (endpoint.state !== "disabled") return "";
  return say("该推送地址已停用，不会推送：请启用。", " It is disabled and nothing is sent: enable it.");
}

async function test(id) {
  tell(say("正在发送测试消息…", "Sending a test message…"));
  const tested = await order("POST", path(id, "/test"));
  if (!tested) return;
  shown.replaceChildren(testBox(id, tested.answer));
  tell(tested.answer.delivered ? say("测试消息已送达。", "The test message was taken.") : say("测试消息未送达。", "The test message was not taken."));
}

async function rotate(id) {
  const rotated = await order("POST", path(id, "/secret"));
  if (!rotated) return;
  shown.replaceChildren(secretBox(id, rotated.answer.secret, rotated.answer.old_secret_until));
  tell(say("已更换密钥。", "The secret was replaced."));
}

async function enable(id) {
  if (!(await order("POST", path(id, "/enable")))) return;
  await reload();
  tell(say("已启用，即将重试。", "Enabled; tried shortly."));
}

async function replay(id, after) {
  const moved = await order("POST", path(id, "/replay"), { after });
  if (!moved) return;
  await reload();
  const done = say(`将重新推送高度 ${moved.answer.cursor} 之后的事件。`, `Events after height ${moved.answer.cursor} are sent again.`);
  tell(done + disabledWords(moved.answer));
}

async function remove(id) {
  if (!(await order("DELETE", path(id)))) return;
  shown.replaceChildren();
  await reload();
  tell(say(`已删除 ${id}。`, `${id} was removed.`));
}

/** Shows the deliveries of an endpoint, page by page. */
async function deliveries(id, cursor = "") {
  const page = await (await ask(path(id, `/deliveries?cursor=${cursor}`))).json();
  const table = deliveryTable(id, page, {
    again: () => act(() => deliveries(id)),
    next: () => act(() => deliveries(id, page.next)),
    replay: (after) => act(() => replay(id, after)),
  });
  tell("");
  await reload();
  shown.replaceChildren(table);
  table.querySelector("h2").focus();
}

/** Takes the list from the server anew: it is the server's, not this page's memory. */
async function reload() {
  const response = await ask(location.pathname + location.search);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.getElementById("endpoints");
  if (fresh) document.getElementById("endpoints").replaceWith(document.adoptNode(fresh));
  dress();
}

function dress() {
  for (const row of document.querySelectorAll("#endpoints tr[data-endpoint]")) {
    const { endpoint: id, state } = row.dataset;
    const actions = {
      test: () => act(() => test(id)),
      deliveries: () => act(() => deliveries(id)),
      rotate: () => act(() => rotate(id)),
      enable: () => act(() => enable(id)),
      remove: () => act(() => remove(id)),
    };
    rowActions(row, id, state, actions);
  }
}

async function start() {
  ({ member } = await (await ask("/v1/session")).json());
  const bar = keyBar(async (now) => {
    if (now.member === member) return;
    member = now.member;
    shown.replaceChildren();
    await reload();
  });
  place.replaceChildren(bar, endpointForm((values) => act(() => add(values))), status, shown);
  dress();
}

await act(start);
