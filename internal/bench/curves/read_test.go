package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/bench/report"
)

const printed = `goos: linux
cpu: Some CPU @ 2 GHz
BenchmarkCurveInbox/sync,_ids_by_time/conversations=50-2        1   60.0 CPU-µs/sync
BenchmarkCurveInbox/sync,_ids_by_time/conversations=5000-2      1   75.5 CPU-µs/sync
BenchmarkCurveInbox/sync,_ids_by_time/conversations=50#01-2     1  900 CPU-µs/sync
BenchmarkCurveInbox/sync,_ids_by_time/conversations=5000#01-2   1   70 CPU-µs/sync
BenchmarkCurveInbox/sync,_ids_by_time/conversations=50#02-2     1   50 CPU-µs/sync
BenchmarkCurveInbox/sync,_ids_by_time/conversations=5000#02-2   1   80 CPU-µs/sync
BenchmarkAppend/16_at_once-2   	     100	     69480 ns/op
PASS
ok  	example.com/a	14.238s
BenchmarkCurveIdle/memory/sockets=10000   1  5469 RSS-B/socket
BenchmarkCurveIdle/memory/sockets=1000    1  7078 RSS-B/socket
PASS
`

func TestResultsBecomeCurvesOfMedians(t *testing.T) {
	got, err := read(strings.NewReader(printed))
	want := report.Curves{Repetitions: 3, Groups: []report.Group{
		{Name: "Inbox", Of: "conversations", Curves: []report.Curve{
			{Work: "sync, ids by time", Unit: "CPU µs a sync", Points: []report.Point{{Size: 50, Cost: 60}, {Size: 5000, Cost: 75.5}}},
		}},
		{Name: "Idle", Of: "sockets", Curves: []report.Curve{
			{Work: "memory", Unit: "RSS B a socket", Points: []report.Point{{Size: 1000, Cost: 7078}, {Size: 10_000, Cost: 5469}}},
		}},
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func TestWhatIsNoCurveIsRefused(t *testing.T) {
	const first = "BenchmarkCurveA/work/things=10-2 1 60 CPU-µs/op\n"
	const second = "BenchmarkCurveA/work/things=20-2 1 60 CPU-µs/op\n"
	for name, output := range map[string]string{
		"nothing":                  "",
		"other benchmarks":         "BenchmarkAppend-2 100 69480 ns/op\nPASS\n",
		"one size":                 first,
		"nothing at the smallest":  "BenchmarkCurveA/work/things=1-2 1 0 CPU-µs/op\n" + first,
		"two figures":              first + "BenchmarkCurveA/work/things=20-2 1 60 CPU-µs/op 3 ns/op\n",
		"a name without a size":    first + second + "BenchmarkCurveA/work-2 1 60 CPU-µs/op\n",
		"a figure that is none":    first + second + "BenchmarkCurveA/work/things=30-2 1 many CPU-µs/op\n",
		"a benchmark that failed":  first + second + "--- FAIL: BenchmarkCurveB\n",
		"a package that failed":    first + second + "FAIL\texample.com/a 1s\n",
		"a size that is no number": first + second + "BenchmarkCurveA/work/things=99999999999999999999-2 1 60 CPU-µs/op\n",
	} {
		if got, err := read(strings.NewReader(output)); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}

func TestTheDocumentAndThePlotAreWritten(t *testing.T) {
	dir := t.TempDir()
	output, document, plot := filepath.Join(dir, "curves.txt"), filepath.Join(dir, "performance.md"), filepath.Join(dir, "curves.svg")
	const before, after = "# Performance\n\n<!-- measured: written by make curves -->\n", "<!-- end of what was measured -->\n\nmore\n"
	for file, text := range map[string]string{output: printed, document: before + "old\n" + after} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(output, report.Origin{Commit: "abc1234"}, document, plot); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(document)
	text := string(written)
	if err != nil || !strings.HasPrefix(text, before) || !strings.HasSuffix(text, after) || strings.Contains(text, "old") ||
		!strings.Contains(text, "at abc1234") || !strings.Contains(text, "| sync, ids by time, CPU µs a sync | 60 | 75.5 |") {
		t.Errorf("document: %v\n%s", err, text)
	}
	if drawn, err := os.ReadFile(plot); err != nil || !strings.Contains(string(drawn), "sync, ids by time") {
		t.Errorf("plot: %v\n%s", err, drawn)
	}
}

func TestFilesAreLeftAloneWithoutCurves(t *testing.T) {
	dir := t.TempDir()
	output, document, plot := filepath.Join(dir, "curves.txt"), filepath.Join(dir, "performance.md"), filepath.Join(dir, "curves.svg")
	for name, files := range map[string]map[string]string{
		"a benchmark failed":     {output: printed + "FAIL\n", document: "<!-- measured: written by make curves -->\n<!-- end of what was measured -->\n"},
		"there is no place":      {output: printed, document: "# Performance\n"},
		"the place has no end":   {output: printed, document: "<!-- measured: written by make curves -->\n"},
		"the place is another's": {output: printed, document: "<!-- measured: written by make bench -->\n<!-- end of what was measured -->\n"},
	} {
		for file, text := range files {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := run(output, report.Origin{}, document, plot)
		kept, _ := os.ReadFile(document)
		if _, missing := os.Stat(plot); err == nil || string(kept) != files[document] || missing == nil {
			t.Errorf("%s: error %v, document %q", name, err, kept)
		}
	}
}
