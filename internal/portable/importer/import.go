// Package importer imports a portable folder into a store, or into a running server.
package importer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/portable"
)

// Import is one import of a folder.
type Import struct {
	From    *portable.Reader
	To      Target
	App     string
	Relaxed bool // client ids of the app may contain _ - . @ : too
	Batch   int  // records in one transaction; default 256

	Report   func(Entry) error     // called with each line that is refused; may be nil
	Progress func(done, all int64) // called with the number of lines; may be nil
}

// Entry is one line of the report.
type Entry struct {
	List   string `json:"list"`
	Line   int64  `json:"line"`
	Result Result `json:"result"`
	Reason string `json:"reason"`
}

// Summary counts the lines by their result.
type Summary struct {
	Lists map[string]*Counts `json:"lists"`
}

// Counts counts the lines of one list.
type Counts struct {
	Lines   int64 `json:"lines"`
	Taken   int64 `json:"taken"`
	Known   int64 `json:"known"`
	Refused int64 `json:"refused"`
}

func (c *Counts) add(r Result, n int64) {
	switch r {
	case Taken:
		c.Taken += n
	case Known:
		c.Known += n
	case Refused:
		c.Refused += n
	}
}

// maxFaults is after how many wrong lines a check stops.
const maxFaults = 1000

// Check reads the whole folder and changes nothing. It reports each wrong line, and
// returns an error if there was one or the folder is incomplete.
func (i *Import) Check() error {
	if c := i.From.Manifest.ClientID; c != "" {
		return fmt.Errorf("the folder holds the data of the client %s alone, which cannot be imported", c)
	}
	faults, seen, all := 0, int64(0), i.lines()
	var first error
	err := i.From.Each(func(r portable.Record) error {
		if seen++; i.Progress != nil && r.Value != nil {
			i.Progress(min(seen, all), all)
		}
		return nil
	}, func(e *portable.LineError) error {
		if first == nil {
			first = e
		}
		if faults++; faults >= maxFaults {
			return fmt.Errorf("%d lines are wrong; the check stopped there", faults)
		}
		return i.report(Entry{List: e.List, Line: e.Line, Result: Refused, Reason: e.Reason()})
	})
	switch {
	case err != nil && first != nil:
		return fmt.Errorf("%w; the first fault: %w", err, first)
	case err != nil:
		return err
	case faults > 0:
		return fmt.Errorf("%d lines are wrong, the first: %w", faults, first)
	}
	return nil
}

func (i *Import) report(e Entry) error {
	if i.Report == nil {
		return nil
	}
	return i.Report(e)
}

// lines returns how many lines the folder has.
func (i *Import) lines() (n int64) {
	for _, l := range i.From.Manifest.Lists {
		n += l.Lines
	}
	return n
}

// Run imports a folder that Check accepted. It may run again after an error or when the store
// already has some of the records: it counts these as known and does not change them.
func (i *Import) Run(ctx context.Context) (Summary, error) {
	run := &importRun{Import: i, ctx: ctx, all: i.lines(), sum: Summary{Lists: map[string]*Counts{}}}
	if run.Batch == 0 {
		run.Batch = 256
	}
	for name, list := range i.From.Manifest.Lists {
		run.sum.Lists[name] = &Counts{Lines: list.Lines}
	}
	if _, err := run.take([]any{&i.From.App}); err != nil {
		return run.sum, err
	}
	err := i.From.Each(run.see, func(e *portable.LineError) error { return e })
	if err == nil {
		err = run.flush()
	}
	return run.sum, err
}

// importRun is one reading of the folder.
type importRun struct {
	*Import

	ctx   context.Context //nolint:containedctx // lives for one Run
	sum   Summary
	done  int64
	all   int64
	batch []portable.Record
	bytes int
	conv  *portable.Conversation // the conversation that the next records belong to
	line  int64
	open  openConv // the conversation that the last answers were about
}

// openConv counts the answers about one conversation. They are added to the summary when
// its end is answered, for a conversation is taken whole or not at all.
type openConv struct {
	line    int64
	refused bool // its other records are not sent
	counts  map[string]*Counts
}

// maxBatchBytes is about how many bytes are sent at once at most.
const maxBatchBytes = 256 << 10

// see puts a record into the batch, and sends the batch when it is full.
func (r *importRun) see(rec portable.Record) error {
	switch v := rec.Value.(type) {
	case *portable.File:
		return r.file(rec, v)
	case *portable.Client:
		if !skein.ValidClientID(v.ID, r.Relaxed) {
			return r.answer(rec, Verdict{Result: Refused, Reason: "client_id: the app allows only A-Z a-z 0-9; turn on relaxed_client_ids to allow this id"})
		}
	case *portable.Conversation:
		r.conv, r.line = v, rec.Line
	case nil:
		rec.Value = &portable.End{Conv: r.conv.ID, LastSeq: r.conv.LastSeq, LastChange: r.conv.LastChange}
	}
	r.batch = append(r.batch, rec)
	if r.bytes += rec.Size; len(r.batch) >= r.Batch || r.bytes >= maxBatchBytes {
		return r.flush()
	}
	return nil
}

// flush sends the batch, except records of a refused conversation.
func (r *importRun) flush() error {
	var values []any
	var sent []portable.Record
	skipping := r.open.refused
	for _, rec := range r.batch {
		if _, begins := rec.Value.(*portable.Conversation); begins {
			skipping = false
		}
		if !skipping {
			values, sent = append(values, rec.Value), append(sent, rec)
		}
	}
	verdicts, err := r.take(values)
	if err != nil {
		return err
	}
	next := 0
	for _, rec := range r.batch {
		v := Verdict{Result: Refused, Reason: "its conversation was refused"}
		if next < len(sent) && sent[next] == rec {
			v = verdicts[next]
			next++
		}
		if err := r.answer(rec, v); err != nil {
			return err
		}
	}
	r.batch, r.bytes = r.batch[:0], 0
	return nil
}

// answer counts and reports the verdict on a record.
func (r *importRun) answer(rec portable.Record, v Verdict) error {
	switch rec.Value.(type) {
	case *portable.End:
		return r.end(v)
	case *portable.Conversation:
		r.open = openConv{line: rec.Line, counts: map[string]*Counts{}}
		r.open.refused = v.Result == Refused && !v.There
	}
	if r.done++; r.Progress != nil {
		r.Progress(r.done, r.all)
	}
	if r.open.counts == nil {
		r.sum.Lists[rec.List].add(v.Result, 1)
	} else {
		c := r.open.counts[rec.List]
		if c == nil {
			c = new(Counts)
			r.open.counts[rec.List] = c
		}
		c.add(v.Result, 1)
	}
	if v.Result != Refused {
		return nil
	}
	return r.report(Entry{List: rec.List, Line: rec.Line, Result: v.Result, Reason: v.Reason})
}

// end counts the lines of the conversation whose end was answered.
func (r *importRun) end(v Verdict) error {
	counts := r.open.counts
	line := r.open.line
	if v.Result == Refused || r.open.refused {
		took := int64(0)
		for list, c := range counts {
			took += c.Taken
			r.sum.Lists[list].add(Refused, c.Taken+c.Refused)
			r.sum.Lists[list].add(Known, c.Known)
		}
		r.open = openConv{}
		if took == 0 {
			return nil
		}
		return r.report(Entry{List: portable.Conversations, Line: line, Result: Refused, Reason: fmt.Sprintf("not all of the conversation could be imported, so none of its %d lines was: %s", took, v.Reason)})
	}
	for list, c := range counts {
		r.sum.Lists[list].add(Taken, c.Taken)
		r.sum.Lists[list].add(Known, c.Known)
		r.sum.Lists[list].add(Refused, c.Refused)
	}
	r.open = openConv{}
	return nil
}

// file sends one file.
func (r *importRun) file(rec portable.Record, f *portable.File) error {
	var v Verdict
	err := r.patiently(func() error {
		content, err := r.From.Content(*f)
		if err != nil {
			return err
		}
		v, err = r.To.TakeFile(r.ctx, r.App, *f, content)
		return errors.Join(err, content.Close())
	})
	if err != nil {
		return err
	}
	return r.answer(rec, v)
}

// take sends values.
func (r *importRun) take(values []any) (verdicts []Verdict, err error) {
	if len(values) == 0 {
		return nil, nil
	}
	err = r.patiently(func() error {
		verdicts, err = r.To.Take(r.ctx, r.App, values)
		return err
	})
	if err == nil && len(verdicts) != len(values) {
		err = fmt.Errorf("%d answers to %d records", len(verdicts), len(values))
	}
	return verdicts, err
}

// How often a busy store is asked again, and the pause before each time.
const (
	patience   = 60
	pauseAgain = time.Second
)

func (r *importRun) patiently(do func() error) error {
	for n := 0; ; n++ {
		err := do()
		if !errors.Is(err, skein.ErrUnavailable) || n == patience {
			return err
		}
		select {
		case <-r.ctx.Done():
			return r.ctx.Err()
		case <-time.After(pauseAgain):
		}
	}
}
