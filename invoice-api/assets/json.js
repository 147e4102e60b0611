// JSON (RFC 8259) read strictly: nothing that two readers could understand differently gets through.

/** Why bytes or a value are not what they must be. `step` says where a verification stood. */
export class Invalid extends Error {
  constructor(where, zh, en) {
    super(`${where}: ${en}`);
    this.where = where;
    this.zh = zh;
    this.en = en;
    this.step = "form";
  }
}

/** Throws Invalid unless the condition holds. */
export function require(condition, where, zh, en) {
  if (!condition) throw new Invalid(where, zh, en);
}

/** A number by its spelling: what it may be depends on the place where it stands. */
export class JsonNumber {
  constructor(spelling) {
    this.spelling = spelling;
  }
}

/** An object: a Map of its members; `repeated` has the names that occur more than once. */
export class JsonObject extends Map {
  repeated = new Set();
}

const DEPTH_MAX = 32;
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

class Parser {
  constructor(text, lowerCaseEscapes) {
    this.text = text;
    this.at = 0;
    this.lowerCaseEscapes = lowerCaseEscapes;
  }

  fail() {
    throw new Invalid("json", `第 ${this.at} 字符处不是 JSON`, `not JSON at character ${this.at}`);
  }

  space() {
    while (" \t\n\r".includes(this.text[this.at] ?? "x")) this.at += 1;
  }

  /** Takes a character if it is the next one. */
  take(character) {
    if (this.text[this.at] !== character) return false;
    this.at += 1;
    return true;
  }

  value(depth) {
    if (depth > DEPTH_MAX) this.fail();
    this.space();
    const character = this.text[this.at];
    if (character === "{") return this.object(depth);
    if (character === "[") return this.array(depth);
    if (character === '"') return this.string();
    for (const [word, value] of [["true", true], ["false", false], ["null", null]]) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (!found) this.fail();
    this.at += found[0].length;
    return new JsonNumber(found[0]);
  }

  object(depth) {
    const object = new JsonObject();
    this.at += 1;
    this.space();
    if (this.take("}")) return object;
    for (;;) {
      this.space();
      if (this.text[this.at] !== '"') this.fail();
      const name = this.string();
      this.space();
      if (!this.take(":")) this.fail();
      const value = this.value(depth + 1);
      if (object.has(name)) object.repeated.add(name);
      object.set(name, value);
      this.space();
      if (this.take("}")) return object;
      if (!this.take(",")) this.fail();
    }
  }

  array(depth) {
    const array = [];
    this.at += 1;
    this.space();
    if (this.take("]")) return array;
    for (;;) {
      array.push(this.value(depth + 1));
      this.space();
      if (this.take("]")) return array;
      if (!this.take(",")) this.fail();
    }
  }

  string() {
    let text = "";
    this.at += 1;
    for (;;) {
      const character = this.text[this.at];
      if (character === undefined || character < " ") this.fail();
      this.at += 1;
      if (character === '"') return text;
      text += character === "\\" ? this.escape() : character;
    }
  }

  escape() {
    const kind = this.text[this.at];
    this.at += 1;
    if (kind !== "u") return ESCAPES[kind] ?? this.fail();
    const unit = this.unit();
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    // A high half and a low half directly behind it are one character; each alone is none.
    if (unit > 0xdbff || !this.take("\\") || !this.take("u")) this.fail();
    const low = this.unit();
    if (low < 0xdc00 || low > 0xdfff) this.fail();
    return String.fromCharCode(unit, low);
  }

  unit() {
    const digits = this.text.slice(this.at, this.at + 4);
    if (!(this.lowerCaseEscapes ? /^[0-9a-f]{4}$/ : /^[0-9a-fA-F]{4}$/).test(digits)) this.fail();
    this.at += 4;
    return parseInt(digits, 16);
  }
}

/** The value that the bytes are, read to the last one. UTF-8 without a byte order mark. */
export function parseJson(bytes, { lowerCaseEscapes = false } = {}) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Invalid("json", "不是 UTF-8", "not UTF-8");
  }
  const parser = new Parser(text, lowerCaseEscapes);
  const value = parser.value(1);
  parser.space();
  if (parser.at !== text.length) parser.fail();
  return value;
}

/** An object with exactly these members, each once. */
export function readObject(value, where, required, optional = []) {
  require(value instanceof JsonObject, where, "应为对象", "an object is due");
  require(value.repeated.size === 0, where, "成员重复", "a member is repeated");
  for (const name of value.keys()) {
    require(required.includes(name) || optional.includes(name), where, "有未知成员", "an unknown member");
  }
  for (const name of required) {
    require(value.has(name), where, `缺少成员 ${name}`, `member ${name} is missing`);
  }
  return value;
}

/** An array of at most so many elements. */
export function readArray(value, where, most = Infinity) {
  require(Array.isArray(value), where, "应为数组", "an array is due");
  require(value.length <= most, where, `数组超过 ${most} 个元素`, `an array of more than ${most} elements`);
  return value;
}

/** A text, in the given form. */
export function readText(value, where, pattern = /^/) {
  require(typeof value === "string", where, "应为文本", "a text is due");
  require(pattern.test(value), where, "文本格式不正确", "a text that does not have the form it must have");
  return value;
}

/** A plain non-negative integer that fits into so many bits, as a BigInt. */
export function readNumber(value, where, bits) {
  const plain = value instanceof JsonNumber && /^(?:0|[1-9][0-9]{0,19})$/.test(value.spelling);
  require(
    plain && BigInt(value.spelling) < 1n << BigInt(bits),
    where,
    `应为 ${bits} 位非负整数`,
    `a non-negative integer of ${bits} bits is due`,
  );
  return BigInt(value.spelling);
}
