// Package report is what was measured, and the ways to show it: of a run of the load
// generator a table on a terminal, JSON, a plot and a part of a document; of curves a
// plot and a part of a document. It measures nothing.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Origin is when, of what and where something was measured.
type Origin struct {
	Time    time.Time `json:"time"`
	Version string    `json:"version"`
	Commit  string    `json:"commit"`
	Go      string    `json:"go"`
	Machine string    `json:"machine"` // processor, memory, file system, in words
}

// Report is one run. The JSON is what people keep to compare runs.
type Report struct {
	Origin

	Server  string   `json:"server"` // which server was measured, in words
	Seed    uint64   `json:"seed"`
	Results []Result `json:"results"`
}

// Result is one phase of a scenario.
type Result struct {
	Scenario string   `json:"scenario"`
	Phase    string   `json:"phase,omitempty"`
	Setup    string   `json:"setup,omitempty"` // which server, where several kinds are compared
	About    string   `json:"about"`           // what was done, for a reader
	Values   []Value  `json:"values"`
	Checked  string   `json:"checked"`          // what was held against what, in words
	Faults   []string `json:"faults,omitempty"` // what was lost, doubled, swapped, refused
}

// Title names the result in one line.
func (r Result) Title() string {
	parts := slices.DeleteFunc([]string{r.Scenario, r.Phase, r.Setup}, func(part string) bool { return part == "" })
	return strings.Join(parts, ", ")
}

// Value is one figure.
type Value struct {
	Name   string   `json:"name"`
	Value  float64  `json:"value"`
	Unit   string   `json:"unit,omitempty"`
	Target *Target  `json:"target,omitempty"`
	Floor  *float64 `json:"floor,omitempty"` // of a bare relay, in the same run
}

// Target is what a value is to reach.
type Target struct {
	Limit   float64 `json:"limit"`
	AtLeast bool    `json:"at_least,omitempty"` // otherwise: at most
}

// AtMost is a target from above.
func AtMost(limit float64) *Target { return &Target{Limit: limit} }

// AtLeast is a target from below.
func AtLeast(limit float64) *Target { return &Target{Limit: limit, AtLeast: true} }

// Reached says whether the value, as it is shown, is on the right side.
func (v Value) Reached() bool { return v.Target == nil || v.share() <= 1 }

// share is how much of the target is used up; above 1 it is missed.
func (v Value) share() float64 { return v.shareOf(v.Value) }

func (v Value) shareOf(value float64) float64 {
	if v.Target.AtLeast {
		return v.Target.Limit / value
	}
	return value / v.Target.Limit
}

// Faulty are the titles of the results that have faults.
func (r Report) Faulty() []string {
	var titles []string
	for _, result := range r.Results {
		if len(result.Faults) > 0 {
			titles = append(titles, result.Title())
		}
	}
	return titles
}

// JSON writes the report as an indented object.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// The cells of a value, as all tables have them. Empty: nothing to say.
func (v Value) measured() string { return withUnit(v.Value, v.Unit) }

func (v Value) floor() string {
	if v.Floor == nil {
		return ""
	}
	return withUnit(*v.Floor, v.Unit)
}

func (v Value) ratio() string {
	if v.Floor == nil || *v.Floor == 0 {
		return ""
	}
	return number(v.Value/(*v.Floor)) + " ×"
}

func (v Value) target() string {
	switch {
	case v.Target == nil:
		return ""
	case v.Target.AtLeast:
		return "≥ " + withUnit(v.Target.Limit, v.Unit)
	default:
		return "≤ " + withUnit(v.Target.Limit, v.Unit)
	}
}

func (v Value) verdict() string {
	switch {
	case v.Target == nil:
		return ""
	case v.Reached():
		return "reached"
	default:
		return "missed"
	}
}

func withUnit(f float64, unit string) string {
	if unit == "" {
		return number(f)
	}
	return number(f) + " " + unit
}

// number has three digits that mean something, and commas between thousands.
func number(f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "?"
	}
	decimals := 2
	for size := math.Abs(f); size >= 10 && decimals > 0; size /= 10 {
		decimals--
	}
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(f, 'f', decimals, 64), ".")
	fraction = strings.TrimRight(fraction, "0")
	for at := len(whole) - 3; at > 0 && whole[at-1] != '-'; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if fraction == "" {
		return whole
	}
	return whole + "." + fraction
}

func (o Origin) String() string {
	return fmt.Sprintf("%s at %s, %s, %s", o.Time.UTC().Format(time.DateOnly), o.Commit, o.Go, o.Machine)
}
