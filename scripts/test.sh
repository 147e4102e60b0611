#!/usr/bin/env bash
# Everything that has to hold before a change lands: format, lints, tests, documentation, licences.
# Runs on a machine with the Rust toolchain, gcc, python3 and the openssl command.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }

say "格式 / format"
cargo fmt --all --check

say "静态检查 / lints"
cargo clippy --workspace --all-targets --all-features --locked -- -D warnings

say "测试 / tests"
# Some tests run the commands of other packages, which a test build alone does not make.
cargo build --workspace --bins --locked
if cargo nextest --version >/dev/null 2>&1; then
  cargo nextest run --workspace --locked --no-fail-fast
else
  cargo test --workspace --locked --lib --bins --tests
fi

say "文档测试 / documentation tests"
cargo test --workspace --locked --doc

say "文档 / documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --locked --no-deps --document-private-items

say "网页 / pages in a browser"
scripts/browser_tests.sh

say "许可证 / licences"
if cargo deny --version >/dev/null 2>&1; then
  cargo deny --locked check bans licenses sources
else
  python3 scripts/licences.py
fi

say "全部通过 / all passed"
