package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/bench/report"
)

// curves has what is flat, what just reaches its target, what falls, what leaves the
// panel, what was not measured at every size, and names and sizes that would lie on
// each other.
func curves() report.Curves {
	return report.Curves{Origin: origin(), Repetitions: 5, Groups: []report.Group{
		{Name: "Conversation", Of: "messages", Curves: []report.Curve{
			{Work: "send", Unit: "CPU µs a message", Points: []report.Point{{1000, 20.04}, {100_000, 22}, {10_000_000, 30.06}}},
			{Work: "newest page", Unit: "CPU µs a page", Points: []report.Point{{1000, 60}, {100_000, 61}, {10_000_000, 60.4}}},
			{Work: "last page <20>", Unit: "CPU µs a page", Points: []report.Point{{1000, 60}, {10_000_000, 42}}},
		}},
		{Name: "Inbox", Of: "conversations", Curves: []report.Curve{
			{Work: "sync", Unit: "CPU µs a sync", Points: []report.Point{{50, 60}, {5000, 66}}},
			{Work: "sync, others changed too", Unit: "CPU µs a sync", Points: []report.Point{{50, 120}, {5000, 4600}}},
		}},
		{Name: "App", Of: "conversations", Curves: []report.Curve{
			{Work: "login", Unit: "CPU µs a login", Points: []report.Point{{1000, 10}, {1_000_000, 31}}},
			{Work: "send", Unit: "CPU µs a message", Points: []report.Point{{1000, 60}, {10_000, 61}, {100_000, 120}, {300_000, 150}, {1_000_000, 240}}},
		}},
	}}
}

func TestCurvesAreWrittenBetweenTheirOwnMarkers(t *testing.T) {
	const bench = "<!-- measured: written by make bench -->\nof bench\n<!-- end of what was measured -->\n"
	const begin, end = "<!-- measured: written by make curves -->\n", "<!-- end of what was measured -->\n"
	got, err := curves().Rewrite([]byte(bench + "\n## What must not grow\n\n" + begin + "old\n" + end + "\nWhy:\n"))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "curves.md", got)
	if again, err := curves().Rewrite(got); err != nil || !bytes.Equal(again, got) {
		t.Errorf("a second time: %v\n%s", err, again)
	}
	if got, err := curves().Rewrite([]byte(bench)); err == nil {
		t.Errorf("without its markers the document became %q, want an error", got)
	}
}

func TestCurvesPlot(t *testing.T) {
	var b bytes.Buffer
	if err := curves().SVG(&b); err != nil {
		t.Fatal(err)
	}
	goldenPlot(t, "curves.svg", b.Bytes())
}

func TestACurveMayGrowByHalf(t *testing.T) {
	for name, tt := range map[string]struct {
		largest float64
		want    string
	}{
		"it falls":        {50, "| 0.5 × | ≤ 1.5 × | reached |"},
		"just half":       {150, "| 1.5 × | ≤ 1.5 × | reached |"},
		"more than half":  {152, "| 1.52 × | ≤ 1.5 × | missed |"},
		"many times":      {2500, "| 25 × | ≤ 1.5 × | missed |"},
		"what is between": {100, "| 1 × | ≤ 1.5 × | reached |"},
	} {
		c := report.Curves{Groups: []report.Group{{Name: "A", Of: "things", Curves: []report.Curve{
			{Work: "work", Unit: "µs", Points: []report.Point{{1, 100}, {10, 900}, {100, tt.largest}}},
		}}}}
		got, err := c.Rewrite([]byte("<!-- measured: written by make curves -->\n<!-- end of what was measured -->\n"))
		if err != nil || !strings.Contains(string(got), tt.want) {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, tt.want)
		}
	}
}
