package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/bench/report"
)

// update writes the golden files anew: go test ./internal/bench/report -update.
var update = flag.Bool("update", false, "write the golden files")

func origin() report.Origin {
	return report.Origin{
		Time: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC), Version: "v1", Commit: "abc1234", Go: "go1.26.8",
		Machine: "2 cores, 24 GiB, ext4",
	}
}

// example has one value of each kind: reached and missed, from above and below, far
// past its target, with a floor, without a target.
func example() report.Report {
	floor := func(f float64) *float64 { return &f }
	return report.Report{
		Origin: origin(), Server: "its own server, durable", Seed: 7,
		Results: []report.Result{
			{
				Scenario: "pairs", Phase: "window 16", About: "500 pairs, 16 under way each",
				Values: []report.Value{
					{Name: "server CPU a message", Value: 68.14, Unit: "µs", Target: report.AtMost(40), Floor: floor(9.5)},
					{Name: "messages a second", Value: 30120.4, Target: report.AtLeast(25000), Floor: floor(107000)},
					{Name: "generator CPU a message", Value: 9.96, Unit: "µs"},
				},
				Checked: "1,000 messages",
			},
			{
				Scenario: "idle", About: "10,000 sockets & nothing <else>",
				Values:  []report.Value{{Name: "server CPU", Value: 0.4, Unit: "%", Target: report.AtMost(1)}, {Name: "RSS a socket", Value: 58000, Unit: "B", Target: report.AtMost(5000)}},
				Checked: "10,000 sockets",
				Faults:  []string{"c: r got seq 3 again: doubled"},
			},
		},
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := report.Headings(&b); err != nil {
		t.Fatal(err)
	}
	for _, r := range example().Results {
		if err := r.Table(&b); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "table.txt", b.Bytes())
}

func TestPlot(t *testing.T) {
	var b bytes.Buffer
	if err := example().SVG(&b); err != nil {
		t.Fatal(err)
	}
	goldenPlot(t, "plot.svg", b.Bytes())
}

func goldenPlot(t *testing.T, name string, got []byte) {
	t.Helper()
	golden(t, name, got)
	for d := xml.NewDecoder(bytes.NewReader(got)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the plot is not XML: %v", err)
		}
	}
}

func TestADocumentIsRewrittenBetweenItsMarkers(t *testing.T) {
	const before, after = "# Performance\n\n", "\n## What stands in the way\n"
	const begin, end = "<!-- measured: written by make bench -->\n", "<!-- end of what was measured -->\n"
	got, err := example().Rewrite([]byte(before + begin + "old\n" + end + after))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "document.md", got)
	again, err := example().Rewrite(got)
	if err != nil || !bytes.Equal(again, got) {
		t.Errorf("a second time: %v\n%s", err, again)
	}
}

func TestADocumentWithoutMarkersIsLeftAlone(t *testing.T) {
	for _, document := range []string{"", "# Performance\n", "<!-- measured: written by make bench -->\nno end\n"} {
		if got, err := example().Rewrite([]byte(document)); err == nil {
			t.Errorf("%q became %q, want an error", document, got)
		}
	}
}

func TestJSONSaysWhatTheTableSays(t *testing.T) {
	var b bytes.Buffer
	if err := example().JSON(&b); err != nil {
		t.Fatal(err)
	}
	var got report.Report
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if v := got.Results[0].Values[1]; v.Value != 30120.4 || !v.Target.AtLeast || *v.Floor != 107000 || got.Commit != "abc1234" {
		t.Errorf("got %s", b.String())
	}
	if !strings.Contains(b.String(), "nothing <else>") {
		t.Errorf("text is escaped for HTML: %s", b.String())
	}
}

func TestATargetIsReachedFromItsSide(t *testing.T) {
	for name, tt := range map[string]struct {
		value  float64
		target *report.Target
		want   bool
	}{
		"no target":        {1, nil, true},
		"below the most":   {39.9, report.AtMost(40), true},
		"just the most":    {40, report.AtMost(40), true},
		"above the most":   {40.1, report.AtMost(40), false},
		"above the least":  {41, report.AtLeast(40), true},
		"just the least":   {40, report.AtLeast(40), true},
		"below the least":  {39, report.AtLeast(40), false},
		"nothing at least": {0, report.AtLeast(40), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := (report.Value{Value: tt.value, Target: tt.target}).Reached(); got != tt.want {
				t.Errorf("%v of %+v: got %v, want %v", tt.value, tt.target, got, tt.want)
			}
		})
	}
}

func TestFaultyResultsAreNamed(t *testing.T) {
	if got := example().Faulty(); len(got) != 1 || got[0] != "idle" {
		t.Errorf("got %q, want idle", got)
	}
}
