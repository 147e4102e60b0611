// The public page for those who are a party to the document: the whole of it, as files.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { openBrowser, Reader, VIEWS } from "../browser.mjs";
import { invoice, startDemo } from "../demo.mjs";

let demo;
let chromium;
before(async () => {
  demo = await startDemo();
  chromium = await openBrowser();
});
after(async () => {
  await chromium?.close();
  await demo?.stop();
});

/** Issues an invoice; its key, elements and record. */
async function issued() {
  const seller = demo.member("merchant");
  const document = invoice(seller, demo.member("employer"));
  const { status, text } = await demo.send(seller, "invoice.issue", { invoice: document });
  assert.equal(status, 201, text);
  const { record } = JSON.parse(text);
  return { key: `D:${document.number}`, elements: `amount=1060.00&date=${document.issue_date}`, date: document.issue_date, record };
}

/** Writes the record that is attached to a PDF or an OFD, with nothing but Python's own library. */
const ATTACHED = `
import re, sys, zipfile, zlib
path, kind = sys.argv[1:]
if kind == "ofd":
    found = zipfile.ZipFile(path).read("Doc_0/Attachs/record.json")
else:
    streams = re.findall(rb"(?<!end)stream\\r?\\n(.*?)\\r?\\nendstream", open(path, "rb").read(), re.S)
    def inflated(data):
        try:
            return zlib.decompress(data)
        except zlib.error:
            return data
    texts = [text for text in map(inflated, streams) if text.startswith(b'{"') and b'"inclusion"' not in text]
    assert len(texts) == 1, texts
    found = texts[0]
sys.stdout.buffer.write(found)
`;

test("whoever is signed in as a party finds the whole document, and nobody else does", async () => {
  const paper = await issued();
  const papers = async (member) => {
    const reader = await Reader.arrive(chromium.browser, demo.base, VIEWS[1]);
    await reader.go("/sign-in");
    await reader.upload("#key-file", member.path);
    await reader.page.click("#submit");
    await reader.until("#key-state", member.kid);
    await reader.go(`/v/${paper.key}?${paper.elements}`);
    const links = await reader.page.$$eval("main a[download]", (all) => all.map((link) => link.getAttribute("href")));
    for (const link of links.filter((one) => one.includes("/paper?"))) {
      const [status, kind, file] = await reader.page.evaluate(async (address) => {
        const answer = await fetch(address);
        const bytes = new Uint8Array(await answer.arrayBuffer());
        return [answer.status, answer.headers.get("content-type"), Array.from(bytes)];
      }, link);
      assert.equal(`${status} ${kind}`, `200 application/${link.slice(-3)}`);
      // What was downloaded is the document: the node reads it back, and its record is in it.
      const read = await reader.page.evaluate(async (bytes) => {
        const answer = await fetch("/v1/papers", { method: "POST", body: new Uint8Array(bytes) });
        return answer.json();
      }, file);
      assert.equal(read.format, link.slice(-3));
      const [{ document, amount, date, tier }] = read.documents;
      assert.deepEqual({ document, amount, date, tier }, { document: paper.key, amount: "1060.00", date: paper.date, tier: "attachment" });
      const name = join(demo.folder, `downloaded.${read.format}`);
      writeFileSync(name, Buffer.from(file));
      const found = execFileSync("python3", ["-c", ATTACHED, name, read.format]).toString();
      assert.equal(found, paper.record, `${read.format}: the record, byte for byte`);
    }
    await reader.look(`check-party-${member.roles[0]}`);
    await reader.leave();
    return links;
  };
  const statement = `/v/${paper.key}?${paper.elements}&download=statement`;
  const own = `/v1/documents/${paper.key}`;
  assert.deepEqual(await papers(demo.member("employer")), [statement, `${own}/paper?format=pdf`, `${own}/paper?format=ofd`, own]);
  assert.deepEqual(await papers(demo.member("employer", 1)), [statement]);
});
