// Command testreport reads the events of `go test -json` from standard input and
// says what a person wants to know: one line a package, the output of what
// failed, and what was skipped and why.
//
//	go test -json ./... | testreport -skips FILE
//
// Each skipped test is appended to FILE as one line "name: reason". It exits 1
// when a test or a build failed.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// event is one line of `go test -json`; see `go doc test2json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build-output
	Test       string
	Elapsed    float64 // seconds
	Output     string
}

func main() {
	skips := flag.String("skips", os.DevNull, "append a line for each skipped test to this file")
	flag.Parse()

	file, err := os.OpenFile(*skips, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	r := newReport(os.Stdout, file)
	r.read(os.Stdin)
	if err := file.Close(); err != nil || r.failed {
		os.Exit(1)
	}
}

// report collects the output of each running test until its end is known.
type report struct {
	out    io.Writer
	skips  io.Writer
	output map[string]*strings.Builder // by package and test
	failed bool
}

func newReport(out, skips io.Writer) *report {
	return &report{out: out, skips: skips, output: map[string]*strings.Builder{}}
}

func (r *report) read(in io.Reader) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(r.out, lines.Text()) // not an event: a message of the go command
			continue
		}
		r.take(e)
	}
	if lines.Err() != nil {
		fmt.Fprintln(r.out, "reading test events:", lines.Err())
		r.failed = true
	}
}

func (r *report) take(e event) {
	switch e.Action {
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "build-fail":
		r.failed = true
	case "output":
		r.outputOf(e).WriteString(e.Output)
	case "pass", "fail", "skip":
		r.end(e)
	}
}

func (r *report) outputOf(e event) *strings.Builder {
	key := e.Package + " " + e.Test
	if r.output[key] == nil {
		r.output[key] = &strings.Builder{}
	}
	return r.output[key]
}

func (r *report) end(e event) {
	output := r.outputOf(e).String()
	delete(r.output, e.Package+" "+e.Test)
	switch {
	case e.Action == "fail":
		r.failed = true
		fmt.Fprint(r.out, output)
	case e.Action == "skip" && e.Test != "":
		fmt.Fprintf(r.skips, "%s %s: %s\n", e.Package, e.Test, reason(output))
	}
	if e.Test == "" && e.Action != "skip" { // a skipped package has no tests
		fmt.Fprintf(r.out, "%-4s %s %.1fs\n", e.Action, e.Package, e.Elapsed)
	}
}

// position is what testing puts before each line that a test logs.
var position = regexp.MustCompile(`^\s*\S+\.go:\d+: `)

// reason is what a skipped test said, without what testing printed around it.
func reason(output string) string {
	var said []string
	for line := range strings.Lines(output) {
		if !strings.HasPrefix(line, "=== ") && !strings.Contains(line, "--- SKIP") {
			said = append(said, strings.TrimSpace(position.ReplaceAllString(line, "")))
		}
	}
	return strings.Join(said, " ")
}
