// Command testreport reads the events of `go test -json` from standard input and
// says what a person wants to know: one line a package, the output of what
// failed and how to run it again, and what was skipped and why.
//
//	go test -json -race ./... | testreport -skips FILE -failures FILE -flags -race
//
// Each skipped test is appended to the first file as one line "name: reason", and what is
// shown of failed tests to the second. It exits 1 when a test or a build failed.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
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
	failures := flag.String("failures", os.DevNull, "append what is shown of failed tests to this file")
	flags := flag.String("flags", "", "the flags of go test that a failed test is run again with")
	flag.Parse()

	failed, err := run(*skips, *failures, *flags)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || failed {
		os.Exit(1)
	}
}

func run(skips, failures, flags string) (failed bool, err error) {
	var files [2]*os.File
	for i, name := range []string{skips, failures} {
		if files[i], err = os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, files[i].Close()) }()
	}
	r := newReport(os.Stdout, files[0], files[1], flags)
	r.read(os.Stdin)
	return r.failed, nil
}

// report collects the output of each running test until its end is known.
type report struct {
	out      io.Writer
	skips    io.Writer
	failures io.Writer
	flags    string
	output   map[test]*strings.Builder
	failed   bool
}

// test is a test of a package. Without a name it is the package itself.
type test struct{ pkg, name string }

func newReport(out, skips, failures io.Writer, flags string) *report {
	return &report{
		out: out, skips: skips, failures: io.MultiWriter(out, failures), flags: flags,
		output: map[test]*strings.Builder{},
	}
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
		fmt.Fprint(r.failures, e.Output)
	case "build-fail":
		r.failed = true
	case "output":
		r.outputOf(e).WriteString(e.Output)
	case "pass", "fail", "skip":
		r.end(e)
	}
}

func (r *report) outputOf(e event) *strings.Builder {
	key := test{e.Package, e.Test}
	if r.output[key] == nil {
		r.output[key] = &strings.Builder{}
	}
	return r.output[key]
}

func (r *report) end(e event) {
	output := r.outputOf(e).String()
	delete(r.output, test{e.Package, e.Test})
	switch {
	case e.Action == "fail":
		r.failed = true
		r.fail(e, output)
	case e.Action == "skip" && e.Test != "":
		fmt.Fprintf(r.skips, "%s %s: %s\n", e.Package, e.Test, reason(output))
	}
	if e.Test == "" && e.Action != "skip" { // a skipped package has no tests
		fmt.Fprintf(r.out, "%-4s %s %.1fs\n", e.Action, e.Package, e.Elapsed)
	}
}

// fail shows what a failed test or package said, and the command that runs it again.
func (r *report) fail(e event, output string) {
	if e.Test == "" {
		r.unfinished(e.Package)
	}
	fmt.Fprint(r.failures, bounded(output))
	again := []string{"go test -count=1"}
	if e.Test != "" {
		again = append(again, "-run", "'"+pattern(e.Test)+"'")
	} else if seed := shuffled.FindString(output); seed != "" {
		again = append(again, strings.Replace(seed, "-test.shuffle ", "-shuffle=", 1))
	}
	again = append(append(again, e.Package), strings.Fields(r.flags)...) // behind the package: some are the binary's own
	fmt.Fprintln(r.failures, "again:", strings.Join(again, " "))
}

// unfinished shows what those tests of a package said whose end is not known: it panicked,
// or its time was over.
func (r *report) unfinished(pkg string) {
	var names []string
	for t := range r.output {
		if t.pkg == pkg {
			names = append(names, t.name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(r.failures, "not finished: %s\n%s", name, bounded(r.output[test{pkg, name}].String()))
		delete(r.output, test{pkg, name})
	}
}

// most bounds, in bytes, what is shown of one test: its beginning and its end.
const most = 64 << 10

func bounded(output string) string {
	if len(output) <= most {
		return output
	}
	return fmt.Sprintf("%s\n… %d bytes …\n%s", output[:most/2], len(output)-most, output[len(output)-most/2:])
}

// pattern is the value of -run for one test.
func pattern(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

// shuffled is what a test binary says of the order of its tests.
var shuffled = regexp.MustCompile(`-test\.shuffle \d+`)

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
