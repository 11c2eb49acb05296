#!/usr/bin/env bash
# Runs everything that can be known about this tree: tests of all packages and of
# the contracts, the built binary from outside, linters, fuzz targets for some
# seconds each, known vulnerabilities. It goes on after a failure, so that one run
# tells all, and names what it had to skip. With CI=true a skip is a failure; only
# the vulnerability database may be out of reach.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

SKIPS=$(mktemp)
export SKIPS # one line for each thing that could not be tried
trap 'rm -f "$SKIPS"' EXIT
failed=()
took=()

step() { # name, command …
	local name=$1 start=$SECONDS
	shift
	printf '\n== %s\n' "$name"
	"$@" || failed+=("$name")
	took+=("$(printf '%4ds  %s' $((SECONDS - start)) "$name")")
}

# tests runs Go tests and shows what failed and was skipped.
tests() { go test -json "$@" | bin/testreport -skips "$SKIPS"; }

# memory is a directory in memory where there is one with room, for stores that need
# no disk: the tests of lost power and of syncs bring their own, or watch the syscalls.
memory() {
	local free
	free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -1)
	if ((${free:-0} > 1 << 20)); then echo /dev/shm; else echo "${TMPDIR:-/tmp}"; fi
}

# uninstrumented keeps the race detector out of what SQLite was translated to, which is
# one goroutine's at a time and takes ten times as long with it. What calls it is watched,
# the driver too, so that two goroutines at one connection are still seen.
uninstrumented=-gcflags=github.com/ncruces/go-sqlite3-wasm/...=-race=false

# slow are tests that run without the race detector alone: those of one goroutine that
# damage a log thousands of times, and the contract over two caches, whose code runs with
# it in the contract over one.
slow='NeverAnswered|AnyByteOfTheLog|TestTwoCachesContract'

# unit leaves out what has a step or a command of its own. Tests of allocations are
# named for it: the race detector allocates, so they run without it. So do the slow
# ones, and once more the models of the store, which see few worlds with it; that of the
# contract over one cache is left out, since the one over two asks the same.
unit() {
	local packages allocating status=0
	local -x GOTMPDIR=${TMPDIR:-/tmp} TMPDIR
	TMPDIR=$(memory)
	packages=$(go list ./... | grep -vE '/(e2e|bench|chaos)$')
	allocating=$(grep -rl --include='*_test.go' '^func Test.*Alloc' internal | xargs dirname | sort -u)
	go build -C tools -o ../bin/testreport ./testreport || return 1
	tests -race "$uninstrumented" -shuffle=on -skip "Alloc|$slow" $packages || status=1
	tests -run Alloc ${allocating//internal/.\/internal} || status=1
	tests -shuffle=on -run "$slow|^TestSQLite\$/model|Mirrors?TheEngine" ./internal/store/... || status=1
	go test -C tools ./... || status=1
	return $status
}

# end_to_end tests the binary that is shipped. What the tests see depends on more
# than Go files, so no result is taken from the cache.
end_to_end() {
	local -x GOTMPDIR=${TMPDIR:-/tmp} TMPDIR
	TMPDIR=$(memory)
	make --no-print-directory build && SKEIN_E2E_BIN=$PWD/bin/skein tests -count=1 -timeout 10m ./e2e
}

# chaos plays one short round of `make chaos` on a server of its own build.
chaos() { tests -count=1 -timeout 5m ./chaos; }

web() {
	if ! command -v node >/dev/null; then
		echo "web/test: no node to run it" >>"$SKIPS"
		return 0
	fi
	node --test --test-reporter=dot web/test/*.test.js
}

step "install" scripts/install.sh
step "unit and contract tests, with the race detector" unit
step "end to end" end_to_end
step "chaos" chaos
step "web" web
step "clients" scripts/clients.sh
step "check" make --no-print-directory --keep-going check
step "fuzz" make --no-print-directory fuzz

printf '\n== times\n'
printf '%s\n' "${took[@]}"

status=0
if [[ -s $SKIPS ]]; then
	printf '\n== skipped\n'
	cat "$SKIPS"
	if [[ ${CI:-} == true ]] && grep -qv '^vulnerability database' "$SKIPS"; then
		echo "In CI nothing may be skipped but the vulnerability database."
		status=1
	fi
fi
if ((${#failed[@]})); then
	printf '\n== failed\n'
	printf '%s\n' "${failed[@]}"
	status=1
fi
((status)) || printf '\nAll good.\n'
exit $status
