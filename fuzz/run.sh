#!/usr/bin/env bash
# Runs every fuzz target, as many at once as there are cores, and fails on any crash, hang, or memory
# beyond the limit. With `seconds` each run looks for something new; with `runs` it begins with the same
# seed each time (only the order of hash maps differs), so that what fails is most likely the fault of a
# change. Needs a Rust toolchain and a C++ compiler; cargo-fuzz is installed by name if it is not there.
# Usage: fuzz/run.sh (seconds|runs) COUNT [TARGET…]
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1-} in
    seconds) limits="-max_total_time=${2:?COUNT is missing}" ;;
    runs) limits="-runs=${2:?COUNT is missing} -seed=1 -reload=0" ;;
    *) echo 'usage: fuzz/run.sh (seconds|runs) COUNT [TARGET…]' >&2; exit 2 ;;
esac
shift 2
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
    # Two words or more in `limits`.
    # shellcheck disable=SC2086
    if "$bin/$target" $limits -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
        -artifact_prefix="fuzz/artifacts/$target/" "fuzz/corpus/$target" "fuzz/seeds/$target" >"$log" 2>&1; then
        printf '%-10s ok, %s runs\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    else
        printf '%-10s FAILED\n' "$target"
        tail -40 "$log"
        return 1
    fi
}
export -f fuzz
export limits bin logs

{ if (($#)); then printf '%s\n' "$@"; else cargo fuzz list; fi } | xargs -P "$(nproc)" -I{} bash -c 'fuzz {}'
