#!/usr/bin/env bash
# scale.sh - what tfxc and the C compiler need for models of real size, held against the
# limits. One line a claim; status 1 when one is missed. See README.md.
#
#   ./dev bench scale            TFXC=path takes a tfxc that is built already
#
# Weights are made by `tfxc init` in a folder of their own under ${TMPDIR:-/tmp}, at most
# 4.5 GB of it at a time, and removed at the end.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."

CC=${CC:-gcc}
RUNS=3  # a time is the best of so many, as other work on the machine only adds to it

tfxc=${TFXC:-}
if [ -z "$tfxc" ]; then
    ./dev build >&2
    tfxc=build/tfxc
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/tfxc-scale-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
"$CC" -std=c11 -O2 -o "$work/peak" bench/peak.c

missed=0

claim() {  # claim WHAT VALUE UNIT LIMIT
    local verdict=ok
    if ! awk -v v="$2" -v most="$4" 'BEGIN { exit !(v <= most) }'; then
        verdict=MISSED
        missed=1
    fi
    printf '%-36s %8s %-5s (at most %s) %s\n' "$1" "$2" "$3" "$4" "$verdict"
}

skip() { printf '%-36s skipped: %s\n' "$1" "$2"; }

free_mb() { df -Pm "$work" | awk 'NR == 2 { print $4 }'; }

# measure RUNS COMMAND...: sets wall and cpu (seconds, the best) and memory (MB, the most).
measure() {
    local runs=$1 w c m
    shift
    wall=
    memory=0
    for ((i = 0; i < runs; i++)); do
        "$work/peak" "$work/took" "$@" || { echo "scale.sh: failed: $*" >&2; exit 1; }
        read -r w c m <"$work/took"
        if [ -z "$wall" ] || awk -v a="$w" -v b="$wall" 'BEGIN { exit !(a < b) }'; then
            wall=$w
            cpu=$c
        fi
        [ "$m" -gt "$memory" ] && memory=$m
    done
    return 0
}

init() {  # init MODEL OPTION...: random weights, on disk, so that no flush is measured
    "$tfxc" init "$1" -o "$work/weights.safetensors" "${@:2}"
    sync "$work/weights.safetensors" 2>/dev/null || true
}

size_kb() { cat "$@" | wc -c | awk '{ printf "%.1f", $1 / 1000 }'; }

# ---- BERT-base: 438 MB of f32 weights ------------------------------------------------------

bert() {
    if [ "$(free_mb)" -lt 1500 ]; then
        skip "bert-base" "less than 1.5 GB free in $work"
        return
    fi
    init bench/models/bert-base.tfx
    measure $RUNS "$tfxc" bench/models/bert-base.tfx -o "$work/bert.c" \
        --weights "$work/weights.safetensors"
    claim "bert-base compile" "$wall" s 3.0
    printf '%-36s %8s s\n' "  of it, processor time" "$cpu"
    claim "bert-base compile, memory" "$memory" MB 300
    claim "bert-base C and runtime, no weights" "$(size_kb "$work"/*.[ch])" kB 150
    measure $RUNS "$CC" -std=c11 -O3 -c "$work/bert.c" -o "$work/bert.o"
    claim "bert-base $CC -O3" "$wall" s 5.0
    measure $RUNS "$CC" -std=c11 -O3 -march=native -c "$work/bert.c" -o "$work/bert.o"
    claim "bert-base $CC -O3 -march=native" "$wall" s 5.0
    rm -f "$work"/bert* "$work"/*.safetensors "$work"/*.h
}

# ---- a Llama of 1.1B parameters: 2.2 GB of bf16 weights --------------------------------------

llama() {
    if [ "$(free_mb)" -lt 5000 ]; then
        skip "llama-1b compile, memory" "less than 5 GB free in $work"
        return
    fi
    init bench/models/llama-1b.tfx --dtype bf16
    measure 1 "$tfxc" bench/models/llama-1b.tfx -o "$work/llama.c" \
        --weights "$work/weights.safetensors"
    printf '%-36s %8s s\n' "llama-1b compile" "$wall"
    claim "llama-1b compile, memory" "$memory" MB 300
    rm -f "$work"/llama* "$work"/*.safetensors "$work"/*.h
}

# ---- stories260K: a small model is a small program ---------------------------------------------

stories() {
    init examples/models/stories260K.tfx
    measure 1 "$tfxc" examples/models/stories260K.tfx -o "$work/stories.c" \
        --weights "$work/weights.safetensors"
    claim "stories260K C and header" "$(cat "$work"/stories.[ch] | wc -l)" lines 1500
}

bert
llama
stories
exit $missed
