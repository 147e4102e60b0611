// The signing key of this page: held in memory, never stored, never sent.

import { KeyFileError, readKeyFile } from "./der.js";
import { kidOf } from "./sm2.js";
import { say } from "./words.js";

let held = null;

/** The key that was opened in this page: `secret`, `publicKey`, `kid`; null before. */
export function heldKey() {
  return held;
}

/** Forgets the key. */
export function forgetKey() {
  held = null;
}

/** Opens a key file that its holder chose, and holds the key. */
export async function openKeyFile(file, passphrase) {
  if (file.size > 16 * 1024) throw new KeyFileError("form");
  const key = await readKeyFile(await file.text(), passphrase);
  held = { ...key, kid: kidOf(key.publicKey) };
  return held;
}

/** Why a key file could not be opened, in words. */
export function keyFileWords(error) {
  const words = {
    form: say("这不是 PKCS#8 格式的私钥文件（.pem）。", "This is not a private key file in PKCS#8 (.pem)."),
    not_sm2: say("文件里的密钥不是 SM2 密钥。", "The key in the file is not an SM2 key."),
    passphrase_needed: say("密钥文件已加密，请输入口令。", "The key file is encrypted: enter its passphrase."),
    no_decryption_here: say(
      "密钥文件已加密，而浏览器只在 https 或本机地址下提供解密功能。请改用 https 地址打开本站。",
      "The key file is encrypted, and browsers decrypt only under https or on this machine's own address. Open this site by https.",
    ),
    decryption: say("口令错误，或加密算法不受支持。", "Wrong passphrase, or an encryption that is not supported."),
  };
  return words[error.code];
}
