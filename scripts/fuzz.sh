#!/usr/bin/env bash
# Runs each fuzz target of the module for FUZZTIME, as many at a time as there are
# processors, each with one worker. What it finds is kept in the package's testdata/fuzz,
# where every later test run tries it again.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export corpora
corpora=$(go env GOCACHE)/fuzz # where go test keeps what it found worth trying again

# fuzz runs one target and shows its output when it ends. A worker that has not stopped
# when the time is up is reported as a failure without an input: it is none.
fuzz() { # binary, directory, import path, target
	local said=$1.$4 failed=0
	cd "$2" || return 1
	"$1" -test.run '^$' -test.fuzz "^$4\$" -test.fuzztime "${FUZZTIME:-3s}" -test.parallel 1 \
		-test.fuzzcachedir "$corpora/$3" >"$said" 2>&1 ||
		{ grep -q '^    context deadline exceeded$' "$said" && ! grep -q 'Failing input' "$said"; } || failed=1
	echo "$4 in $2"
	cat "$said"
	return $failed
}
export -f fuzz

status=0
for directory in $(grep -rl --include='*_test.go' '^func Fuzz' . | xargs dirname | sort -u); do
	binary=$work/$(tr / _ <<<"$directory").test
	if ! go test -c -fuzz . -o "$binary" "$directory"; then
		status=1
		continue
	fi
	for target in $(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$directory"/*_test.go | cut -d' ' -f2); do
		echo "$binary $directory $(go list "$directory") $target"
	done
done >"$work/targets"
xargs -P "$(nproc)" -L 1 bash -c 'fuzz "$@"' fuzz <"$work/targets" || status=1
exit $status
