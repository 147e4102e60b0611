#!/usr/bin/env bash
# The pages' modules under Node.js, and the pages themselves in a headless Chromium against a
# demonstration node. What must hold, and what is needed: docs/testing.md.
#
#   scripts/browser_tests.sh            everything
#   scripts/browser_tests.sh claims     only the pages' tests whose file begins so
set -euo pipefail
cd "$(dirname "$0")/.."

chromium="${PIAOLIAN_CHROMIUM:-$(command -v chromium || true)}"
if ! command -v node >/dev/null || ! command -v npm >/dev/null || [[ -z $chromium ]]; then
  echo "!! 跳过网页测试：需要 Node.js、npm 和 Chromium" >&2
  echo "!! the tests of the pages are LEFT OUT: they need Node.js, npm and Chromium" >&2
  # A machine that is to test everything says so.
  exit "${PIAOLIAN_BROWSER_TESTS_REQUIRED:-0}"
fi

cargo build --locked -p tax-node --bin tax-node
cd invoice-api/browser-tests
if ! cmp -s package-lock.json node_modules/.installed-lock.json; then
  npm ci --no-audit --no-fund --ignore-scripts
  cp package-lock.json node_modules/.installed-lock.json
fi
export PIAOLIAN_CHROMIUM="$chromium"
if (($# == 0)); then
  node --test modules/
fi
# One after the other: each starts a browser and a node of its own.
for file in pages/"${1:-}"*.test.mjs; do
  node --test "$file"
done
