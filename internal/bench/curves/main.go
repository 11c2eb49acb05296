// Command curves is behind `make curves`: it reads what the benchmarks of that name
// printed and writes it into a document and a plot.
//
//	go test -run '^$' -bench Curve ./… >FILE; curves -markdown DOCUMENT -svg PLOT FILE
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/skein-im/skein/internal/bench/proc"
	"github.com/skein-im/skein/internal/bench/report"
)

func main() {
	commit := flag.String("commit", "unknown", "what was measured")
	markdown := flag.String("markdown", "", "document to write the curves into, between its markers")
	svg := flag.String("svg", "", "file for a plot")
	flag.Parse()
	origin := report.Origin{Time: time.Now(), Commit: *commit, Go: runtime.Version(), Machine: proc.Machine(os.TempDir())}
	if err := run(flag.Arg(0), origin, *markdown, *svg); err != nil {
		fmt.Fprintln(os.Stderr, "curves:", err)
		os.Exit(1)
	}
}

func run(output string, origin report.Origin, markdown, svg string) error {
	printed, err := os.ReadFile(output) //nolint:gosec // named by whoever runs it
	if err != nil {
		return err
	}
	measured, err := read(bytes.NewReader(printed))
	if err != nil {
		return fmt.Errorf("%s: %w", output, err)
	}
	measured.Origin = origin
	document, err := os.ReadFile(markdown) //nolint:gosec // likewise
	if err != nil {
		return err
	}
	if document, err = measured.Rewrite(document); err != nil {
		return fmt.Errorf("%s: %w", markdown, err)
	}
	var plot bytes.Buffer
	if err := measured.SVG(&plot); err != nil {
		return err
	}
	if err := os.WriteFile(svg, plot.Bytes(), 0o644); err != nil { //nolint:gosec // a picture of a document
		return err
	}
	return os.WriteFile(markdown, document, 0o644) //nolint:gosec // a document
}
