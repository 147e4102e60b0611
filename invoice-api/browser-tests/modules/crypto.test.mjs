// Digests, signatures and key files of the pages against the openssl command, both ways.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fromBigInt, fromHex, toHex, utf8 } from "../../assets/bytes.js";
import { KeyFileError, readKeyFile } from "../../assets/der.js";
import { kidOf, N, publicKeyOf, readPublicKey, sign, verify } from "../../assets/sm2.js";
import { sm3 } from "../../assets/sm3.js";
import { derSignature, rawSignature, withOpenSsl } from "./openssl.mjs";

const OPTION = "-pkeyopt distid:1234567812345678";

test("digests are those of the standard and of openssl", async (t) => {
  const abc = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
  assert.equal(toHex(sm3(utf8("abc"))), abc, "GB/T 32905-2016 A.1");
  await withOpenSsl(t, ({ openssl, write }) => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 1_100]) {
      const message = Uint8Array.from({ length }, (_, n) => (n * 7) % 256);
      write("message", message);
      assert.equal(toHex(sm3(message)), toHex(openssl("dgst -sm3 -binary message")), `${length}`);
      assert.deepEqual(sm3(message.subarray(0, 3), message.subarray(3)), sm3(message));
    }
  });
});

test("openssl verifies what the pages sign", async (t) => {
  await withOpenSsl(t, async ({ openssl, write, read }) => {
    openssl("ecparam -name SM2 -genkey -noout -out key.pem");
    openssl("pkcs8 -topk8 -nocrypt -in key.pem -out key.p8");
    openssl("pkey -in key.p8 -pubout -out public.pem");
    const key = await readKeyFile(read("key.p8").toString());
    for (let n = 0; n < 12; n += 1) {
      const message = new Uint8Array(n * 11).fill(n);
      write("message", message);
      write("signature", derSignature(sign(key.secret, key.publicKey, message)));
      openssl(
        `pkeyutl -verify -pubin -inkey public.pem -rawin -digest sm3 -in message -sigfile signature ${OPTION}`,
      );
    }
    write("message", "something else");
    assert.throws(() =>
      openssl(
        `pkeyutl -verify -pubin -inkey public.pem -rawin -digest sm3 -in message -sigfile signature ${OPTION}`,
      ),
    );
  });
});

test("the pages verify what openssl signs, and no byte of it may change", async (t) => {
  await withOpenSsl(t, async ({ openssl, write, read }) => {
    openssl("ecparam -name SM2 -genkey -noout -out key.pem");
    openssl("pkcs8 -topk8 -nocrypt -in key.pem -out key.p8");
    const { publicKey } = await readKeyFile(read("key.p8").toString());
    const message = utf8("票链");
    write("message", message);
    openssl(`pkeyutl -sign -inkey key.p8 -rawin -digest sm3 -in message -out signature ${OPTION}`);
    const signature = rawSignature(read("signature"));
    assert.ok(verify(publicKey, message, signature));
    assert.ok(!verify(publicKey, utf8("票鏈"), signature));
    for (let at = 0; at < 64; at += 1) {
      const changed = Uint8Array.from(signature);
      changed[at] ^= 1;
      assert.ok(!verify(publicKey, message, changed), `byte ${at}`);
    }
    const zero = new Uint8Array(32);
    for (const [r, s] of [[zero, zero], [fromBigInt(N, 32), signature.subarray(32)], [signature.subarray(0, 32), zero]]) {
      assert.ok(!verify(publicKey, message, Uint8Array.from([...r, ...s])));
    }
    assert.ok(!verify(publicKey, message, signature.subarray(1)));
  });
});

test("a kid and a public key are those of the published example", () => {
  // GB/T 32918.5-2017 annex A: the private key and its point.
  const secret = 0x3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8n;
  const point =
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020" +
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13";
  const publicKey = publicKeyOf(secret);
  assert.equal(toHex(publicKey), point);
  assert.equal(kidOf(publicKey), toHex(sm3(fromHex(point))).slice(0, 32));
  for (const bad of [0n, N - 1n, N]) assert.throws(() => publicKeyOf(bad));
  const off = Uint8Array.from(publicKey);
  off[64] ^= 1;
  assert.throws(() => readPublicKey(off));
  assert.throws(() => readPublicKey(publicKey.subarray(0, 33)));
});

test("two signatures of one message differ and both hold", () => {
  const publicKey = publicKeyOf(7n);
  const [one, two] = [sign(7n, publicKey, utf8("x")), sign(7n, publicKey, utf8("x"))];
  assert.notDeepEqual(one, two);
  assert.ok(verify(publicKey, utf8("x"), one) && verify(publicKey, utf8("x"), two.subarray(0, 64)));
});

test("key files of openssl open with their passphrase and not without", async (t) => {
  await withOpenSsl(t, async ({ openssl, read }) => {
    openssl("ecparam -name SM2 -genkey -noout -out key.pem");
    openssl("pkcs8 -topk8 -nocrypt -in key.pem -out plain.p8");
    openssl("pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 2048 -passout pass:开门 -in key.pem -out sealed.p8");
    const plain = await readKeyFile(read("plain.p8").toString());
    const sealed = read("sealed.p8").toString();
    assert.equal((await readKeyFile(sealed, "开门")).secret, plain.secret);
    const refused = (text, passphrase, code) =>
      assert.rejects(readKeyFile(text, passphrase), (error) => {
        assert.ok(error instanceof KeyFileError);
        assert.equal(error.code, code);
        return true;
      });
    await refused(sealed, "", "passphrase_needed");
    await refused(sealed, "开们", "decryption");
    await refused("hello", "", "form");
    await refused(plain.toString(), "", "form");
    openssl("ecparam -name prime256v1 -genkey -noout -out other.pem");
    openssl("pkcs8 -topk8 -nocrypt -in other.pem -out other.p8");
    await refused(read("other.p8").toString(), "", "not_sm2");
    openssl("pkcs8 -topk8 -v2 aes-128-cbc -passout pass:a -in key.pem -out weak.p8");
    await refused(read("weak.p8").toString(), "a", "decryption");
    // A file with a byte changed anywhere is refused or holds the same key.
    const bytes = Buffer.from(read("plain.p8").toString().split("\n").slice(1, -2).join(""), "base64");
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] ^= 1;
      const text = `-----BEGIN PRIVATE KEY-----\n${changed.toString("base64")}\n-----END PRIVATE KEY-----\n`;
      const read = await readKeyFile(text).catch((error) => error);
      if (!(read instanceof KeyFileError)) {
        assert.equal(at, 5, "only the version's last bit says nothing about the key");
        assert.equal(read.secret, plain.secret);
      }
    }
  });
});
