package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/skein-im/skein/internal/bench/report"
)

// result is a line such as
//
//	BenchmarkCurveFanout/message_to_100_online/members=1000#02-2  1  905.0 CPU-µs/message
//
// where #02 is the third repetition and -2 the number of cores. All that is shown of
// a curve is said in it.
var result = regexp.MustCompile(`^BenchmarkCurve([A-Z]\w*)/([^/]+)/(\w+)=(\d+)(?:#\d+)?(?:-\d+)?\s+\d+\s+(\S+) (\S+)$`)

// read takes the results of curves out of what `go test -bench` printed. Figures of
// one point are repetitions, of which it takes the median. Errors: a benchmark that
// failed, a curve of one point, none at all.
func read(printed io.Reader) (report.Curves, error) {
	var r reader
	lines := bufio.NewScanner(printed)
	for lines.Scan() {
		if err := r.line(strings.TrimSpace(lines.Text())); err != nil {
			return report.Curves{}, err
		}
	}
	if err := lines.Err(); err != nil {
		return report.Curves{}, err
	}
	return r.curves()
}

// reader has what was read so far, in the order in which it came first.
type reader struct {
	groups  []report.Group
	figures map[place][]float64
}

// place is a point of a curve.
type place struct {
	group, curve, size int
}

func (r *reader) line(line string) error {
	if strings.HasPrefix(line, "--- FAIL") || strings.HasPrefix(line, "FAIL") {
		return fmt.Errorf("a benchmark failed: %s", line)
	}
	if !strings.HasPrefix(line, "BenchmarkCurve") {
		return nil
	}
	found := result.FindStringSubmatch(line)
	if found == nil {
		return fmt.Errorf("no point of a curve: %s", line)
	}
	size, err := strconv.Atoi(found[4])
	if err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	cost, err := strconv.ParseFloat(found[5], 64)
	if err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	if r.figures == nil {
		r.figures = make(map[place][]float64)
	}
	at := place{group: r.group(found[1], words(found[3])), size: size}
	at.curve = r.curve(at.group, words(found[2]), unit(found[6]))
	r.figures[at] = append(r.figures[at], cost)
	return nil
}

func (r *reader) group(name, of string) int {
	at := slices.IndexFunc(r.groups, func(g report.Group) bool { return g.Name == name && g.Of == of })
	if at < 0 {
		at = len(r.groups)
		r.groups = append(r.groups, report.Group{Name: name, Of: of})
	}
	return at
}

func (r *reader) curve(group int, work, unit string) int {
	g := &r.groups[group]
	at := slices.IndexFunc(g.Curves, func(c report.Curve) bool { return c.Work == work && c.Unit == unit })
	if at < 0 {
		at = len(g.Curves)
		g.Curves = append(g.Curves, report.Curve{Work: work, Unit: unit})
	}
	return at
}

// curves are the medians.
func (r *reader) curves() (report.Curves, error) {
	if len(r.groups) == 0 {
		return report.Curves{}, errors.New("no curves")
	}
	made := report.Curves{Groups: r.groups}
	for at, figures := range r.figures {
		made.Repetitions = max(made.Repetitions, len(figures))
		curve := &made.Groups[at.group].Curves[at.curve]
		curve.Points = append(curve.Points, report.Point{Size: at.size, Cost: median(figures)})
	}
	for _, g := range made.Groups {
		for _, c := range g.Curves {
			slices.SortFunc(c.Points, func(a, b report.Point) int { return cmp.Compare(a.Size, b.Size) })
			if len(c.Points) < 2 || c.Points[0].Cost <= 0 {
				return report.Curves{}, fmt.Errorf("no curve: %s, %s: %v", g.Title(), c.Work, c.Points)
			}
		}
	}
	return made, nil
}

// median is the middle one, the lower of two.
func median(figures []float64) float64 {
	slices.Sort(figures)
	return figures[(len(figures)-1)/2]
}

// words undoes what testing does to blanks in names.
func words(name string) string { return strings.ReplaceAll(name, "_", " ") }

// unit is CPU µs a message, of CPU-µs/message.
func unit(metric string) string { return strings.NewReplacer("-", " ", "/", " a ").Replace(metric) }
