// A demonstration node of the real program, and members who send records to it.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { authorization } from "../assets/api.js";
import { utf8 } from "../assets/bytes.js";
import { readKeyFile } from "../assets/der.js";
import { envelope, recordBytes, recordId } from "../assets/envelope.js";
import { kidOf } from "../assets/sm2.js";

const PROGRAM =
  process.env.PIAOLIAN_TAX_NODE ??
  new URL("../../target/debug/tax-node", import.meta.url).pathname;
const START_MS = 60_000;

/** Starts a node on a free port with data of its own and perhaps more options; `stop` ends it and removes them. */
export async function startDemo(...more) {
  const folder = mkdtempSync(join(tmpdir(), "piaolian-pages-"));
  const data = join(folder, "data");
  const arguments_ = ["--lang", "en", "demo", "--data", data, "--listen", "127.0.0.1:0", "--no-story", ...more];
  const node = spawn(PROGRAM, arguments_, { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  const base = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no address after ${START_MS} ms:\n${said}`)), START_MS);
    const listen = (chunk) => {
      said += chunk;
      const found = /http:\/\/127\.0\.0\.1:[0-9]+/.exec(said);
      if (found) {
        clearTimeout(timer);
        resolve(found[0]);
      }
    };
    node.stdout.on("data", listen);
    node.stderr.on("data", listen);
    node.on("error", reject);
    node.on("exit", (code) => reject(new Error(`the node ended (${code}):\n${said}`)));
  });
  const stop = async () => {
    const ended = new Promise((resolve) => node.once("exit", resolve));
    node.kill("SIGINT");
    await ended;
    rmSync(folder, { recursive: true });
  };
  try {
    const members = JSON.parse(readFileSync(join(data, "members.json"), "utf8"));
    const cast = [];
    for (const member of members) {
      const path = join(data, member.key_file);
      const key = await readKeyFile(readFileSync(path, "utf8"));
      cast.push({ ...member, path, key: { ...key, kid: kidOf(key.publicKey) } });
    }
    const genesis = new Uint8Array(readFileSync(join(data, "genesis.json")));
    const chainId = JSON.parse(new TextDecoder().decode(genesis)).chain_id;
    /** The n-th member with a role, from 0. */
    const member = (role, n = 0) => cast.filter((one) => one.roles.includes(role))[n];
    /** Sends a record in a member's name; the status and the answer's text. */
    const send = async (by, type, members, id = recordId("t")) => {
      const record = recordBytes(type, id, by.id, members);
      return post(base, envelope(by.key, chainId, record));
    };
    /** What the node answers to a member's signed question, as bytes. */
    const get = async (by, path) => {
      const headers = { Authorization: authorization(by.key, "GET", path, new Uint8Array()), "Accept-Language": "zh-CN" };
      const response = await fetch(base + path, { headers });
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return Buffer.from(await response.arrayBuffer());
    };
    /** A document printed by the node in a format, as bytes. */
    const paper = (by, key, format) => get(by, `/v1/documents/${key}/paper?format=${format}`);
    return { base, folder, data, genesis, chainId, member, send, get, paper, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Hands in an envelope's bytes. */
export async function post(base, body) {
  const headers = { "Content-Type": "application/json", "Accept-Language": "en" };
  const response = await fetch(`${base}/v1/records`, { method: "POST", headers, body });
  return { status: response.status, text: await response.text() };
}

/** Today in UTC+8, the day of block time. */
export function today() {
  return new Date(Date.now() + 28_800_000).toISOString().slice(0, 10);
}

let numbers = 0;

/** An invoice of 1,000.00 and 6 % tax from one member to another. */
export function invoice(seller, buyer) {
  numbers += 1;
  const number = `2644200000${String(Date.now() % 1_000_000).padStart(6, "0")}${String(numbers).padStart(4, "0")}`;
  return {
    number,
    kind: "82",
    issue_date: today(),
    seller: { id: seller.id, name: seller.name },
    buyer: { id: buyer.id, name: buyer.name },
    lines: [{ name: "*信息技术服务*软件服务费", amount: "1000.00", tax_rate: "0.06", tax: "60.00" }],
    total_without_tax: "1000.00",
    total_tax: "60.00",
    total: "1060.00",
  };
}

/** A medical bill of 100.00 yuan, of which the patient bore 60.00. */
export function bill(hospital) {
  numbers += 1;
  return {
    code: "33010226",
    number: `${String(Date.now() % 1_000_000).padStart(6, "0")}${String(numbers).padStart(4, "0")}`,
    check_code: "a1B2c3",
    issue_date: today(),
    issuer: { id: hospital.id, name: hospital.name },
    visit: "outpatient",
    items: [{ name: "西药费", amount: "100.00" }],
    total: "100.00",
    payment: { fund: "40.00", other: "0.00", account: "20.00", cash: "40.00", self_pay: "30.00", self_fund: "30.00" },
  };
}

/** A text as bytes, for a receipt that was answered. */
export const bytes = utf8;
