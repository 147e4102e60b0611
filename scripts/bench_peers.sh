#!/usr/bin/env bash
# Measures this node beside a naive pipeline and PostgreSQL, all in one run on one file system.
# Installs PostgreSQL from Debian's packages where it is absent; its data lie in a temporary folder,
# it listens on a unix socket only, runs as an unprivileged user and ends with this script.
# Everything after -- or any option goes to `load peers`, such as --records 200000 or --json.
set -euo pipefail
cd "$(dirname "$0")/.."

user=postgres
folder=${BENCH_FOLDER:-target/bench/peers}
load=target/release/load

say() { printf '%s\n' "$*" >&2; }

find_server() {
  local bin
  for bin in /usr/lib/postgresql/*/bin; do
    if [ -x "$bin/initdb" ]; then
      echo "$bin"
      return
    fi
  done
  if command -v initdb >/dev/null; then
    dirname "$(command -v initdb)"
  fi
}

bin=$(find_server)
if [ -z "$bin" ]; then
  say "安装 PostgreSQL / installing PostgreSQL"
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >&2
  bin=$(find_server)
fi

# As root the server runs as its own user; otherwise as whoever runs this.
if [ "$(id -u)" -eq 0 ]; then
  as() { runuser -u "$user" -- "$@"; }
else
  user=$(id -un)
  as() { "$@"; }
fi

[ -x "$load" ] || cargo build --release -p benches --bin load

mkdir -p "$folder"
data=$(mktemp -d "$(realpath "$folder")/postgres.XXXXXX")
socket=$(mktemp -d /tmp/bench-postgres.XXXXXX)
started=
cleanup() {
  if [ -n "$started" ]; then
    as "$bin/pg_ctl" -D "$data/data" -m immediate stop >&2 || true
  fi
  rm -rf "$data" "$socket"
}
trap cleanup EXIT

# The server's user must be able to reach its folder, wherever the work tree lies.
reachable=$(dirname "$data")
if ! as test -x "$reachable"; then
  rm -rf "$data"
  data=$(mktemp -d "${TMPDIR:-/var/tmp}/bench-postgres.XXXXXX")
fi
chown "$user" "$data" "$socket"

as "$bin/initdb" -D "$data/data" -U "$user" -A trust --no-locale -E UTF8 >/dev/null
cat >>"$data/data/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$socket'
# Durable as the node is.
fsync = on
synchronous_commit = on
full_page_writes = on
# Room to work in, as a careful administrator would give it on this machine.
shared_buffers = 2GB
work_mem = 64MB
maintenance_work_mem = 512MB
wal_buffers = 64MB
wal_compression = on
max_wal_size = 8GB
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
effective_cache_size = 8GB
random_page_cost = 1.1
jit = off
CONF
as "$bin/pg_ctl" -D "$data/data" -l "$data/log" -w start >/dev/null
started=yes

[ "${1:-}" = -- ] && shift
"$load" peers --postgres "host=$socket user=$user dbname=postgres" \
  --postgres-data "$data/data" "$@"
