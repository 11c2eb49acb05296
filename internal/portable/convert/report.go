package convert

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ReportFile is the report in the folder: JSON Lines, one for each record that was not taken
// over unchanged, and the Summary as the last line.
const ReportFile = "report.jsonl"

// Kind is the kind of record that a line of the report is about.
type Kind string

// The kinds.
const (
	OfClient       Kind = "client"
	OfConversation Kind = "conversation"
	OfMember       Kind = "member"
	OfMessage      Kind = "message"
	OfRow          Kind = "row" // of anything else
)

// Outcome is what happened to a record.
type Outcome string

// The outcomes. Refused, Skipped and Merged records are not in the folder. A Made one is in the
// folder and came from no record of the source.
const (
	Changed Outcome = "changed"
	Refused Outcome = "refused" // Skein does not allow it
	Skipped Outcome = "skipped" // Skein has no such thing
	Merged  Outcome = "merged"  // it repeats another record, or an older state of one
	Made    Outcome = "made"
	Noted   Outcome = "noted" // taken over unchanged, but worth knowing
)

// Line is one line of the report.
type Line struct {
	Kind    Kind    `json:"kind"`
	Outcome Outcome `json:"outcome"`
	Why     string  `json:"why"` // one of a few constant texts, by which the Summary counts
	Detail  string  `json:"detail,omitzero"`
	Conv    string  `json:"conv_id,omitzero"`
	ID      string  `json:"id,omitzero"` // as the source has it
	Client  string  `json:"client_id,omitzero"`
	At      string  `json:"at,omitzero"`    // where it was read
	Count   int64   `json:"count,omitzero"` // records that the line is about; absent: one

	Messages int64 `json:"messages,omitzero"` // of a skipped conversation: its messages, which are skipped too

	Raw []byte `json:"-"` // what was read
}

// written is a Line in the file.
type written struct {
	Line

	// One of them is what was read; base64 if it is not valid JSON.
	JSON   jsontext.Value `json:"raw,omitzero"`
	Base64 []byte         `json:"raw_base64,omitzero"`
}

// Count is the number of records with the same outcome for the same reason.
type Count struct {
	Kind    Kind    `json:"kind"`
	Outcome Outcome `json:"outcome"`
	Why     string  `json:"why"`
	Records int64   `json:"records"`
}

// Total is the account of one kind: In + Made = Out + Refused + Skipped + Merged.
type Total struct {
	Kind    Kind  `json:"kind"`
	In      int64 `json:"in"`
	Made    int64 `json:"made"`
	Out     int64 `json:"out"`
	Refused int64 `json:"refused"`
	Skipped int64 `json:"skipped"`
	Merged  int64 `json:"merged"`
}

func (t Total) proven() bool { return t.In+t.Made == t.Out+t.Refused+t.Skipped+t.Merged }

// Summary is what a conversion did.
type Summary struct {
	Totals  []Total  `json:"totals"`
	Counts  []Count  `json:"counts"`
	Facts   []string `json:"facts"`                     // true of every conversion of this source
	Refused []Usage  `json:"refused_clients,omitzero"`  // ids that no client of Skein can have
	Relaxed bool     `json:"relaxed_client_ids"`        // the app needs the relaxed alphabet of ids
	Renamed int64    `json:"renamed_clients,omitempty"` // ids replaced as --rename says
}

// Usage is a client id and how many records have it.
type Usage struct {
	Client  string `json:"client_id"`
	Records int64  `json:"records"`
}

// reason is what the Summary counts by.
type reason struct {
	kind    Kind
	outcome Outcome
	why     string
}

// report counts everything and writes a line for what needs one.
type report struct {
	path   string
	file   *os.File
	buf    *bufio.Writer
	counts map[reason]int64
	in     map[Kind]int64
	out    map[Kind]int64
}

func createReport(dir string) (*report, error) {
	path := filepath.Join(dir, ReportFile)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the operator's own
	if err != nil {
		return nil, err
	}
	return &report{
		path: path, file: f, buf: bufio.NewWriterSize(f, 64<<10),
		counts: map[reason]int64{}, in: map[Kind]int64{}, out: map[Kind]int64{},
	}, nil
}

// count notes an outcome without a line.
func (r *report) count(kind Kind, outcome Outcome, why string, n int64) {
	r.counts[reason{kind, outcome, why}] += n
}

// add writes a line and counts it.
func (r *report) add(l Line) error {
	r.count(l.Kind, l.Outcome, l.Why, max(l.Count, 1))
	return r.line(l)
}

// line writes a line that is counted elsewhere.
func (r *report) line(l Line) error {
	l.Detail = strings.ToValidUTF8(l.Detail, "\uFFFD")
	l.Conv, l.ID, l.Client = strings.ToValidUTF8(l.Conv, "\uFFFD"), strings.ToValidUTF8(l.ID, "\uFFFD"), strings.ToValidUTF8(l.Client, "\uFFFD")
	w := written{Line: l}
	if raw := jsontext.Value(l.Raw); raw.IsValid() {
		w.JSON = raw
	} else {
		w.Base64 = l.Raw
	}
	return r.write(w)
}

func (r *report) write(v any) error {
	line, err := json.Marshal(v, json.Deterministic(true), jsontext.PreserveRawStrings(true))
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = r.buf.Write(append(line, '\n'))
	return err
}

// left is the number of records of a kind with an outcome.
func (r *report) left(kind Kind, o Outcome) (n int64) {
	for why, records := range r.counts {
		if why.kind == kind && why.outcome == o {
			n += records
		}
	}
	return n
}

// summary adds everything up. It fails if the account of a kind does not balance.
func (r *report) summary() (Summary, error) {
	var s Summary
	for _, kind := range []Kind{OfClient, OfConversation, OfMember, OfMessage, OfRow} {
		t := Total{
			Kind: kind, In: r.in[kind], Made: r.left(kind, Made), Out: r.out[kind],
			Refused: r.left(kind, Refused), Skipped: r.left(kind, Skipped), Merged: r.left(kind, Merged),
		}
		if !t.proven() {
			return s, fmt.Errorf("the account of kind %s does not balance: %+v: please report this", kind, t)
		}
		s.Totals = append(s.Totals, t)
	}
	for why, n := range r.counts {
		s.Counts = append(s.Counts, Count{why.kind, why.outcome, why.why, n})
	}
	slices.SortFunc(s.Counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Outcome, b.Outcome), cmp.Compare(a.Why, b.Why))
	})
	return s, nil
}

func (r *report) close() error { return errors.Join(r.buf.Flush(), r.file.Sync(), r.file.Close()) }
