#!/usr/bin/env bash
# 票链客户端，只用 curl、OpenSSL 与 coreutils：开具、查验、锁定、入账、拒绝重复报销、离线核验。
# A client of the registry in curl, OpenSSL 3 and coreutils: issue, check, lock, settle, see a
# second claim refused, and verify the submitter's and the validators' signatures offline.
#
#   scripts/client.sh http://127.0.0.1:8080 FOLDER
#
# FOLDER is a demonstration node's: genesis.json, members.json and keys/*.pem.
set -euo pipefail
export LC_ALL=C

server=${1:?用法 / usage: client.sh URL FOLDER}
folder=${2:?用法 / usage: client.sh URL FOLDER}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { printf '%s\n' "$*" >&2; exit 1; }

# The value of a string member of a compact or indented JSON text on standard input. Enough for
# values without escapes, which ids, hashes, codes and file names are.
member() { tr -d '\n' | sed -n "s/.*\"$1\"[[:space:]]*:[[:space:]]*\"\([^\"]*\)\".*/\1/p"; }

# The same for the first of several.
first() { tr -d '\n' | grep -o "\"$1\"[[:space:]]*:[[:space:]]*\"[^\"]*\"" | head -n 1 | sed 's/.*"\([^"]*\)"$/\1/'; }

# The Nth member of the registry (from 1) with a role, one object a line.
with_role() {
  tr -d '\n' < "$folder/members.json" | sed 's/}/}\n/g' | grep "\"$1\"" | sed -n "$2p"
}

chain_id=$(first chain_id < "$folder/genesis.json")
[ -n "$chain_id" ] || fail "genesis.json: chain_id"

# SM2 with SM3. The user id is always given: OpenSSL takes an empty one by default.
sign() { # KEY FILE -> base64 of DER
  openssl dgst -sm3 -sign "$1" -sigopt distid:1234567812345678 -out "$work/der" "$2"
  base64 -w 0 "$work/der"
}

hex_to_bytes() { # hexadecimal -> bytes
  printf '%b' "$(printf '%s' "$1" | sed 's/../\\x&/g')"
}

# One record: the signed message is "piaolian/1", the chain and the record's exact bytes.
submit() { # KEY KID FILE -> status on standard output, answer in $work/answer
  { printf 'piaolian/1\n%s\n' "$chain_id"; cat "$3"; } > "$work/message"
  sig=$(sign "$1" "$work/message")
  { printf '{"kid":"%s","sig":"%s","record":' "$2" "$sig"; cat "$3"; printf '}'; } > "$work/envelope"
  curl --silent --show-error --retry 5 --max-time 60 --output "$work/answer" \
    --write-out '%{http_code}' --header 'Content-Type: application/json' \
    --data-binary "@$work/envelope" "$server/v1/records"
}

# A question that is not public: method, path and query, time, nonce and body are signed.
ask() { # KEY KID METHOD PATH [BODY FILE] -> status on standard output, answer in $work/answer
  body=${5:-/dev/null}
  timestamp=$(date +%s)
  nonce=$(openssl rand -hex 16)
  { printf '%s\n%s\n%s\n%s\n' "$3" "$4" "$timestamp" "$nonce"; cat "$body"; printf '\n'; } > "$work/message"
  sig=$(sign "$1" "$work/message")
  if [ "$body" = /dev/null ]; then data=(); else
    data=(--header 'Content-Type: application/json' --data-binary "@$body")
  fi
  curl --silent --show-error --max-time 60 --output "$work/answer" --write-out '%{http_code}' \
    --request "$3" ${data[@]+"${data[@]}"} \
    --header "Authorization: SM2-WITH-SM3 kid=\"$2\",timestamp=\"$timestamp\",nonce=\"$nonce\",signature=\"$sig\"" \
    "$server$4"
}

expect() { # WANTED GOT WHAT
  [ "$2" = "$1" ] || fail "$3: $2 $(cat "$work/answer")"
}

person() { # PREFIX ROLE PLACE: sets PREFIX_id, _name, _kid and _key
  line=$(with_role "$2" "$3")
  [ -n "$line" ] || fail "members.json: $2 $3"
  for part in id name kid; do
    printf -v "$1_$part" '%s' "$(printf '%s' "$line" | first "$part")"
  done
  printf -v "$1_key" '%s' "$folder/$(printf '%s' "$line" | first key_file)"
}

person seller merchant 1
person buyer employer 1
person other employer 2

today=$(TZ=UTC-8 date +%F)
at() { TZ=UTC-8 date +%FT%T+08:00; }
expires=$(TZ=UTC-8 date -d '+7 days' +%FT%T+08:00)
run=$(date +%s%N | cut -c 1-15)
number="26442$run"
document="D:$number"

# 1. Issue.
cat > "$work/issue.json" <<RECORD
{"type":"invoice.issue","id":"sh-issue-$run","by":"$seller_id","at":"$(at)","invoice":{
"number":"$number","kind":"82","issue_date":"$today",
"seller":{"id":"$seller_id","name":"$seller_name"},"buyer":{"id":"$buyer_id","name":"$buyer_name"},
"lines":[{"name":"*信息技术服务*软件开发","amount":"943.40","tax_rate":"0.06","tax":"56.60"}],
"total_without_tax":"943.40","total_tax":"56.60","total":"1000.00"}}
RECORD
# The blanks around a record are no part of it.
printf '%s' "$(cat "$work/issue.json")" > "$work/issue"
expect 201 "$(submit "$seller_key" "$seller_kid" "$work/issue")" issue
cp "$work/answer" "$work/receipt"
echo "开具 / issued    $document"

# 2. The same bytes again: the original receipt.
expect 200 "$(submit "$seller_key" "$seller_kid" "$work/issue")" replay
cmp -s "$work/answer" "$work/receipt" || fail "the replay is not the original receipt"
echo "重发 / replayed  原回执 / the original receipt"

# 3. Check.
printf '{"items":[{"document":"%s","amount":"1000.00","date":"%s"}]}' "$document" "$today" > "$work/check"
expect 200 "$(ask "$buyer_key" "$buyer_kid" POST /v1/checks "$work/check")" check
verdict=$(member verdict < "$work/answer")
[ "$verdict" = claimable ] || fail "check: $(cat "$work/answer")"
echo "查验 / checked   $verdict"

# 4. Lock and settle 60 %.
lock="sh-lock-$run"
printf '{"type":"claim.lock","id":"%s","by":"%s","at":"%s","document":"%s","amount":"600.00","kind":"employer","reference":"BX-%s","expires_at":"%s"}' \
  "$lock" "$buyer_id" "$(at)" "$document" "$run" "$expires" > "$work/lock"
expect 201 "$(submit "$buyer_key" "$buyer_kid" "$work/lock")" lock
echo "锁定 / locked    600.00"
printf '{"type":"claim.settle","id":"sh-settle-%s","by":"%s","at":"%s","claim":"%s","amount":"600.00","voucher":"V-%s","booked_on":"%s","booking":"02"}' \
  "$run" "$buyer_id" "$(at)" "$lock" "$run" "$today" > "$work/settle"
expect 201 "$(submit "$buyer_key" "$buyer_kid" "$work/settle")" settle
cp "$work/answer" "$work/receipt"
echo "入账 / settled   600.00"

# 5. A second employer is refused, and the refusal is on the chain.
printf '{"type":"claim.lock","id":"sh-again-%s","by":"%s","at":"%s","document":"%s","kind":"employer","reference":"BX-9","expires_at":"%s"}' \
  "$run" "$other_id" "$(at)" "$document" "$expires" > "$work/again"
expect 409 "$(submit "$other_key" "$other_kid" "$work/again")" again
echo "拒绝 / refused   $(first code < "$work/answer")"

# 6. The way back after a lost answer: a signed question without a body.
expect 200 "$(ask "$buyer_key" "$buyer_kid" GET "/v1/records/$buyer_id/sh-settle-$run")" lookup
[ "$(first state < "$work/answer")" = final ] || fail "lookup: $(cat "$work/answer")"
echo "查询 / looked up final"

# 7. Offline: the signatures over the record and over the block, with nothing but the receipt and
#    the genesis file: more than two thirds of the validators' weight must have signed the block.
#    docs/format.md has the layouts; the inclusion path and changes of the validators are checked by
#    `invoice verify`.
public_key() { # HEX of SEC1 -> PEM file
  # SubjectPublicKeyInfo of an SM2 key (GM/T 0009-2023): a fixed head, then the point.
  hex_to_bytes "3059301306072a8648ce3d020106082a811ccf5501822d034200$1" |
    openssl pkey -pubin -inform DER -out "$2"
}
raw_to_der() { # base64 of r || s -> DER file
  bytes=$(printf '%s' "$1" | base64 -d | od -An -v -tx1 | tr -d ' \n')
  r=${bytes:0:64} s=${bytes:64:64}
  integer() {
    n=$1
    while [ "${n:0:2}" = 00 ] && [ "${#n}" -gt 2 ]; do n=${n:2}; done
    case ${n:0:1} in [89a-f]) n="00$n" ;; esac
    printf '02%02x%s' $((${#n} / 2)) "$n"
  }
  inner="$(integer "$r")$(integer "$s")"
  hex_to_bytes "$(printf '30%02x%s' $((${#inner} / 2)) "$inner")" > "$2"
}
verify() { # PUBLIC KEY PEM, SIGNATURE DER, MESSAGE
  openssl dgst -sm3 -verify "$1" -sigopt distid:1234567812345678 -signature "$2" "$3" > "$work/verdict" ||
    fail "signature: $(cat "$work/verdict")"
}

authorization=$(tr -d '\n' < "$work/receipt" | grep -o '"authorization":{.*')
public_key "$(printf '%s' "$authorization" | first public_key)" "$work/submitter.pem"
raw_to_der "$(printf '%s' "$authorization" | first sig)" "$work/sig"
{ printf 'piaolian/1\n%s\n' "$chain_id"; cat "$work/settle"; } > "$work/message"
verify "$work/submitter.pem" "$work/sig" "$work/message"
echo "核验 / verified  提交者签名 / the submitter's signature"

# The vote of a certificate: its text, the chain, then 1 (precommit), height and round in 8 bytes
# each, 1 and the block id, the voter. The block id is SM3 over 0x02 and the header.
if grep -q '"validator_changes"' "$work/receipt"; then
  fail "验证者已变更，请用 invoice verify 核验 / the validators have changed: use \`invoice verify\`"
fi
header=$(first header < "$work/receipt")
hex_to_bytes "02$header" > "$work/header"
block_id=$(openssl dgst -sm3 -r "$work/header" | cut -d ' ' -f 1)
number_of() { tr -d '\n' < "$work/receipt" | grep -o "\"$1\":[0-9]*" | head -n 1 | cut -d : -f 2; }
height=$(number_of height) round=$(number_of round)
votes=$(tr -d '\n' < "$work/receipt" | grep -o '"signatures":\[[^]]*\]' | head -n 1)
validators=$(tr -d '\n' < "$folder/genesis.json" | grep -o '"validators"[^]]*\]')
good=0 signed=0 total=0
while IFS= read -r validator; do
  key=$(printf '%s' "$validator" | first public_key || true)
  [ -n "$key" ] || continue
  weight=$(printf '%s' "$validator" | grep -o '"weight"[[:space:]]*:[[:space:]]*[0-9]*' | grep -o '[0-9]*$')
  total=$((total + weight))
  hex_to_bytes "$key" > "$work/sec1"
  kid=$(openssl dgst -sm3 -r "$work/sec1" | cut -c 1-32)
  sig=$(printf '%s' "$votes" | tr '}' '\n' | grep "\"$kid\"" | first sig || true)
  [ -n "$sig" ] || continue
  public_key "$key" "$work/validator.pem"
  raw_to_der "$sig" "$work/sig"
  {
    printf 'piaolian/1/vote\n%s\n' "$chain_id"
    hex_to_bytes "01$(printf '%016x%016x' "$height" "$round")01$block_id$kid"
  } > "$work/message"
  verify "$work/validator.pem" "$work/sig" "$work/message"
  good=$((good + 1))
  signed=$((signed + weight))
done < <(printf '%s' "$validators" | sed 's/}/}\n/g')
# Weights are added up as 63-bit numbers, which the genesis file of a real chain is far below.
[ $((3 * signed)) -gt $((2 * total)) ] ||
  fail "区块 $height 只有权重 $signed/$total 的验证者签名，未过三分之二 / block $height is signed by $signed of $total of the validators' weight, no more than two thirds"
echo "核验 / verified  $good 个验证者签名（权重 $signed/$total）/ validator signatures over block $height"
