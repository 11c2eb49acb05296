#!/usr/bin/env bash
# Runs each fuzz target of the module for FUZZTIME; each package is built once for all
# of its targets. What it finds is kept in the package's testdata/fuzz, where every
# later test run tries it again.
set -euo pipefail
cd "$(dirname "$0")/.."

top=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
corpora=$(go env GOCACHE)/fuzz # where go test keeps what it found worth trying again

# fuzz runs the targets of one package. A worker that has not stopped when the time is
# up is reported as a failure without an input: it is none.
fuzz() { # directory
	local target failed=0 said=$work/said
	cd "$top/$1" || return 1
	go test -c -fuzz . -o "$work/fuzz.test" . || return 1
	for target in $(grep -ho '^func Fuzz[A-Za-z0-9_]*' ./*_test.go | cut -d' ' -f2); do
		echo "$target in $1"
		"$work/fuzz.test" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "${FUZZTIME:-3s}" \
			-test.fuzzcachedir "$corpora/$(go list .)" | tee "$said" && continue
		grep -q '^    context deadline exceeded$' "$said" && ! grep -q 'Failing input' "$said" || failed=1
	done
	return $failed
}

status=0
for directory in $(grep -rl --include='*_test.go' '^func Fuzz' . | xargs dirname | sort -u); do
	(fuzz "$directory") || status=1
done
exit $status
