#!/usr/bin/env python3
"""票链 Piaolian: an independent verifier for receipts (回执) and exported chains.

It follows docs/format.md and nothing else, and shares no code with the node. It needs Python 3.11
or later and only the standard library; SM3 and SM2 are in this file.

    verify.py receipt RECEIPT.json --genesis genesis.json [--json]
    verify.py chain CHAIN.ndjson --genesis genesis.json [--json]
    verify.py selftest [--json]

Exit status: 0 valid, 5 invalid, 2 usage or a file that cannot be read. The genesis file is what is
trusted: it must come from somewhere other than the node that gave the receipt or the export.
The section numbers (§) below are those of docs/format.md.
"""

import argparse
import base64
import json
import os
import re
import sys
from datetime import datetime, timedelta
from typing import NamedTuple

EXIT_VALID, EXIT_USAGE, EXIT_INVALID = 0, 2, 5

MAX_GENESIS = 4 << 20
MAX_RECEIPT = 4 << 20
MAX_CHANGES = 64
MAX_RECORD = 16_384
MAX_BLOCK = 8 << 20
MAX_BLOCK_RECORDS = 10_000
MAX_ENVELOPES = 10_000
MAX_BATCH = 1_000
MAX_SIGNATURES = 100
MAX_FACTS = 64
MAX_MEMBERS = 10_000
# A block of 8 MiB cannot need more than this as JSON: base64 takes 4/3, escapes of facts at most 6.
MAX_LINE = 64 << 20

CHAIN_ID = re.compile(r"[a-z0-9-]{1,32}")
MEMBER_ID = re.compile(r"[0-9A-Z]{18}")
RECORD_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
REFUSAL_CODE = re.compile(r"[a-z0-9_]{1,64}")
# A change of the validators takes effect so many heights after its block.
FROM_HEIGHT_AHEAD = range(2, 1_000_001)
GROUPS = {"tax", "finance"}
ROLES = {"tax", "finance", "health", "merchant", "hospital", "employer", "insurer", "auditor"}


class Invalid(Exception):
    """What is verified is not valid: where it fails, and why in Chinese and in English."""

    def __init__(self, where, zh, en):
        super().__init__(en)
        self.where, self.zh, self.en = where, zh, en


def require(condition, where, zh, en):
    """Raises Invalid unless the condition holds."""
    if not condition:
        raise Invalid(where, zh, en)


# --- SM3 (GB/T 32905-2016) ------------------------------------------------------------------------

M32 = 0xFFFFFFFF
SM3_IV = (0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E)


def _rotl32(x, k):
    k %= 32
    return ((x << k) | (x >> (32 - k))) & M32


SM3_T = tuple(_rotl32(0x79CC4519 if j < 16 else 0x7A879D8A, j) for j in range(64))


def _sm3_compress(state, block):
    """The compression function CF. `x | x << 32` holds a word twice, so that a shift rotates it."""
    w = [int.from_bytes(block[i:i + 4], "big") for i in range(0, 64, 4)]
    for j in range(16, 68):
        x, y = w[j - 3], w[j - 13]
        x = w[j - 16] ^ w[j - 9] ^ (((x << 15) | (x >> 17)) & M32)
        twice = x | x << 32
        w.append((x ^ (twice >> 17) ^ (twice >> 9) ^ ((y << 7) | (y >> 25)) ^ w[j - 6]) & M32)
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        a12 = ((a << 12) | (a >> 20)) & M32
        x = (a12 + e + SM3_T[j]) & M32
        ss1 = ((x << 7) | (x >> 25)) & M32
        if j < 16:
            tt1 = ((a ^ b ^ c) + d + (ss1 ^ a12) + (w[j] ^ w[j + 4])) & M32
            tt2 = ((e ^ f ^ g) + h + ss1 + w[j]) & M32
        else:
            tt1 = (((a & b) | (a & c) | (b & c)) + d + (ss1 ^ a12) + (w[j] ^ w[j + 4])) & M32
            tt2 = (((e & f) | (~e & g)) + h + ss1 + w[j]) & M32
        d, c, b, a = c, ((b << 9) | (b >> 23)) & M32, a, tt1
        twice = tt2 | tt2 << 32
        h, g, f, e = g, ((f << 19) | (f >> 13)) & M32, e, (tt2 ^ (twice >> 23) ^ (twice >> 15)) & M32
    return tuple(x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h)))


def sm3(data):
    """The SM3 digest of bytes."""
    padded = data + b"\x80" + b"\0" * ((55 - len(data)) % 64) + (8 * len(data)).to_bytes(8, "big")
    state = SM3_IV
    for i in range(0, len(padded), 64):
        state = _sm3_compress(state, padded[i:i + 64])
    return b"".join(x.to_bytes(4, "big") for x in state)


# --- SM2 (GB/T 32918.2-2016), verification only ---------------------------------------------------

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
     0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0)
INFINITY = (1, 1, 0)


def _double(point):
    """2·point in Jacobian coordinates (x = X/Z², y = Y/Z³), for a = -3. Z = 0 is infinity."""
    x, y, z = point
    delta = z * z % P
    gamma = y * y % P
    beta = x * gamma % P
    alpha = 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 8 * beta) % P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P, 2 * y * z % P


def _add(point, affine):
    """point + affine: the first in Jacobian, the second in affine coordinates and not infinity."""
    x1, y1, z1 = point
    x2, y2 = affine
    if z1 == 0:
        return x2, y2, 1
    zz = z1 * z1 % P
    h = (x2 * zz - x1) % P
    r = (y2 * z1 * zz - y1) % P
    if h == 0:
        return _double(point) if r == 0 else INFINITY
    hh = h * h % P
    hhh = h * hh % P
    v = x1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - y1 * hhh) % P, z1 * h % P


def _affine(points):
    """Affine coordinates of points other than infinity, with a single inversion for all."""
    products, product = [], 1
    for _, _, z in points:
        products.append(product)
        product = product * z % P
    inverse = pow(product, -1, P)
    result = []
    for (x, y, z), before in zip(reversed(points), reversed(products)):
        zi = inverse * before % P
        inverse = inverse * z % P
        zi2 = zi * zi % P
        result.append((x * zi2 % P, y * zi2 * zi % P))
    result.reverse()
    return result


def _window_table(affine):
    """table[i][d-1] = d·16^i·point for d = 1 … 15: a multiple is then at most 64 additions."""
    bases, point = [], (*affine, 1)
    for _ in range(64):
        bases.append(point)
        for _ in range(4):
            point = _double(point)
    multiples = []
    for base in _affine(bases):
        point = INFINITY
        for _ in range(15):
            point = _add(point, base)
            multiples.append(point)
    multiples = _affine(multiples)
    return [multiples[i:i + 15] for i in range(0, len(multiples), 15)]


def _add_from_table(point, table, factor):
    """point + factor·(the point of the table), for 0 <= factor < 2^256."""
    for row in table:
        digit = factor & 15
        if digit:
            point = _add(point, row[digit - 1])
        factor >>= 4
    return point


def _multiply(affine, factor):
    """factor·point by a sliding window over signed odd digits of five bits (w-NAF)."""
    digits = []
    while factor:
        digit = 0
        if factor & 1:
            digit = factor & 31
            if digit > 16:
                digit -= 32
            factor -= digit
        digits.append(digit)
        factor >>= 1
    twice = _affine([_double((*affine, 1))])[0]
    odd = [(*affine, 1)]
    for _ in range(7):
        odd.append(_add(odd[-1], twice))
    odd = _affine(odd)
    point = INFINITY
    for digit in reversed(digits):
        point = _double(point)
        if digit > 0:
            point = _add(point, odd[digit >> 1])
        elif digit < 0:
            x, y = odd[-digit >> 1]
            point = _add(point, (x, P - y))
    return point


_g_table = None


def _generator_table():
    """The table of G, made when it is first needed."""
    global _g_table
    if _g_table is None:
        _g_table = _window_table(G)
    return _g_table


SM2_Z_PREFIX = b"\x00\x80" + b"1234567812345678" + b"".join(v.to_bytes(32, "big") for v in (A, B, *G))


class PublicKey:
    """A point of the curve, with its kid and what verification under it needs again and again."""

    # A table pays for itself after about this many signatures; memory bounds how many keys get one.
    USES_BEFORE_TABLE = 8
    tables_left = 200

    def __init__(self, encoded, where):
        require(len(encoded) == 65 and encoded[0] == 4, where,
                "公钥不是 65 字节的未压缩形式", "the public key is not 65 bytes in uncompressed form")
        x, y = int.from_bytes(encoded[1:33], "big"), int.from_bytes(encoded[33:], "big")
        require(x < P and y < P and (y * y - (x * x + A) * x - B) % P == 0, where,
                "公钥不是曲线上的点", "the public key is not a point of the curve")
        self.encoded = encoded
        self.kid = sm3(encoded)[:16]
        self._point = (x, y)
        self._z = sm3(SM2_Z_PREFIX + encoded[1:])
        self._uses = 0
        self._table = None

    def digest(self, message):
        """e = SM3(Z || message), what is signed."""
        return sm3(self._z + message)

    def verify(self, message, signature):
        """Whether r || s is a signature of the message under this key."""
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        if len(signature) != 64 or not (0 < r < N and 0 < s < N):
            return False
        t = (r + s) % N
        if t == 0:
            return False
        self._uses += 1
        if self._table is None and self._uses > self.USES_BEFORE_TABLE and PublicKey.tables_left > 0:
            PublicKey.tables_left -= 1
            self._table = _window_table(self._point)
        if self._table is not None:
            point = _add_from_table(INFINITY, self._table, t)
        else:
            point = _multiply(self._point, t)
        x, _, z = _add_from_table(point, _generator_table(), s)
        if z == 0:
            return False
        x1 = x * pow(z * z, -1, P) % P
        return (int.from_bytes(self.digest(message), "big") + x1) % N == r


# --- Strict JSON ----------------------------------------------------------------------------------

class Number:
    """A JSON number by its spelling: what it may be depends on the place where it stands."""

    __slots__ = ("spelling",)

    def __init__(self, spelling):
        self.spelling = spelling


class Members(dict):
    """A JSON object; `repeated` has the names that occur more than once."""

    __slots__ = ("repeated",)

    def __init__(self, pairs):
        super().__init__(pairs)
        self.repeated = frozenset()
        if len(self) != len(pairs):
            seen = set()
            self.repeated = frozenset(name for name, _ in pairs if name in seen or seen.add(name))


def _no_constant(spelling):
    raise ValueError(f"{spelling} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=Members, parse_int=Number, parse_float=Number,
                            parse_constant=_no_constant)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)


def _check_escapes(text, where, lower_case):
    """Refuses halves of surrogate pairs, and upper-case digits where the format does.

    The text is valid JSON, so every backslash stands in a string and begins an escape.
    """
    high_ends = None
    for match in _ESCAPE.finditer(text):
        digits = match[1]
        unit = int(digits, 16) if digits else 0
        if digits and lower_case:
            require(digits == digits.lower(), where, "\\u 转义中有大写数字",
                    "upper-case digits in a \\u escape")
        # A low half belongs directly behind a high one, and nowhere else.
        low = 0xDC00 <= unit <= 0xDFFF
        after_high = high_ends == match.start()
        require(low == after_high and (after_high or high_ends is None), where,
                "\\u 转义是半个代理对", "a \\u escape is half of a surrogate pair")
        high_ends = match.end() if 0xD800 <= unit <= 0xDBFF else None
    require(high_ends is None, where, "\\u 转义是半个代理对", "a \\u escape is half of a surrogate pair")


def parse_json(data, where, lower_case_escapes=False):
    """The JSON value that the bytes are, read to the last byte. UTF-8 without a byte order mark."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(where, f"第 {error.start} 字节起不是 UTF-8",
                      f"not UTF-8 from byte {error.start}") from None
    try:
        value, end = _DECODER.raw_decode(text, len(text) - len(text.lstrip(" \t\n\r")))
        if text[end:].strip(" \t\n\r"):
            raise json.JSONDecodeError("Extra data", text, end)
    except RecursionError:
        raise Invalid(where, "JSON 嵌套过深", "JSON that is nested too deeply") from None
    except MemoryError:
        raise Invalid(where, "JSON 过大，内存不足", "JSON that does not fit into memory") from None
    except json.JSONDecodeError as error:
        raise Invalid(where, f"第 {error.pos} 字符处不是 JSON",
                      f"not JSON at character {error.pos}: {error.msg}") from None
    except ValueError as error:
        raise Invalid(where, "不是 JSON", f"not JSON: {error}") from None
    if "\\u" in text:
        _check_escapes(text, where, lower_case_escapes)
    return value


def shown(text):
    """A text of unknown origin, safe to print."""
    return json.dumps(text[:80])


def read_object(value, where, required, optional=()):
    """An object with exactly these members, each once."""
    require(isinstance(value, Members), where, "应为对象", "an object is due")
    for name in sorted(value.repeated):
        raise Invalid(where, f"成员 {shown(name)} 重复", f"member {shown(name)} is repeated")
    for name in value:
        require(name in required or name in optional, where,
                f"未知成员 {shown(name)}", f"unknown member {shown(name)}")
    for name in required:
        require(name in value, where, f"缺少成员 {name}", f"member {name} is missing")
    return value


def read_array(value, where, most=None):
    """An array of at most so many elements."""
    require(isinstance(value, list), where, "应为数组", "an array is due")
    require(most is None or len(value) <= most, where,
            f"数组超过 {most} 个元素", f"an array of more than {most} elements")
    return value


def read_text(value, where, pattern=None):
    """A text, in the given form."""
    require(isinstance(value, str), where, "应为文本", "a text is due")
    require(pattern is None or pattern.fullmatch(value), where,
            "文本格式不正确", "a text that does not have the form it must have")
    return value


def read_number(value, where, bits):
    """A plain non-negative integer that fits into so many bits."""
    require(isinstance(value, Number), where, "应为数字", "a number is due")
    require(re.fullmatch(r"0|[1-9][0-9]{0,19}", value.spelling) and int(value.spelling) < 1 << bits,
            where, f"应为 {bits} 位非负整数", f"a non-negative integer of {bits} bits is due")
    return int(value.spelling)


def read_flag(value, where):
    """true or false."""
    require(isinstance(value, bool), where, "应为 true 或 false", "true or false is due")
    return value


def read_hex(value, where, size):
    """So many bytes in lower-case hexadecimal."""
    read_text(value, where)
    require(len(value) == 2 * size and re.fullmatch(r"[0-9a-f]*", value), where,
            f"应为 {2 * size} 位小写十六进制", f"{2 * size} lower-case hexadecimal digits are due")
    return bytes.fromhex(value)


def read_base64(value, where):
    """Bytes in the one spelling of base64 (§1)."""
    read_text(value, where)
    try:
        data = base64.b64decode(value, validate=True)
    except ValueError:
        data = None
    require(data is not None and base64.b64encode(data).decode() == value, where,
            "不是规范的 base64", "not base64 in its canonical spelling")
    return data


def read_signature(value, where):
    """r || s with both in 1 … n-1."""
    data = read_base64(value, where)
    require(len(data) == 64, where, "签名应为 64 字节", "a signature has 64 bytes")
    r, s = int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")
    require(0 < r < N and 0 < s < N, where, "签名的 r 或 s 超出范围", "r or s of the signature is out of range")
    return data


def read_hashes(value, where):
    """An array of hashes in hexadecimal."""
    return [read_hex(item, f"{where}[{i}]", 32) for i, item in enumerate(read_array(value, where))]


def read_votes(value, where):
    """The `signatures` of a certificate: pairs of kid and signature."""
    votes = []
    for i, item in enumerate(read_array(value, where, MAX_SIGNATURES)):
        place = f"{where}[{i}]"
        read_object(item, place, ("kid", "sig"))
        votes.append((read_hex(item["kid"], f"{place}.kid", 16), read_signature(item["sig"], f"{place}.sig")))
    return votes


# --- Times (§1) -----------------------------------------------------------------------------------

EPOCH = datetime(1970, 1, 1)
RFC3339 = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})"
                     r"(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))")


def parse_time(text, where):
    """Milliseconds since 1970 of an RFC 3339 time; what is finer than a millisecond is cut off."""
    match = RFC3339.fullmatch(text)
    try:
        if not match:
            raise ValueError
        local = datetime(*(int(match[i]) for i in range(1, 7)))
        hours, minutes = int(match[9] or 0), int(match[10] or 0)
        if hours > 23 or minutes > 59:
            raise ValueError
    except ValueError:
        raise Invalid(where, "不是带时区的 RFC 3339 时间", "not an RFC 3339 time with an offset") from None
    offset = (hours * 60 + minutes) * (-1 if match[8] == "-" else 1)
    since = local - EPOCH
    return (since.days * 86_400 + since.seconds - offset * 60) * 1000 + int(((match[7] or "") + "000")[:3])


def spell_time(milliseconds):
    """The one spelling of a time, or None when it lies outside what can be written."""
    try:
        local = EPOCH + timedelta(milliseconds=milliseconds, hours=8)
    except OverflowError:
        return None
    return local.isoformat(timespec="milliseconds") + "+08:00"


# --- Messages (§3) --------------------------------------------------------------------------------

def record_message(chain_id, record):
    """What the signature of a single record is over."""
    return b"piaolian/1\n" + chain_id.encode() + b"\n" + record


def batch_message(chain_id, atomic, count, root):
    """What the signature of a batch is over."""
    kind = "batch-atomic" if atomic else "batch"
    return f"piaolian/1/{kind}\n{chain_id}\n{count}\n{root.hex()}".encode()


def vote_message(chain_id, kind, height, round_, block_id, kid):
    """What the vote of a validator is over; kind 0 prevote, 1 precommit; block_id None for no block."""
    return (b"piaolian/1/vote\n" + chain_id.encode() + b"\n" + bytes([kind]) + height.to_bytes(8, "big")
            + round_.to_bytes(8, "big", signed=True)
            + (b"\x00" if block_id is None else b"\x01" + block_id) + kid)


# --- Merkle tree (§5) -----------------------------------------------------------------------------

def leaf_hash(data):
    """The hash of a leaf."""
    return sm3(b"\x00" + data)


def node_hash(left, right):
    """The hash of an inner node."""
    return sm3(b"\x01" + left + right)


class Tree:
    """A Merkle tree that grows, kept as the roots of its complete subtrees, largest first."""

    def __init__(self, hashes=()):
        self.size, self.peaks = 0, []
        for item in hashes:
            self.append(item)

    def append(self, item):
        """Adds a leaf by its hash."""
        rest = self.size
        while rest & 1:
            item = node_hash(self.peaks.pop(), item)
            rest >>= 1
        self.peaks.append(item)
        self.size += 1

    def root(self):
        """The root of all leaves so far."""
        if not self.peaks:
            return sm3(b"")
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root_from_path(leaf, index, size, path):
    """The root that a leaf and its path lead to, or None when the path does not fit."""
    if index >= size:
        return None
    position, last, value = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if position & 1 or position == last:
            value = node_hash(sibling, value)
            while position and not position & 1:
                position >>= 1
                last >>= 1
        else:
            value = node_hash(value, sibling)
        position >>= 1
        last >>= 1
    return value if last == 0 else None


def verify_consistency(old_size, old_root, new_size, new_root, path):
    """Whether the tree of old_size leaves is the beginning of the tree of new_size leaves."""
    path = list(path)
    if old_size == 0:
        return not path and old_root == sm3(b"") and (new_size != 0 or new_root == sm3(b""))
    if old_size == new_size:
        return not path and old_root == new_root
    if old_size > new_size:
        return False
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position >>= 1
        last >>= 1
    if old_size & (old_size - 1) == 0:
        old = old_root
    elif path:
        old = path.pop(0)
    else:
        return False
    new = old
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while position and not position & 1:
                position >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and old == old_root and new == new_root


# --- Outcome and leaf (§6) ------------------------------------------------------------------------

class Outcome(NamedTuple):
    """What the rules answered: code is None when accepted; detail has the facts."""

    code: str | None
    detail: dict

    def encode(self):
        """The binary form. The sizes were checked when it was read."""
        facts = sorted((name.encode(), value.encode()) for name, value in self.detail.items())
        code = (self.code or "").encode()
        parts = [b"\x00" if self.code is None else b"\x01", len(code).to_bytes(2, "big"), code,
                 len(facts).to_bytes(2, "big")]
        for fact in facts:
            parts += [part for text in fact for part in (len(text).to_bytes(2, "big"), text)]
        return b"".join(parts)


def read_outcome(status, code, detail, where):
    """An outcome from its JSON parts; `code` and `detail` are None where they are absent."""
    read_text(status, f"{where}.status")
    require(status in ("accepted", "refused"), f"{where}.status",
            "状态应为 accepted 或 refused", "the status must be accepted or refused")
    require((code is not None) == (status == "refused"), f"{where}.code",
            "code 只应在 refused 时出现", "a code must be given exactly when refused")
    if code is not None:
        read_text(code, f"{where}.code", REFUSAL_CODE)
    if detail is None:
        detail = Members([])
    place = f"{where}.detail"
    read_object(detail, place, (), detail if isinstance(detail, Members) else ())
    require(len(detail) <= MAX_FACTS, place, f"事实超过 {MAX_FACTS} 项", f"more than {MAX_FACTS} facts")
    for name, value in detail.items():
        read_text(value, f"{place}.{shown(name)}")
        require(len(name.encode()) < 1 << 16 and len(value.encode()) < 1 << 16, f"{place}.{shown(name)}",
                "文本过长", "a text that is too long")
    return Outcome(code, detail)


def log_leaf(kid, record, outcome):
    """The bytes of a leaf of the log."""
    return b"\x01" + kid + len(record).to_bytes(4, "big") + record + outcome.encode()


def read_record(data, where):
    """A record's JSON object, with `by` and `id` as texts that occur once."""
    require(0 < len(data) <= MAX_RECORD, where, f"记录应为 1 至 {MAX_RECORD} 字节",
            f"a record has 1 to {MAX_RECORD} bytes")
    # The bytes of a record reach from { to }, so white space around it is no part of a record.
    require(data[:1] == b"{" and data[-1:] == b"}", where,
            "记录不是从 { 到 } 的对象", "the record is not an object from { to }")
    value = parse_json(data, where)
    require(isinstance(value, Members), where, "记录不是 JSON 对象", "the record is not a JSON object")
    for name, pattern in (("by", MEMBER_ID), ("id", RECORD_ID)):
        read_text(only(value, name, where), f"{where}.{name}", pattern)
    return value


def only(value, name, where):
    """The member of this name in a record's object, which must have it once."""
    require(isinstance(value, Members), where, "应为对象", "an object is due")
    require(name in value, where, f"缺少成员 {name}", f"member {name} is missing")
    require(name not in value.repeated, where, f"成员 {name} 重复", f"member {name} is repeated")
    return value[name]


# --- Genesis file (§4) ----------------------------------------------------------------------------

class Validators(NamedTuple):
    """Who decides on blocks."""

    keys: dict            # kid → (PublicKey, weight)
    total: int
    digest: bytes


def read_validators(value, where):
    """A list of validators that is a set (§4)."""
    keys, groups, digest = {}, [], [b"\x05"]
    for i, item in enumerate(read_array(value, where, 100)):
        place = f"{where}[{i}]"
        read_object(item, place, ("public_key", "weight", "name"), ("group",))
        require(len(read_text(item["name"], f"{place}.name")) <= 200, f"{place}.name",
                "名称超过 200 个字符", "a name of more than 200 characters")
        key = PublicKey(read_hex(item["public_key"], f"{place}.public_key", 65), f"{place}.public_key")
        weight = read_number(item["weight"], f"{place}.weight", 64)
        require(weight >= 1, f"{place}.weight", "权重应至少为 1", "a weight must be at least 1")
        require(key.kid not in keys, place, "公钥重复", "a key that occurs twice")
        group = None
        if "group" in item:
            group = read_text(item["group"], f"{place}.group")
            require(group in GROUPS, f"{place}.group", "分组未知", "an unknown group")
        keys[key.kid] = (key, weight)
        groups.append((group, weight))
        digest += [key.encoded, weight.to_bytes(8, "big")]
    require(len(keys) == 1 or len(keys) >= 4, where,
            "验证者应为 1 个或 4 至 100 个", "there must be 1 validator, or 4 to 100")
    total = sum(weight for _, weight in keys.values())
    require(total < 1 << 64, where, "权重之和过大", "the sum of the weights is too large")
    if len(keys) > 1:
        require({group for group, _ in groups} == GROUPS, where,
                "验证者未分组或缺少一方", "a validator without a group, or a group without validators")
        for group in GROUPS:
            weight = sum(weight for its, weight in groups if its == group)
            require(3 * weight <= 2 * total, where, "一方可独自决定", "one group decides alone")
    return Validators(keys, total, sm3(b"".join(digest)))


class History:
    """The validators of every height: those of the genesis file and the changes of them."""

    def __init__(self, genesis):
        self.eras = [(1, genesis.validators)]

    def at(self, height):
        """Who decides on the block of a height."""
        return next(its for first, its in reversed(self.eras) if first <= height)

    def change(self, fields, height, where):
        """Takes over an accepted `validators.change` record of a block of this height (§10)."""
        place = f"{where}.change"
        item = only(fields, "change", where)
        replaces = read_hex(only(item, "replaces", place), f"{place}.replaces", 32)
        from_height = read_number(only(item, "from_height", place), f"{place}.from_height", 64)
        first, current = self.eras[-1]
        require(height >= first, where, "前一变更尚未生效", "the change before is not in effect yet")
        require(replaces == current.digest, f"{place}.replaces",
                "不是当时的验证者集合", "not the validators in force")
        require(from_height - height in FROM_HEIGHT_AHEAD, f"{place}.from_height",
                "生效高度与记录所在高度不符", "a first height that does not fit that of the record")
        require(len(self.eras) <= MAX_CHANGES, where, f"变更超过 {MAX_CHANGES} 项",
                f"more than {MAX_CHANGES} changes")
        validators = read_validators(only(item, "validators", place), f"{place}.validators")
        self.eras.append((from_height, validators))
        return from_height


class Genesis(NamedTuple):
    """What a verifier takes from the genesis file."""

    chain_id: str
    time: int
    hash: bytes
    validators: Validators
    members: dict         # kid → (member id, PublicKey)


def has_check_character(member_id):
    """Whether a unified social credit code (GB 32100-2015) ends with its check character."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    if len(member_id) != 18 or any(c not in alphabet for c in member_id):
        return False
    total = sum(alphabet.index(c) * pow(3, i, 31) for i, c in enumerate(member_id[:17]))
    return alphabet[-total % 31] == member_id[17]


def read_genesis(data):
    """Reads and checks a genesis file."""
    where = "genesis"
    require(len(data) <= MAX_GENESIS, where, "创世文件过大", "the genesis file is too large")
    value = read_object(parse_json(data, where), where, ("format", "chain_id", "time", "validators", "members"))
    require(value["format"] == "piaolian-genesis/1", f"{where}.format", "格式名不对", "not the format's name")
    chain_id = read_text(value["chain_id"], f"{where}.chain_id", CHAIN_ID)
    time = parse_time(read_text(value["time"], f"{where}.time"), f"{where}.time")

    validators = read_validators(value["validators"], f"{where}.validators")

    members, ids = {}, set()
    for i, item in enumerate(read_array(value["members"], f"{where}.members", MAX_MEMBERS)):
        place = f"{where}.members[{i}]"
        read_object(item, place, ("id", "name", "roles", "public_key"))
        member_id = read_text(item["id"], f"{place}.id", MEMBER_ID)
        require(has_check_character(member_id), f"{place}.id", "统一社会信用代码的校验码不对",
                "a member id whose check character is wrong")
        require(member_id not in ids, f"{place}.id", "成员重复", "a member id that occurs twice")
        ids.add(member_id)
        require(1 <= len(read_text(item["name"], f"{place}.name")) <= 200, f"{place}.name",
                "名称应为 1 至 200 个字符", "a name has 1 to 200 characters")
        roles = [read_text(role, f"{place}.roles[{j}]")
                 for j, role in enumerate(read_array(item["roles"], f"{place}.roles"))]
        require(roles and len(set(roles)) == len(roles) and ROLES.issuperset(roles), f"{place}.roles",
                "角色为空、重复或未知", "roles that are empty, repeated or unknown")
        key = PublicKey(read_hex(item["public_key"], f"{place}.public_key", 65), f"{place}.public_key")
        require(key.kid not in members, place, "公钥重复", "a key that occurs twice")
        members[key.kid] = (member_id, key)
    return Genesis(chain_id, time, sm3(b"\x03" + data), validators, members)


# --- Header and certificate (§7, §8) --------------------------------------------------------------

class Header(NamedTuple):
    """A block's header."""

    chain_id: str
    height: int
    time: int
    previous: bytes
    first_index: int
    count: int
    log_size: int
    log_root: bytes
    effects_root: bytes
    validators: bytes
    block_id: bytes


def decode_header(data, where):
    """Decodes the 198 bytes of a header."""
    def number(start, size, signed=False):
        return int.from_bytes(data[start:start + size], "big", signed=signed)

    require(len(data) == 198, where, "区块头应为 198 字节", "a header has 198 bytes")
    require(number(0, 2) == 1, where, "区块头版本不是 1", "the header's version is not 1")
    # latin-1 gives every byte a character, so the pattern alone decides.
    chain_id = data[2:34].rstrip(b"\0").decode("latin-1")
    require(CHAIN_ID.fullmatch(chain_id), where, "区块头的 chain_id 不正确", "the header's chain_id is malformed")
    header = Header(chain_id, number(34, 8), number(42, 8, True), data[50:82], number(82, 8), number(90, 4),
                    number(94, 8), data[102:134], data[134:166], data[166:198], sm3(b"\x02" + data))
    require(header.height >= 1, where, "区块头的高度为 0", "the header's height is 0")
    require(header.log_size == header.first_index + header.count, where,
            "区块头的 log_size ≠ first_index + count", "the header's log_size is not first_index + count")
    return header


def verify_certificate(chain_id, validators, header, round_, votes, where):
    """Checks that the precommits of these validators make the block final (§8)."""
    for i in range(1, len(votes)):
        require(votes[i - 1][0] < votes[i][0], f"{where}[{i}].kid",
                "kid 未严格递增", "the kids are not strictly ascending")
    weight = 0
    for i, (kid, signature) in enumerate(votes):
        require(kid in validators.keys, f"{where}[{i}].kid",
                "不是此高度的验证者", "no validator of this height")
        key, its_weight = validators.keys[kid]
        message = vote_message(chain_id, 1, header.height, round_, header.block_id, kid)
        require(key.verify(message, signature), f"{where}[{i}].sig",
                "验证者签名无效", "the validator's signature is not valid")
        weight += its_weight
    require(3 * weight > 2 * validators.total, where,
            f"签名者的权重 {weight}/{validators.total} 未达法定多数",
            f"the signers' weight {weight}/{validators.total} is no quorum")


# --- Receipt (§10) --------------------------------------------------------------------------------

STEPS = {
    "genesis": ("创世文件", "genesis file"),
    "form": ("格式", "form"),
    "chain": ("链", "chain"),
    "identity": ("身份", "identity"),
    "header": ("区块头", "header"),
    "predecessor": ("前一区块", "predecessor"),
    "inclusion": ("包含证明", "inclusion"),
    "validators": ("验证者集合", "validators"),
    "change": ("验证者变更", "change of the validators"),
    "certificate": ("提交证书", "certificate"),
    "key": ("提交者公钥", "submitter's key"),
    "batch": ("批次", "batch"),
    "signature": ("提交者签名", "submitter's signature"),
    "envelope": ("信封", "envelope"),
    "record": ("记录", "record"),
    "log": ("日志", "log"),
}


class Progress:
    """Where a verification has got to, for the message when it fails."""

    def __init__(self):
        self.step = "genesis"
        self.line = None
        self.verified_height = None


PROOF = ("record", "outcome", "height", "index", "inclusion", "header", "round", "signatures", "authorization")


class Proof:
    """What a receipt and a change within it have in common: a record with all that proves it."""

    def __init__(self, value, where=""):
        """Reads the form; the members themselves were checked to be those that are due."""
        self.where = where
        self.record = read_text(value["record"], f"{where}record").encode()
        require(len(self.record) <= MAX_RECORD, f"{where}record", "记录过长", "the record is too long")
        place = f"{where}outcome"
        item = read_object(value["outcome"], place, ("status",), ("code", "detail"))
        # Absent and null must not be confused: read_outcome takes None for absent.
        for name in ("code", "detail"):
            require(name not in item or item[name] is not None, f"{place}.{name}", "不允许 null", "null is not allowed")
        self.outcome = read_outcome(item["status"], item.get("code"), item.get("detail"), place)
        require("detail" not in item or item["detail"], f"{place}.detail",
                "detail 为空时应省略", "an empty detail must be absent")
        self.height = read_number(value["height"], f"{where}height", 64)
        self.index = read_number(value["index"], f"{where}index", 64)
        place = f"{where}inclusion"
        item = read_object(value["inclusion"], place, ("tree_size", "path"))
        self.tree_size = read_number(item["tree_size"], f"{place}.tree_size", 64)
        self.path = read_hashes(item["path"], f"{place}.path")
        self.header = decode_header(read_hex(value["header"], f"{where}header", 198), f"{where}header")
        self.round = read_number(value["round"], f"{where}round", 32)
        self.votes = read_votes(value["signatures"], f"{where}signatures")
        place = f"{where}authorization"
        item = read_object(value["authorization"], place, ("kid", "public_key", "sig"), ("batch",))
        self.kid = read_hex(item["kid"], f"{place}.kid", 16)
        self.key = PublicKey(read_hex(item["public_key"], f"{place}.public_key", 65), f"{place}.public_key")
        self.signature = read_signature(item["sig"], f"{place}.sig")
        self.batch = None
        if "batch" in item:
            place = f"{place}.batch"
            batch = read_object(item["batch"], place, ("count", "position", "path", "atomic"))
            self.batch = (read_number(batch["count"], f"{place}.count", 32),
                          read_number(batch["position"], f"{place}.position", 32),
                          read_hashes(batch["path"], f"{place}.path"), read_flag(batch["atomic"], f"{place}.atomic"))

    def stands(self, genesis, progress):
        """The header is of the chain and says where the record stands, and the log has it there."""
        header, where = self.header, self.where
        progress.step = "header"
        require(header.chain_id == genesis.chain_id, f"{where}header", "区块头的 chain_id 不同",
                "the header has another chain_id")
        require(header.height == self.height, f"{where}height", "与区块头的高度不同", "not the header's height")
        require(header.log_size == self.tree_size, f"{where}inclusion.tree_size",
                "与区块头的 log_size 不同", "not the header's log_size")
        require(header.first_index <= self.index < header.log_size, f"{where}index", "不在此区块内", "not within the block")
        progress.step = "predecessor"
        require(self.height != 1 or header.previous == genesis.hash, f"{where}header",
                "首个区块未指向创世文件", "the first block does not follow the genesis file")
        progress.step = "inclusion"
        self.leaf = leaf_hash(log_leaf(self.kid, self.record, self.outcome))
        require(root_from_path(self.leaf, self.index, self.tree_size, self.path) == header.log_root,
                f"{where}inclusion.path", "包含证明不通向区块头的 log_root",
                "the path does not lead to the header's log_root")

    def is_final(self, genesis, validators, progress):
        """These validators decided, and the submitter signed."""
        where = self.where
        progress.step = "validators"
        require(self.header.validators == validators.digest, f"{where}header",
                "验证者集合摘要与创世文件及变更不同",
                "not the validator set digest of the genesis file and the changes")
        progress.step = "certificate"
        verify_certificate(genesis.chain_id, validators, self.header, self.round, self.votes, f"{where}signatures")
        progress.step = "key"
        require(self.key.kid == self.kid, f"{where}authorization.kid", "不是 public_key 的 kid", "not the kid of public_key")
        message = record_message(genesis.chain_id, self.record)
        if self.batch is not None:
            progress.step = "batch"
            count, position, path, atomic = self.batch
            require(count <= MAX_BATCH, f"{where}authorization.batch.count", f"批次超过 {MAX_BATCH} 条",
                    f"a batch of more than {MAX_BATCH} records")
            root = root_from_path(leaf_hash(self.record), position, count, path)
            require(root is not None, f"{where}authorization.batch.path", "路径长度不符", "a path that does not fit")
            message = batch_message(genesis.chain_id, atomic, count, root)
        progress.step = "signature"
        require(self.key.verify(message, self.signature), f"{where}authorization.sig",
                "提交者签名无效", "the submitter's signature is not valid")


def read_changes(value):
    """The form of the `validator_changes` of a receipt."""
    where = "validator_changes"
    changes = []
    for i, item in enumerate(read_array(value, where, MAX_CHANGES)):
        place = f"{where}[{i}]"
        changes.append(Proof(read_object(item, place, PROOF), f"{place}."))
    require(changes, where, "没有变更时应省略", "a list without changes must be absent")
    return changes


def follow_change(change, history, genesis, progress):
    """Verifies one change with the validators known so far (§10)."""
    progress.step = "change"
    require(change.outcome.code is None, f"{change.where}outcome", "变更记录未被接受", "the record was refused")
    fields = read_record(change.record, f"{change.where}record")
    require(only(fields, "type", f"{change.where}record") == "validators.change", f"{change.where}record",
            "不是 validators.change 记录", "no validators.change record")
    current = history.eras[-1][1]
    from_height = history.change(fields, change.height, f"{change.where}record")
    change.stands(genesis, progress)
    change.is_final(genesis, current, progress)
    return from_height


def verify_receipt(data, genesis, progress):
    """Checks a receipt in the order of §10. Returns what it proves."""
    progress.step = "form"
    require(len(data) <= MAX_RECEIPT, "receipt", "回执超过 4 MiB", "the receipt is larger than 4 MiB")
    value = read_object(parse_json(data, "receipt", lower_case_escapes=True), "receipt",
                        ("chain_id", "by", "id", "time", *PROOF), ("validator_changes",))
    chain_id = read_text(value["chain_id"], "chain_id", CHAIN_ID)
    by = read_text(value["by"], "by", MEMBER_ID)
    record_id = read_text(value["id"], "id", RECORD_ID)
    time = read_text(value["time"], "time")
    proof = Proof(value)
    changes = read_changes(value["validator_changes"]) if "validator_changes" in value else []

    progress.step = "chain"
    require(chain_id == genesis.chain_id, "chain_id", "与创世文件的 chain_id 不同", "not the genesis file's chain_id")
    require(proof.header.chain_id == chain_id, "header", "区块头的 chain_id 不同", "the header has another chain_id")

    progress.step = "identity"
    fields = read_record(proof.record, "record")
    require(fields["by"] == by, "by", "与记录中的 by 不同", "not the `by` of the record")
    require(fields["id"] == record_id, "id", "与记录中的 id 不同", "not the `id` of the record")

    progress.step = "header"
    require(spell_time(proof.header.time) == time, "time", "与区块头的时间不同",
            "not the header's time in its one spelling")
    proof.stands(genesis, progress)

    history = History(genesis)
    for change in changes:
        from_height = follow_change(change, history, genesis, progress)
        progress.step = "change"
        require(from_height <= proof.height, f"{change.where}record", "变更在回执高度尚未生效",
                "the change is not in effect at the receipt's height")
    validators = history.at(proof.height)
    proof.is_final(genesis, validators, progress)
    outcome = proof.outcome
    return {
        "chain_id": chain_id, "genesis_hash": genesis.hash.hex(), "by": by, "id": record_id,
        "status": "accepted" if outcome.code is None else "refused", "code": outcome.code,
        "height": proof.height, "index": proof.index, "time": time, "block_id": proof.header.block_id.hex(),
        "leaf_hash": proof.leaf.hex(), "record_sm3": sm3(proof.record).hex(), "kid": proof.kid.hex(),
        "signers": len(proof.votes), "validators": len(validators.keys),
    }


# --- Export of the whole chain (§12, §13) ---------------------------------------------------------

class Envelope(NamedTuple):
    """What one signature put on the chain; batch is None, or (atomic, count, {position: leaf hash})."""

    kid: bytes
    key: PublicKey
    signature: bytes
    batch: tuple | None
    records: list         # of (record's bytes, Outcome)


class Chain:
    """The verification of an export, block after block."""

    def __init__(self, genesis, progress):
        self.genesis, self.progress = genesis, progress
        self.height, self.block_id, self.time = 0, genesis.hash, genesis.time
        self.tree = Tree()
        self.keys = dict(genesis.members)
        self.history = History(genesis)
        self.seen = set()
        self.accepted = 0
        self.decoded_keys = {key.encoded: key for _, key in self.keys.values()}

    def _public_key(self, value, where):
        """A key from its text. Keys are kept, since most occur many times."""
        encoded = read_hex(value, where, 65)
        return self.decoded_keys.get(encoded) or PublicKey(encoded, where)

    def _read_envelope(self, value, where):
        """The form and the shape of an envelope, and its size in the binary form of §12."""
        read_object(value, where, ("kid", "public_key", "sig", "batch", "records"))
        kid = read_hex(value["kid"], f"{where}.kid", 16)
        key = self._public_key(value["public_key"], f"{where}.public_key")
        signature = read_signature(value["sig"], f"{where}.sig")
        size, batch = 85, None
        if value["batch"] is not None:
            place = f"{where}.batch"
            item = read_object(value["batch"], place, ("atomic", "count", "omitted"))
            omitted, last = {}, -1
            count = read_number(item["count"], f"{place}.count", 32)
            require(1 <= count <= MAX_BATCH, f"{place}.count", f"批次应为 1 至 {MAX_BATCH} 条",
                    f"a batch has 1 to {MAX_BATCH} records")
            for i, entry in enumerate(read_array(item["omitted"], f"{place}.omitted", MAX_BATCH)):
                spot = f"{place}.omitted[{i}]"
                read_object(entry, spot, ("position", "leaf_hash"))
                position = read_number(entry["position"], f"{spot}.position", 32)
                require(last < position < count, f"{spot}.position", "位置未严格递增或超出 count",
                        "the positions are not strictly ascending and below count")
                last = position
                omitted[position] = read_hex(entry["leaf_hash"], f"{spot}.leaf_hash", 32)
            batch = (read_flag(item["atomic"], f"{place}.atomic"), count, omitted)
            size += 9 + 36 * len(omitted)
        records = []
        for i, item in enumerate(read_array(value["records"], f"{where}.records", MAX_BATCH)):
            place = f"{where}.records[{i}]"
            read_object(item, place, ("record", "status", "code", "detail"))
            record = read_base64(item["record"], f"{place}.record")
            require(len(record) <= MAX_RECORD, f"{place}.record", "记录过长", "the record is too long")
            # Here an empty detail is written as {}, so an absent one must not pass for it.
            require(isinstance(item["detail"], Members), f"{place}.detail", "应为对象", "an object is due")
            outcome = read_outcome(item["status"], item["code"], item["detail"], place)
            records.append((record, outcome))
            size += 4 + len(record) + len(outcome.encode())
        if batch is None:
            require(len(records) == 1, f"{where}.records", "单条信封应恰有一条记录",
                    "an envelope without batch has exactly one record")
        else:
            require(records and len(records) + len(batch[2]) == batch[1], f"{where}.records",
                    "记录数与省略数之和不等于 count", "records and omitted ones do not add up to count")
        return Envelope(kid, key, signature, batch, records), size

    def _verify_envelope(self, envelope, where):
        """The key and the signature of an envelope; then its records go into the log."""
        kid, key = envelope.kid, envelope.key
        self.progress.step = "key"
        require(key.kid == kid, f"{where}.kid", "不是 public_key 的 kid", "not the kid of public_key")
        require(kid in self.keys and self.keys[kid][1].encoded == key.encoded, f"{where}.kid",
                "此公钥当时未登记", "the key was not registered at that point")
        member = self.keys[kid][0]
        if envelope.batch is None:
            message = record_message(self.genesis.chain_id, envelope.records[0][0])
        else:
            atomic, count, omitted = envelope.batch
            entries = iter(envelope.records)
            hashes = (omitted[i] if i in omitted else leaf_hash(next(entries)[0]) for i in range(count))
            message = batch_message(self.genesis.chain_id, atomic, count, Tree(hashes).root())
        self.progress.step = "signature"
        require(key.verify(message, envelope.signature), f"{where}.sig",
                "提交者签名无效", "the submitter's signature is not valid")

        self.progress.step = "record"
        new_keys = {}
        for i, (record, outcome) in enumerate(envelope.records):
            place = f"{where}.records[{i}].record"
            fields = read_record(record, place)
            require(fields["by"] == member, f"{place}.by", "不是签名公钥所属的成员",
                    "not the member whose key signed")
            name = (fields["by"], fields["id"])
            require(name not in self.seen, place, "链上已有相同的 (by, id)", "the pair (by, id) occurred before")
            self.seen.add(name)
            self.tree.append(leaf_hash(log_leaf(kid, record, outcome)))
            if outcome.code is None:
                self.accepted += 1
                self._register_key(fields, new_keys, place)
                if "type" in fields and only(fields, "type", place) == "validators.change":
                    self.history.change(fields, self.height + 1, place)
        if envelope.batch is not None and envelope.batch[0]:
            require(len({outcome.code is None for _, outcome in envelope.records}) == 1, f"{where}.records",
                    "原子批次的状态不一致", "the records of an atomic batch differ in status")
        # Only now: a key counts for the envelopes after the one that added it.
        self.keys.update(new_keys)
        self.decoded_keys.update((key.encoded, key) for _, key in new_keys.values())

    def _register_key(self, fields, new_keys, where):
        """Notes the key that an accepted record registers, if it registers one."""
        kind = only(fields, "type", where) if "type" in fields else None
        if kind not in ("member.admit", "key.add"):
            return
        member, place = only(fields, "member", where), f"{where}.member"
        if kind == "member.admit":
            member, place = only(member, "id", place), f"{place}.id"
        read_text(member, place, MEMBER_ID)
        place = f"{where}.key.public_key"
        key = self._public_key(only(only(fields, "key", where), "public_key", f"{where}.key"), place)
        require(key.kid not in self.keys and key.kid not in new_keys, place,
                "此公钥已登记", "the key is registered already")
        new_keys[key.kid] = (member, key)

    def add_block(self, line):
        """Checks one line of the export and moves on to its block."""
        progress, genesis = self.progress, self.genesis
        progress.step = "form"
        value = read_object(parse_json(line, "block"), "block", ("height", "header", "round", "signatures", "envelopes"))
        height = read_number(value["height"], "height", 64)
        header = decode_header(read_hex(value["header"], "header", 198), "header")
        round_ = read_number(value["round"], "round", 32)
        votes = read_votes(value["signatures"], "signatures")

        progress.step = "header"
        require(header.height == height, "height", "与区块头的高度不同", "not the header's height")
        require(height == self.height + 1, "height", f"应为高度 {self.height + 1}", f"height {self.height + 1} is due")
        require(header.chain_id == genesis.chain_id, "header", "chain_id 与创世文件不同", "not the genesis file's chain_id")
        require(header.previous == self.block_id, "header", "未指向前一区块", "it does not follow the block before")
        require(header.time > self.time, "header", "时间不晚于前一区块", "its time is not later than the block before")
        require(header.first_index == self.tree.size, "header", "first_index 不是日志的大小", "first_index is not the log's size")
        validators = self.history.at(height)
        require(header.validators == validators.digest, "header",
                "验证者集合摘要与创世文件及变更不同",
                "not the validator set digest of the genesis file and the changes")

        progress.step = "certificate"
        verify_certificate(genesis.chain_id, validators, header, round_, votes, "signatures")

        size, count = 198 + 4, 0
        for i, item in enumerate(read_array(value["envelopes"], "envelopes", MAX_ENVELOPES)):
            progress.step = "envelope"
            envelope, its_size = self._read_envelope(item, f"envelopes[{i}]")
            size += its_size
            count += len(envelope.records)
            require(size <= MAX_BLOCK and count <= MAX_BLOCK_RECORDS, f"envelopes[{i}]",
                    "区块过大", "the block is too large")
            self._verify_envelope(envelope, f"envelopes[{i}]")

        progress.step = "log"
        require(count == header.count, "envelopes", "记录数与区块头的 count 不同", "not the header's count of records")
        require(self.tree.size == header.log_size, "header", "log_size 不是日志的大小", "log_size is not the log's size")
        require(self.tree.root() == header.log_root, "header",
                "日志的根与区块头的 log_root 不同", "the log's root is not the header's log_root")
        self.height, self.block_id, self.time = height, header.block_id, header.time
        progress.verified_height = height


def verify_chain(file, genesis, progress):
    """Checks an export line by line. Returns where it ends."""
    chain = Chain(genesis, progress)
    progress.verified_height = 0
    terminal = sys.stderr.isatty()
    try:
        while line := file.readline(MAX_LINE + 1):
            progress.line = chain.height + 1
            progress.step = "form"
            require(line.endswith(b"\n"), "block", "此行过长，或不以换行结束（文件被截断？）",
                    "a line that is too long or has no line feed (a file cut short?)")
            chain.add_block(line[:-1])
            if terminal and chain.height % 16 == 0:
                print(f"\r{chain.height} 区块 blocks, {chain.tree.size} 记录 records", end="", file=sys.stderr, flush=True)
    finally:
        if terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
    return {
        "chain_id": genesis.chain_id, "genesis_hash": genesis.hash.hex(), "height": chain.height,
        "records": chain.tree.size, "accepted": chain.accepted, "root_hash": chain.tree.root().hex(),
        "block_id": chain.block_id.hex(), "time": spell_time(chain.time), "keys": len(chain.keys),
    }


# --- Published vectors (§15) ----------------------------------------------------------------------

VECTOR_KEYS = {
    0x01: "04bba87803d5e12788b07a912ae5368e7b2720bd19b93920bdbf2e9b6286da9c4e"
          "2bc093830dc0762b8e144b80ae18447b1bf6c670b93bda9a80795768af5a901e e24a4896f82cf4e5b150cd6d26b45638",
    0x02: "04f7b4f221c62c45fb173fba72cf1717e55935e964712e604f927126ad4d00f6be"
          "ad23f2dfefbe538d811ffe515c04f030f4058ab5ddd28f3d1f55f6993e81ea57 c40cba3db922edf027c375f7fe51b421",
    0x07: "04df07dc0b31591dfb63ec895516e5bb4ad05a09c2feba6d496ce523f7303fffcd"
          "4add27de09262dc59baf690c0286f05e29948517cc1e069b988e139c00f449c8 c9daccbfa561255536b2ab43f2e0624e",
    0x08: "0437b0fd15b4b74b077c86115ecdb1e6de48fdef7fdb73a09d9e8bdc0345f7eb2d"
          "32954ac9fbc65159f67c0a62fc7b745c1e222ecf7bde82fe68099721378534cc 78cd172f720a0b5ad1038adeb50140af",
}
VECTOR_GENESIS = """{
  "format": "piaolian-genesis/1",
  "chain_id": "sz-2026",
  "time": "2026-11-21T14:30:00.000+08:00",
  "validators": [
    {
      "public_key": "04bba87803d5e12788b07a912ae5368e7b2720bd19b93920bdbf2e9b6286da9c4e\
2bc093830dc0762b8e144b80ae18447b1bf6c670b93bda9a80795768af5a901e",
      "weight": 1,
      "name": "税务局"
    }
  ],
  "members": []
}
""".encode()
VECTOR_RECEIPT = r"""{
 "chain_id": "sz-2026",
 "by": "11440300MB2C93218M",
 "id": "r-1",
 "record": "{\"type\":\"x\",\"id\":\"r-1\",\"by\":\"11440300MB2C93218M\",\"note\":\"票\\n A\"}",
 "outcome": {
  "status": "refused",
  "code": "claim_exceeds_remaining",
  "detail": {"asked": "60.00", "remaining": "40.00"}
 },
 "height": 1,
 "index": 1,
 "time": "2026-11-21T14:30:00.123+08:00",
 "inclusion": {
  "tree_size": 3,
  "path": [
   "58d20f2df8d8907be6874316b1fb9f67431d754a5c8d3ccf2f445f1720dc5015",
   "212a81d30ffed0014afc7aebb20d394fd61dd6c048b9223adad2c580752d5388"
  ]
 },
 "header": "HEADER",
 "round": 0,
 "signatures": [
  {
   "kid": "e24a4896f82cf4e5b150cd6d26b45638",
   "sig": "l3dNnmcR3mw1wip8etgWXq0cCkRyno508pRmbE+PWDFXrMefjdW61a6x/x0R7SjE7HwEVtEcMgvarQ+xoFfE3g=="
  }
 ],
 "authorization": {
  "kid": "c40cba3db922edf027c375f7fe51b421",
  "public_key": "KEY",
  "sig": "zXA/0wi9rqw5X0orBu8y4XvbzMLMljKcre4TOAoZ5X3qviDcaFS8tGUQ3wbQsN9vj68+GWqYu5ICZkiH1IN4kw==",
  "batch": {
   "count": 3,
   "position": 1,
   "path": [
    "cb45afecda2a329241f5c5311e4551802c93a66a1dca201df166909379f6985a",
    "8c2fd1b80ca9d3714d0016ed49f8d46ed0514cb42953b8d4cf8ae38c5f1270f5"
   ],
   "atomic": true
  }
 }
}""".replace("KEY", VECTOR_KEYS[2].split()[0]).replace(
    "HEADER",
    "0001737a2d32303236000000000000000000000000000000000000000000000000000000000000000001000001a1fccc26bb"
    "e90e77eac31e5e463d8ede77ad0cd952f33e23b676182f8a891eb5a7c008e42f00000000000000000000000300000000000000"
    "03718f71d5df8d2074e98ade8c746d71b0ce5d90ef9e60bbf71e1f52bbdcd0e0371ab21d8355cfa17f8e61194831e81a8f22be"
    "c8c728fefb747ed035eb5082aa2bbbb115eaec795c367d90a49c0d4bab900bd88b24666dd1a8d1022c86a6595898").encode()


def selftest():
    """Runs the vectors of §15. Returns the names of those that passed; raises Invalid at the first other."""
    passed = []

    def check(name, got, expected):
        require(got == expected, name, "与公布的值不同", "not the published value")
        passed.append(name)

    def rejects(name, receipt):
        try:
            verify_receipt(receipt, genesis, Progress())
        except Invalid:
            passed.append(name)
            return
        raise Invalid(name, "本应无效", "it should be invalid")

    for data, digest in ((b"", "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"),
                         (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
                         (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732")):
        check(f"SM3 {len(data)} bytes", sm3(data).hex(), digest)

    key = PublicKey(bytes.fromhex("0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
                                  "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"), "SM2 key")
    sample = bytes.fromhex("f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
                           "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa")
    check("SM2 kid", key.kid.hex(), "e6a4f9765fca89e8b7d64019b900d57c")
    check("SM2 e", key.digest(b"message digest").hex(), "f0b43e94ba45accaace692ed534382eb17e6ab5a19ce7b31f4486fdfc0d28640")
    # Often enough for both ways of multiplying, without the key's table and with it.
    for i in range(PublicKey.USES_BEFORE_TABLE + 2):
        check(f"SM2 signature, use {i + 1}", key.verify(b"message digest", sample), True)
        check(f"SM2 other message, use {i + 1}", key.verify(b"message digesu", sample), False)

    keys = {}
    for byte, texts in VECTOR_KEYS.items():
        text, kid = texts.split()
        keys[byte] = PublicKey(bytes.fromhex(text), f"key {byte:02x}")
        secret = int.from_bytes(bytes([byte]) * 32, "big")
        multiples = [_multiply(G, secret), _add_from_table(INFINITY, _generator_table(), secret)]
        check(f"key {byte:02x}", _affine(multiples), [keys[byte]._point] * 2)
        check(f"kid {byte:02x}", keys[byte].kid.hex(), kid)
    check("infinity", _add_from_table(INFINITY, _generator_table(), N)[2], 0)

    signature = read_signature("n55N/z0h4qPZTYc2N0ILFAHBtJJsJcRun+SUFv6HK8d7vrKkikHHYIPeDJguMJARlokCUNnqRHRytrk76l/wTQ==", "sig")
    check("record message", keys[7].verify(record_message("sz-2026", b"{}"), signature), True)
    root = Tree(leaf_hash(f"r{i}".encode()) for i in range(5)).root()
    check("batch root", root.hex(), "70ebf51b2062eec6650abd2c0e9d7b2d0f909095f9d6906c448789972106f92e")
    signature = read_signature("n+vl5N++FJ818vld3LozNH7tA7hCZjzk7HI+SEoAEpMpIIeanMvbwPDmx+XpH7JpXo+zX/1BGVVOVcAoPCyoKw==", "sig")
    check("batch message", keys[7].verify(batch_message("sz-2026", True, 5, root), signature), True)
    check("not atomic", keys[7].verify(batch_message("sz-2026", False, 5, root), signature), False)

    text = "7069616f6c69616e2f312f766f74650a737a2d323032360a"
    check("precommit", vote_message("sz-2026", 1, 258, 3, b"\xbb" * 32, b"\xaa" * 16).hex(),
          text + "01" "0000000000000102" "0000000000000003" "01" + "bb" * 32 + "aa" * 16)
    check("prevote", vote_message("sz-2026", 0, 258, -1, None, b"\xaa" * 16).hex(),
          text + "00" "0000000000000102" "ffffffffffffffff" "00" + "aa" * 16)

    check("outcome refused", Outcome("locked", {"free": "1.00", "asked": "2"}).encode().hex(),
          "0100066c6f636b656400020005" "61736b6564" "000132" "0004" "66726565" "0004" "312e3030")
    check("outcome accepted", Outcome(None, {}).encode().hex(), "0000000000")
    leaf = log_leaf(b"\xcc" * 16, b"{}", Outcome("no", {"a": "b"}))
    check("leaf", leaf.hex(), "01" + "cc" * 16 + "000000027b7d" "0100026e6f" "0001000161000162")
    check("leaf hash", leaf_hash(leaf).hex(), "d4d321dc691c26ffddcc3d5a1bc6a5e99ccd1c7b051cd924d720d2181f6131a5")

    leaves = [leaf_hash(bytes([c])) for c in b"abcde"]
    check("leaf a", leaves[0].hex(), "c688f41bcd570f9651ccb215058a545f66f52ab4eac2968896e1637af9443d8c")
    check("leaf b", leaves[1].hex(), "724af679db0196244526c0138b438a44458c320e7e610e75e13f3dec5f0ccbb9")
    check("leaf c", leaves[2].hex(), "5b280c126260877493fd073e309507ce00677c1f89d8d24d97d61a7a4dff401c")
    check("leaf d", leaves[3].hex(), "28fd620986d700effe942161aa92c1e632ca00dd3dcbd60ad0d3b4545015b4fe")
    check("leaf e", leaves[4].hex(), "1f4f47b21853d45f95bdafd22808211cefac5ae984e82d4438449f525e63b243")
    roots = [Tree(leaves[:i]).root() for i in range(6)]
    check("root 2", roots[2].hex(), "2c537e31416ae684fd8a1552a3bcd5a452274e02a45d67c856405b3a1108ee90")
    check("root 3", roots[3].hex(), "2706e4e4d41c1ed9c3fe7f7822bf360a67abcc052cc2c00022c1313ec3ded965")
    check("root 4", roots[4].hex(), "0f89a82a10fb130d6e6095696f6ac64980252b730196457bc0d5e47aa3dc054c")
    check("root 5", roots[5].hex(), "59d4ece8d4b1eb417ba6b83c5af20b91288413c61a2be15fb64e311c584aa5e8")
    path = [leaves[3], roots[2], leaves[4]]
    check("inclusion", root_from_path(leaves[2], 2, 5, path), roots[5])
    check("inclusion, short path", root_from_path(leaves[2], 2, 5, path[:2]), None)
    check("inclusion, long path", root_from_path(leaves[2], 2, 5, path + [leaves[0]]), None)
    path = [leaves[2], leaves[3], roots[2], leaves[4]]
    check("consistency 3, 5", verify_consistency(3, roots[3], 5, roots[5], path), True)
    check("consistency 3, 5, other root", verify_consistency(3, roots[4], 5, roots[5], path), False)
    check("consistency 4, 5", verify_consistency(4, roots[4], 5, roots[5], [leaves[4]]), True)

    header = decode_header(bytes.fromhex("0001" + "737a2d32303236" + "00" * 25 + "0000000000000102" "000001a1fccc26bb"
                                         + "a1" * 32 + "0000000000000007" "00000003" "000000000000000a"
                                         + "a2" * 32 + "a3" * 32 + "a4" * 32), "header vector")
    check("header", (header.chain_id, header.height, header.time, header.first_index, header.count),
          ("sz-2026", 258, 1795242600123, 7, 3))
    check("block id", header.block_id.hex(), "3ff457803e048d13b59bc263ae5ce5d9f1457a4f7b0e863ede0bc1698f73e1a3")
    check("no effects", sm3(b"\x04").hex(), "7caea5378ab6077d60596326eec8d00cfbd5ef8ac0731c0154fb7283ac80f654")
    check("effects", sm3(b"\x04" + sm3(bytes.fromhex("060a00076d656d62657273010000000400000001"))).hex(),
          "f2224f2d421d474f5daffe782950dd15bcfb231f92f59ac00cfe35534eb4fd20")

    check("genesis size", len(VECTOR_GENESIS), 356)
    genesis = read_genesis(VECTOR_GENESIS)
    check("genesis hash", genesis.hash.hex(), "e90e77eac31e5e463d8ede77ad0cd952f33e23b676182f8a891eb5a7c008e42f")
    check("validator set digest", genesis.validators.digest.hex(),
          "bbb115eaec795c367d90a49c0d4bab900bd88b24666dd1a8d1022c86a6595898")
    proof = verify_receipt(VECTOR_RECEIPT, genesis, Progress())
    check("receipt leaf", proof["leaf_hash"], "961b6475020d30d567fea125f1a521f187eda5e41f3ca855cc5aa918bb5da0fa")
    check("receipt block id", proof["block_id"], "41ba73d23c7d2b09d922bd2afc8eafadd5624f81f7a4f6e46c9fab8d969373fd")
    for name, old, new in (("round", b'"round": 0', b'"round": 1'), ("repeated", b'"height": 1', b'"height": 1, "height": 1'),
                           ("unknown", b'"height": 1', b'"height": 1, "x": 1'), ("null", b'"round": 0', b'"round": null'),
                           ("atomic", b"true", b"false"), ("fraction", b'"height": 1', b'"height": 1.0'),
                           ("order of base64 bits", b'E3g=="', b'E3h=="'), ("escape", b'"r-1"', b'"r\\u002D1"'),
                           ("amount", b"40.00", b"41.00"), ("by", b'"by": "1', b'"by": "2')):
        rejects(f"receipt with other {name}", VECTOR_RECEIPT.replace(old, new, 1))
    return passed


# --- Command line ---------------------------------------------------------------------------------

def print_receipt(proof):
    """What a valid receipt proves, in both languages."""
    code = f"（{proof['code']}）" if proof["code"] else ""
    print(f"有效：链 {proof['chain_id']} 的 {proof['validators']} 个验证者中有 {proof['signers']} 个签名，达到法定多数，确认 "
          f"{proof['by']} 的记录 {proof['id']} 由公钥 {proof['kid']} 签署，于 {proof['time']} 记入第 {proof['height']} "
          f"区块、日志第 {proof['index']} 位，结果为{'已接受' if not code else '已拒绝' + code}。")
    code = f" ({proof['code']})" if proof["code"] else ""
    print(f"VALID: {proof['signers']} of the {proof['validators']} validators of chain {proof['chain_id']}, a quorum, "
          f"made final that record {proof['id']} of {proof['by']}, signed with key {proof['kid']}, stands in block "
          f"{proof['height']} at index {proof['index']} of the log since {proof['time']} and was {proof['status']}{code}.")
    print("公钥当时属于该成员由验证者保证，整链校验可证实。 / That the key belonged to the member is vouched for by the "
          "validators; verifying the whole chain shows it.")
    print(f"block_id  {proof['block_id']}\nleaf_hash {proof['leaf_hash']}")


def print_chain(proof):
    """Where a valid export ends, in both languages."""
    print(f"有效：链 {proof['chain_id']} 至第 {proof['height']} 区块，共 {proof['records']} 条记录（接受 {proof['accepted']} 条）。")
    print(f"VALID: chain {proof['chain_id']} up to block {proof['height']}, {proof['records']} records, "
          f"{proof['accepted']} of them accepted.")
    print("导出是否完整，须与别处取得的检查点或回执比对。 / Whether the export is complete shows only against a checkpoint "
          "or a receipt from elsewhere.")
    for name in ("height", "records", "root_hash", "block_id", "time"):
        print(f"{name:<9} {proof[name]}")


def read_file(path, limit):
    """The bytes of a file, and no more than one beyond the limit."""
    with open(path, "rb") as file:
        return file.read(limit + 1)


def run(arguments, progress):
    """Does what the command line asks for. Returns the result of a verification that succeeded."""
    if arguments.command == "selftest":
        progress.step = None
        return {"passed": len(selftest())}
    genesis_bytes = read_file(arguments.genesis, MAX_GENESIS)
    if arguments.command == "receipt":
        receipt = read_file(arguments.file, MAX_RECEIPT)
        return verify_receipt(receipt, read_genesis(genesis_bytes), progress)
    with open(arguments.file, "rb") as file:
        return verify_chain(file, read_genesis(genesis_bytes), progress)


def fail(arguments, progress, error):
    """Says what failed and where."""
    where = error.where if progress.line is None else f"line {progress.line}: {error.where}"
    if arguments.json:
        result = {"valid": False, "kind": arguments.command, "step": progress.step, "where": where,
                  "reason": {"zh": error.zh, "en": error.en}}
        if progress.verified_height is not None:
            result["verified_height"] = progress.verified_height
        print(json.dumps(result, ensure_ascii=False))
        return EXIT_INVALID
    zh, en = STEPS.get(progress.step, ("自检", "self-test"))
    print(f"无效：{zh}：{where}：{error.zh}")
    print(f"INVALID: {en}: {where}: {error.en}")
    if progress.verified_height:
        print(f"至第 {progress.verified_height} 区块有效。 / Valid up to block {progress.verified_height}.")
    return EXIT_INVALID


def main(argv=None):
    """The program. Returns the exit status."""
    parser = argparse.ArgumentParser(
        description="校验票链的回执与导出的整链。 / Verifies receipts and exported chains of Piaolian.",
        epilog="退出码 exit status: 0 有效 valid, 5 无效 invalid, 2 用法 usage", allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, metavar, text in (("receipt", "RECEIPT.json", "校验一张回执 / verify a receipt"),
                                ("chain", "CHAIN.ndjson", "校验导出的整链 / verify an exported chain"),
                                ("selftest", None, "运行公布的测试向量 / run the published vectors")):
        command = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        if metavar:
            command.add_argument("file", metavar=metavar)
            command.add_argument("--genesis", required=True, metavar="genesis.json",
                                 help="所信任的创世文件 / the genesis file that is trusted")
        command.add_argument("--json", action="store_true", help="输出一个 JSON 对象 / print one JSON object")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    arguments = parser.parse_args(argv)
    progress = Progress()
    try:
        result = run(arguments, progress)
    except Invalid as error:
        return fail(arguments, progress, error)
    except OSError as error:
        print(f"无法读取 / cannot read: {error}", file=sys.stderr)
        return EXIT_USAGE
    if arguments.json:
        print(json.dumps({"valid": True, "kind": arguments.command, **result}, ensure_ascii=False))
    elif arguments.command == "receipt":
        print_receipt(result)
    elif arguments.command == "chain":
        print_chain(result)
    else:
        print(f"通过 {result['passed']} 项。 / {result['passed']} checks passed.")
    return EXIT_VALID


if __name__ == "__main__":
    try:
        status = main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = 130
    except BrokenPipeError:
        # Whoever read the output is gone; the interpreter must not try to flush it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = EXIT_USAGE
    sys.exit(status)
