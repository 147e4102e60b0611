#!/usr/bin/env bash
# 演示用的一夹票据：开具、打印，再放进几张有问题的，供报销页面试用。
# A folder of papers to try the clerk's page with: issued and printed here, some with something wrong.
#
#   scripts/papers.sh http://127.0.0.1:8080 piaolian-demo [FOLDER]
#
# The second argument is a demonstration node's folder; FOLDER (papers/ by default) must not exist.
# Run it again with another FOLDER for more. PIAOLIAN_INVOICE names the `invoice` command.
set -euo pipefail

usage='用法 / usage: papers.sh URL DEMO-FOLDER [FOLDER]'
export PIAOLIAN_SERVER=${1:?$usage}
demo=${2:?$usage}
out=${3:-papers}
invoice=${PIAOLIAN_INVOICE:-$(dirname "$0")/../target/release/invoice}
[ -x "$invoice" ] || { echo "缺少 invoice 命令，请先构建 / build the invoice command first: cargo build --release -p invoice-api --bin invoice" >&2; exit 2; }
[ ! -e "$out" ] || { echo "$out: 已存在，请换一个文件夹 / exists, name another folder" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A value of the member with this key file, one object a line.
of() { tr -d '\n' < "$demo/members.json" | sed 's/}/}\n/g' | grep "keys/$1.pem" | sed "s/.*\"$2\"[[:space:]]*:[[:space:]]*\"\([^\"]*\)\".*/\1/"; }
as() { local who=$1; shift; "$invoice" --key "$demo/keys/$who.pem" --by "$(of "$who" id)" "$@" > "$work/said" || { cat "$work/said" >&2; exit 1; }; }

today=$(TZ=UTC-8 date +%F)
started=$(date +%s)
count=0

# Issues an invoice; its number is in $number. BUYER is a key file's name, or 个人.
issue() { # SELLER BUYER ITEM AMOUNT RATE TAX TOTAL
  count=$((count + 1))
  number=$(printf '26339%011d%04d' "$started" "$count")
  local buyer="{\"name\":\"个人\"}"
  [ "$2" = 个人 ] || buyer="{\"id\":\"$(of "$2" id)\",\"name\":\"$(of "$2" name)\"}"
  cat > "$work/invoice.json" <<JSON
{"number":"$number","kind":"82","issue_date":"$today",
 "seller":{"id":"$(of "$1" id)","name":"$(of "$1" name)"},"buyer":$buyer,
 "lines":[{"name":"$3","amount":"$4","tax_rate":"$5","tax":"$6"}],
 "total_without_tax":"$4","total_tax":"$6","total":"$7"}
JSON
  as "$1" issue "$work/invoice.json"
}
print() { as "$1" print "D:$number" --output "$2"; } # WHO FILE

mkdir -p "$out/差旅"
me=employer-1
issue merchant-1 "$me" '*餐饮服务*餐费' 500.00 0.06 30.00 530.00
print "$me" "$out/餐费.pdf"
issue merchant-2 "$me" '*住宿服务*住宿费' 1000.00 0.06 60.00 1060.00
print "$me" "$out/差旅/住宿.ofd"
issue merchant-2 "$me" '*运输服务*客运服务费' 100.00 0.09 9.00 109.00
print "$me" "$out/差旅/客运.xml"
issue merchant-1 "$me" '*办公用品*打印纸' 300.00 0.13 39.00 339.00
for form in pdf ofd xml; do print "$me" "$out/打印纸.$form"; done
issue merchant-1 "$me" '*餐饮服务*餐费' 80.00 0.06 4.80 84.80
print "$me" "$out/二维码.png"
printf '\xef\xbb\xbf发票号码,价税合计,开票日期\r\n' > "$out/清单.csv"
for _ in 1 2; do
  issue merchant-2 "$me" '*物流辅助服务*收派服务费' 50.00 0.06 3.00 53.00
  printf '\t%s,53.00,%s\r\n' "$number" "$today" >> "$out/清单.csv"
done

# 有问题的 / Those with something wrong.
issue merchant-1 employer-2 '*餐饮服务*餐费' 90.00 0.06 5.40 95.40
print employer-2 "$out/抬头是别家.pdf"
issue merchant-1 个人 '*餐饮服务*餐费' 200.00 0.06 12.00 212.00
print merchant-1 "$out/别家已报.pdf"
as employer-2 claim lock "D:$number" --kind employer --reference BX-OTHER --json
lock=$(sed -n 's/.*"id":"\([^"]*\)","record":.*/\1/p' "$work/said")
as employer-2 claim settle "$lock" --amount 212.00 --voucher JZ-1 --booking 02
issue merchant-2 "$me" '*餐饮服务*餐费' 60.00 0.06 3.60 63.60
print "$me" "$out/已红冲.ofd"
as merchant-2 reverse "D:$number" --amount 63.60 --reason 01
issue merchant-1 "$me" '*餐饮服务*餐费' 70.00 0.06 4.20 74.20
print "$me" "$work/altered.xml"
sed 's/74\.20/94.20/g' "$work/altered.xml" > "$out/改过金额.xml"
printf '请尽快报销，谢谢。\n' > "$out/备注.txt"

cat <<TEXT
$out：供 $(of "$me" name) 报销的票据，13 个文件，在报销页面拖入整个文件夹：
13 files of papers of $(of "$me" name) for the clerk's page, to be dropped as a whole folder:
  7 张可报销，合计 2228.80 元；打印纸的三个文件只算一张
  7 can be claimed, 2228.80 yuan in all; the three files of 打印纸 count as one
  4 张有问题：抬头是别家、别家已报、已红冲、改过金额；备注不是票据
  4 have something wrong: another payer, taken by another, reversed, altered; the note is no document
登录 / sign in: $PIAOLIAN_SERVER/app, $demo/keys/$me.pem
TEXT
