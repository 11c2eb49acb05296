package portable

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skein-im/skein"
)

// Importing says what to import, and where.
type Importing struct {
	From    *Reader
	To      Target
	App     string
	Relaxed bool // client ids of the app may hold _ - . @ : too
	Batch   int  // records in one transaction; default 256

	Report   func(Entry) error     // what did not go as it stands in the folder; nil: nobody asks
	Progress func(done, all int64) // lines; nil: nobody looks
}

// Entry is one line of the report.
type Entry struct {
	List   string `json:"list"`
	Line   int64  `json:"line"`
	Result Result `json:"result"`
	Reason string `json:"reason"`
}

// Summary counts what came of the lines.
type Summary struct {
	Lists map[string]*Counts `json:"lists"`
}

// Counts are of one list.
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

// maxFaults is how many lines with faults are told before a check is given up.
const maxFaults = 1000

// Check reads all of a folder and changes nothing. Lines with faults go to Report; with
// any of them, and where the folder is not whole, it answers an error.
func (i *Importing) Check() error {
	if c := i.From.Manifest.ClientID; c != "" {
		return fmt.Errorf("the folder holds the data of the client %s alone, which cannot be imported", c)
	}
	faults, seen, all := 0, int64(0), i.lines()
	var first error
	err := i.From.Each(func(r Record) error {
		if seen++; i.Progress != nil && r.Value != nil {
			i.Progress(min(seen, all), all)
		}
		return nil
	}, func(e *LineError) error {
		if first == nil {
			first = e
		}
		if faults++; faults >= maxFaults {
			return fmt.Errorf("%d lines are wrong, and it was not looked further", faults)
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

func (i *Importing) report(e Entry) error {
	if i.Report == nil {
		return nil
	}
	return i.Report(e)
}

// lines is how many the folder has.
func (i *Importing) lines() (n int64) {
	for _, l := range i.From.Manifest.Lists {
		n += l.Lines
	}
	return n
}

// Import takes a folder that was checked. It may be run again after an error, or on a
// store that has some of it: what is there is known and left as it is.
func (i *Importing) Import(ctx context.Context) (Summary, error) {
	run := &importRun{Importing: i, ctx: ctx, all: i.lines(), sum: Summary{Lists: map[string]*Counts{}}}
	if run.Batch == 0 {
		run.Batch = 256
	}
	for _, name := range lists {
		run.sum.Lists[name] = &Counts{Lines: i.From.Manifest.Lists[name].Lines}
	}
	if _, err := run.take([]any{&i.From.App}); err != nil {
		return run.sum, err
	}
	err := i.From.Each(run.see, func(e *LineError) error { return e })
	if err == nil {
		err = run.flush()
	}
	return run.sum, err
}

// importRun is one reading of the folder.
type importRun struct {
	*Importing

	ctx   context.Context //nolint:containedctx // lives for one Import
	sum   Summary
	done  int64
	all   int64
	batch []Record
	bytes int
	conv  *Conversation // whose records come now
	line  int64
	open  openConv // as the answers have it
}

// openConv is what was answered about the conversation at hand. Its lines count when
// its end is answered: it is taken whole or not at all.
type openConv struct {
	line    int64
	refused bool // nothing of it is sent any more
	counts  map[string]*Counts
}

// maxBatchBytes bounds what is sent at once, about.
const maxBatchBytes = 256 << 10

// see puts a record into the batch, and sends that when it is full.
func (r *importRun) see(rec Record) error {
	switch v := rec.Value.(type) {
	case *File:
		return r.file(rec, v)
	case *Client:
		if !skein.ValidClientID(v.ID, r.Relaxed) {
			return r.answer(rec, Verdict{Result: Refused, Reason: "client_id: the app takes A-Z a-z 0-9 alone; set relaxed_client_ids on to take it"})
		}
	case *Conversation:
		r.conv, r.line = v, rec.Line
	case nil:
		rec.Value = &End{Conv: r.conv.ID, LastSeq: r.conv.LastSeq, LastChange: r.conv.LastChange}
	}
	r.batch = append(r.batch, rec)
	if r.bytes += rec.Size; len(r.batch) >= r.Batch || r.bytes >= maxBatchBytes {
		return r.flush()
	}
	return nil
}

// flush sends the batch, without what belongs to a conversation that was refused.
func (r *importRun) flush() error {
	var values []any
	var sent []Record
	skipping := r.open.refused
	for _, rec := range r.batch {
		if _, begins := rec.Value.(*Conversation); begins {
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

// answer counts and reports what came of a record.
func (r *importRun) answer(rec Record, v Verdict) error {
	switch rec.Value.(type) {
	case *End:
		return r.end(v)
	case *Conversation:
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
		return r.report(Entry{List: Conversations, Line: line, Result: Refused, Reason: fmt.Sprintf("not all of it could be taken, so none of its %d lines was: %s", took, v.Reason)})
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
func (r *importRun) file(rec Record, f *File) error {
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

// How often and how long a busy store is asked again.
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
