#!/usr/bin/env bash
# Instructions of the hot parts, for each thing that a part handles, as a table in Markdown.
# Needs valgrind. Counts do not depend on what else the machine does, so two versions can be
# compared; they say nothing about memory or about how many instructions go into one cycle.
# Usage: scripts/instruction_counts.sh [PART...]   (a part by its whole name or its beginning)
set -euo pipefail
cd "$(dirname "$0")/.."

command -v valgrind >/dev/null || {
  echo "需要 valgrind / valgrind is needed" >&2
  exit 1
}
program=$(cargo bench --quiet --package benches --bench instructions --no-run --message-format json |
  python3 -c 'import json, sys
lines = map(json.loads, sys.stdin)
print([line["executable"] for line in lines if line.get("target", {}).get("name") == "instructions"][-1])')

counts() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 </dev/null |
    sed -n 's/.*Collected : //p'
}

wanted() {
  [[ $# -eq 1 ]] && return 0
  local name=$1 start
  shift
  for start in "$@"; do [[ $name == "$start"* ]] && return 0; done
  return 1
}

echo "| part | instructions |"
echo "|---|---:|"
"$program" | while read -r name things; do
  wanted "$name" "$@" || continue
  one=$(counts "$name" 1)
  three=$(counts "$name" 3)
  echo "| $name | $(((three - one) / 2 / things)) |"
done
