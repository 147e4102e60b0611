// Calls of the interface: signed by the page's key, or by the session for what only reads.

import { concat, toBase64, toHex, utf8 } from "./bytes.js";
import { sign } from "./sm2.js";
import { say } from "./words.js";

/** An answer that is not "yes": the problem document of RFC 9457, in the reader's language. */
export class Problem extends Error {
  constructor(status, document, retryAfterSeconds = 0) {
    super(document.detail || document.title || String(status));
    this.status = status;
    this.code = document.code || "";
    this.document = document;
    /** Seconds after which asking again makes sense; 0 when the server does not say. */
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** What to tell the reader: the detail, and each error with the place that it is about. */
  words() {
    const errors = this.document.errors ?? [];
    const each = errors.map((error) => (error.pointer ? `${error.detail}（${error.pointer}）` : error.detail));
    return errors.length > 0 ? each.join(say("；", "; ")) : this.message;
  }
}

function language() {
  return document.documentElement.lang;
}

/** No answer, or one that broke off. */
function unreachable() {
  return new Problem(0, { code: "unreachable", detail: say("无法连接服务器。", "The server cannot be reached.") });
}

async function answer(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, credentials: "same-origin", redirect: "error" });
  } catch {
    throw unreachable();
  }
  if (response.ok) return response;
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // Not a problem document: the status is all there is to say.
  }
  throw new Problem(response.status, problem, Number(response.headers.get("Retry-After")) || 0);
}

/** The value of `Authorization` for a request that this key signs. */
export function authorization(key, method, pathAndQuery, body) {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const nonce = toHex(crypto.getRandomValues(new Uint8Array(16)));
  const head = utf8(`${method}\n${pathAndQuery}\n${timestamp}\n${nonce}\n`);
  const signature = toBase64(sign(key.secret, key.publicKey, concat(head, body, utf8("\n"))));
  return `SM2-WITH-SM3 kid="${key.kid}",timestamp="${timestamp}",nonce="${nonce}",signature="${signature}"`;
}

/** A question signed by the key; the response. `body` is bytes. */
export function signed(key, method, pathAndQuery, body = new Uint8Array()) {
  const headers = {
    Authorization: authorization(key, method, pathAndQuery, body),
    "Accept-Language": language(),
  };
  return answer(pathAndQuery, { method, headers, body: method === "GET" ? undefined : body });
}

/** A question of the session, or of nobody in particular; the response. */
export function ask(pathAndQuery, options = {}) {
  return answer(pathAndQuery, { ...options, headers: { "Accept-Language": language(), ...options.headers } });
}

/** Opens a session for the key. */
export function openSession(key) {
  return signed(key, "POST", "/v1/session");
}

/** Ends the session. */
export function closeSession() {
  return ask("/v1/session", { method: "DELETE" });
}

/** Hands in an envelope's bytes; the parsed answer. */
export async function submit(envelope) {
  const headers = { "Content-Type": "application/json" };
  const response = await ask("/v1/records", { method: "POST", headers, body: envelope });
  try {
    return await response.json();
  } catch {
    // What became of the records stood in the part that did not arrive.
    throw unreachable();
  }
}
