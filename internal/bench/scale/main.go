package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/skein-im/skein/internal/bench/report"
)

func main() {
	markdown := flag.String("markdown", "docs/scale.md", "document to write the tables into, between its markers")
	svg := flag.String("svg", "docs/images/scale.svg", "file for the plot")
	flag.Parse()
	if err := run(*markdown, *svg); err != nil {
		fmt.Fprintln(os.Stderr, "scale:", err)
		os.Exit(1)
	}
}

func run(markdown, svg string) error {
	document, err := os.ReadFile(markdown) //nolint:gosec // named by whoever runs it
	if err != nil {
		return err
	}
	if document, err = report.RewriteSection(document, "make scale", tables()); err != nil {
		return fmt.Errorf("%s: %w", markdown, err)
	}
	if err := os.WriteFile(svg, []byte(plot(report.Style)), 0o644); err != nil { //nolint:gosec // a picture of a document
		return err
	}
	return os.WriteFile(markdown, document, 0o644) //nolint:gosec // a document
}
