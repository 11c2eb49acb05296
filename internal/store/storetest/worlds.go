package storetest

import (
	"flag"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// InWorlds tries a model in as many random worlds as there is time for: a hundred,
// and few where the race detector makes each ten times as long. What it looks for is
// not random, and a run without it looks for the rest. -rapid.checks says otherwise.
func InWorlds(t *testing.T, try func(*rapid.T)) {
	t.Helper()
	if checks := flag.Lookup("rapid.checks"); checks != nil && checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set(strconv.Itoa(worlds)); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = checks.Value.Set(checks.DefValue) }() // which was its value before
	}
	rapid.Check(t, try)
}
