#!/bin/sh
# metrics.sh - the task metrics of the test models, through the C that tfxc emits.
#
#     tests/metrics.sh [MODEL...]
#
# For each model: build/tfxc compiles it, $CC (cc) builds it with its program of
# tests/metrics, the program prints one line per claim. Data: $TFXC_DATA, else
# ../shared/data beside the project; without it everything is skipped. TFXC names another
# compiler than build/tfxc. Exits with 1 if anything failed.

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
data=${TFXC_DATA:-$root/../shared/data}
tfxc=${TFXC:-$root/build/tfxc}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
failed=0

# one <model folder> <prefix, also the program>
one()
{
    if [ ! -d "$data/models/$1" ]; then
        echo "$1 skipped: no data"
        return 0
    fi
    "$tfxc" "$root/examples/models/$1.tfx" --prefix "$2" -o "$work/$2.c" \
        --weights "$data/models/$1/model.safetensors" &&
    "${CC:-cc}" -std=c11 -O3 -march=native -D_POSIX_C_SOURCE=200809L \
        -I"$work" -I"$root/runtime" -I"$root/tests/metrics" \
        "$root/tests/metrics/$2.c" "$work/$2.c" -o "$work/$2" -ljansson -lz -lm &&
    "$work/$2" "$work/$2.packed.safetensors" "$data"
}

for model in ${*:-stories260K nano-sort arena-brackets vit-mnist}; do
    case $model in
    stories260K) prefix=stories260k ;;
    nano-sort) prefix=nano_sort ;;
    arena-brackets) prefix=arena_brackets ;;
    vit-mnist) prefix=vit_mnist ;;
    *)
        echo "$model: no such metric" >&2
        failed=1
        continue
        ;;
    esac
    one "$model" "$prefix" || {
        echo "$model FAILED"
        failed=1
    }
done
exit $failed
