#!/bin/sh
# run.sh CLANG SECONDS SRCDIR TOP_BUILDDIR TARGET...: builds each target with libFuzzer and lets it search that long. What it
# found goes to fuzz/found/TARGET, an input that fails to fuzz/found/TARGET-crash-*.
set -eu
clang=$1 seconds=$2 src=$3 top=$4
shift 4
helper=$src/../helper
mkdir -p fuzz/found
command -v "$clang" >/dev/null || { echo "no $clang: install clang, or say FUZZ_CLANG=" >&2; exit 1; }
for target; do
	case $target in
	request) more="$src/fuzz/receive.c $helper/step/request.c" ;;
	step) more="$src/fuzz/receive.c $helper/worker/step.c" ;;
	wire) more=$src/fuzz/receive.c ;;
	*) more= ;;
	esac
	# shellcheck disable=SC2086
	"$clang" -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -D_GNU_SOURCE \
		-I"$top" -I"$helper" -DSLXC_CONF_FILE='"slxc.conf"' -DSLXC_STOREDIR='"/store"' \
		-o "fuzz/fuzz_$target" "$src/fuzz/fuzz_$target.c" $more \
		"$helper"/common/err.c "$helper"/common/io.c "$helper"/common/name.c "$helper"/common/path.c \
		"$helper"/common/conf.c "$helper"/common/wire.c
	mkdir -p "fuzz/found/$target"
	echo "fuzz $target: $seconds seconds"
	"fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=66000 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="fuzz/found/$target-" "fuzz/found/$target" "$src/fuzz/corpus/$target"
done
