#!/usr/bin/env bash
# Runs every fuzz target for SECONDS, as many at once as there are cores, and fails on any crash,
# hang, or memory beyond the limit. Needs a Rust toolchain and a C++ compiler; cargo-fuzz is installed
# by name if it is not there. Usage: fuzz/run.sh SECONDS [TARGET…]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?usage: fuzz/run.sh SECONDS [TARGET…]}
shift
export CARGO_TERM_COLOR=never
# The stable compiler has the flags that cargo-fuzz uses, behind this switch.
export RUSTC_BOOTSTRAP=1
command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked

# All code is safe Rust: without a sanitizer panics, hangs and memory are caught as well, and twice as fast.
cargo fuzz build --sanitizer none
host=$(rustc -vV | sed -n 's/^host: //p')
bin=${CARGO_TARGET_DIR:-fuzz/target}/$host/release
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

fuzz() {
    local target=$1 log=$logs/$1
    mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
    if "$bin/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="fuzz/artifacts/$target/" "fuzz/corpus/$target" "fuzz/seeds/$target" >"$log" 2>&1; then
        printf '%-10s ok, %s runs\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    else
        printf '%-10s FAILED\n' "$target"
        tail -40 "$log"
        return 1
    fi
}
export -f fuzz
export seconds bin logs

{ if (($#)); then printf '%s\n' "$@"; else cargo fuzz list; fi } | xargs -P "$(nproc)" -I{} bash -c 'fuzz {}'
