#!/usr/bin/env bash
# All measurements of docs/performance.md, each bounded in time, as Markdown in target/bench/results.
# Usage: scripts/bench.sh [STEP...]; without steps all of them, in this order:
#   ingest     in process on new stores: signature forms and duplicates
#   http       over sockets on new stores: POST in sizes from 1 to 1,000, and streams
#   light      latency of singles under light load, beside the disk's sync
#   flood      an honest member while another sends junk
#   consortium four validators, each a process: singles and batches, half the load, a late node
#   peers      a naive pipeline and PostgreSQL with the same records
#   fill10     fills a store with 10 million records
#   big10      measures on it: in process, over sockets, the supervisor's pages, checks
#   fill30     goes on to 30 million
#   big30      measures on it
#   parts      criterion's benchmarks of the parts
#   counts     instructions of the hot parts
# BENCH_FOLDER is where input and stores lie (target/bench), BENCH_RECORDS the records of a case
# with a signature each (160,000; three times as many under common signatures).
set -euo pipefail
cd "$(dirname "$0")/.."

folder=${BENCH_FOLDER:-target/bench}
records=${BENCH_RECORDS:-160000}
many=$((records * 3))
results=$folder/results
load=target/release/load
store=$folder/big
common=(--input "$folder/input" --folder "$folder/stores")
mkdir -p "$results"

# Runs a command within so many seconds; what it prints goes to a file as well.
step() {
  local name=$1 seconds=$2
  shift 2
  printf '\n== %s: %s\n' "$name" "$*" >&2
  {
    printf '<!-- %s, %s, load average %s: %s -->\n' "$name" "$(date -u +%FT%TZ)" \
      "$(cut -d' ' -f1 /proc/loadavg)" "$*"
    timeout --foreground "$seconds" "$@" || printf '\nfailed or out of time: %s\n' "$?"
  } | tee "$results/$name.md"
}

ingest() {
  step ingest-single 240 "$load" ingest "${common[@]}" --records "$records" \
    --form single,unhinted --duplicates 0,10,50
  step ingest-batch 240 "$load" ingest "${common[@]}" --records "$many" \
    --form 256,1000 --duplicates 0,10,50
}

http() {
  step http-post-single 120 "$load" http "${common[@]}" --records "$records" --call post \
    --form single,unhinted
  step http-post-batch 120 "$load" http "${common[@]}" --records "$many" --call post \
    --form 10,100,1000
  step http-bulk-single 240 "$load" http "${common[@]}" --records "$records" --call bulk \
    --form single,unhinted --duplicates 0,10,50
  step http-bulk-batch 240 "$load" http "${common[@]}" --records "$many" --call bulk \
    --form 256,1000 --duplicates 0,10,50
}

light() {
  step light 90 "$load" light "${common[@]}" --requests 1000 --rate 50
}

flood() {
  step flood 180 "$load" flood "${common[@]}" --seconds 8 --junk 10000
  # The same with a node that hears every failure out: what batch verification alone can bear.
  step flood-heard 180 "$load" flood "${common[@]}" --seconds 8 --junk 10000 \
    --failures-per-minute 4000000000
}

consortium() {
  step consortium-full 300 "$load" consortium "${common[@]}" --records "$records" --form single,256
  step consortium-alone 120 "$load" consortium "${common[@]}" --records "$records" \
    --form single,256 --validators 1
  step consortium-half 120 "$load" consortium "${common[@]}" --records "$records" --form single \
    --pace 2500 --seconds 20
  step consortium-late 600 "$load" consortium "${common[@]}" --records 1000000 --form single \
    --supervisors 1 --late
}

peers() {
  step peers 420 env BENCH_FOLDER="$folder/peers" scripts/bench_peers.sh "${common[@]}"
}

fill10() { step fill10 900 "$load" fill "${common[@]}" --store "$store" --records 10000000; }
fill30() { step fill30 1500 "$load" fill "${common[@]}" --store "$store" --records 30000000; }

big() {
  step "big$1-ingest-single" 120 "$load" ingest "${common[@]}" --store "$store" \
    --records "$records" --form single
  step "big$1-ingest-batch" 120 "$load" ingest "${common[@]}" --store "$store" \
    --records "$many" --form 256,1000
  step "big$1-http-single" 120 "$load" http "${common[@]}" --store "$store" --call bulk \
    --records "$records" --form single --duplicates 0,10
  step "big$1-http-batch" 120 "$load" http "${common[@]}" --store "$store" --call bulk \
    --records "$many" --form 256
  step "big$1-oversight" 900 "$load" oversight "${common[@]}" --store "$store"
  step "big$1-checks" 120 "$load" checks "${common[@]}" --store "$store" --seconds 10
}

big10() { big 10; }
big30() { big 30; }

parts() {
  step parts 900 cargo bench -p benches --bench parts -- --measurement-time 2 --warm-up-time 0.5
}

counts() { step counts 900 scripts/instruction_counts.sh; }

cargo build --release -p benches --bin load
steps=("$@")
[ ${#steps[@]} -gt 0 ] ||
  steps=(ingest http light flood consortium peers fill10 big10 fill30 big30 parts counts)
for name in "${steps[@]}"; do
  case $name in
  ingest | http | light | flood | consortium | peers | fill10 | big10 | fill30 | big30 | parts | counts)
    "$name"
    ;;
  *)
    echo "未知步骤 / unknown step: $name" >&2
    exit 2
    ;;
  esac
done
