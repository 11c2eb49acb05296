package copying

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Bounds of one step.
const (
	pageRows   = 2_000
	noteBatch  = 5_000
	maxBatches = 4
)

// pollTime is how often the notes are looked at once they are done.
const pollTime = 200 * time.Millisecond

// Options are what Run works on.
type Options struct {
	Source Source
	Target Target
	// Files copies uploads that are not copied yet. It is called again and again, the last time after
	// the source is sealed; then it also removes what the source removed meanwhile. nil: they stay where they are.
	Files func(ctx context.Context, last bool) error
	Tell  func(Progress) // nil: nobody
}

// Step is a part of a migration.
type Step string

// The steps, in their order.
const (
	Copying   Step = "copying"
	Comparing Step = "comparing"
	Following Step = "following"
	Sealed    Step = "sealed"
	Done      Step = "done"
)

// Progress is told after each page.
type Progress struct {
	Step  Step
	Table string
	Rows  map[string]int64 // by table, of this step
	Notes int64            // rows that were written meanwhile and copied again, of this run
}

// Run copies the source into the target, compares them, follows what is written until no server has the
// source open, seals the source and finishes the target. It may be ended at any moment and run again.
func Run(ctx context.Context, opt Options) error {
	r := &run{Options: opt, rows: map[string]int64{}}
	id, err := r.Source.Follow(ctx)
	if err != nil {
		return fmt.Errorf("follow the writes: %w", err)
	}
	salt, err := r.Source.Secret(ctx)
	if err != nil {
		return err
	}
	r.State, err = r.Target.Begin(ctx, id, salt)
	if errors.Is(err, ErrFinished) {
		r.step = Done
		r.tell("")
		return nil
	}
	if err != nil {
		return err
	}
	for _, step := range []struct {
		name Step
		run  func(context.Context) error
	}{
		{Copying, r.copy}, {Comparing, r.compare}, {Following, r.follow}, {Sealed, r.end},
	} {
		r.step, r.rows = step.name, map[string]int64{}
		if r.step != Following { // which tells once it has caught up
			r.tell("")
		}
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	r.step = Done
	r.tell("")
	return nil
}

// run is a migration under way.
type run struct {
	Options
	State

	step   Step
	sealed bool
	rows   map[string]int64
	notes  int64
}

func (r *run) tell(table string) {
	if r.Tell != nil {
		r.Tell(Progress{Step: r.step, Table: table, Rows: r.rows, Notes: r.notes})
	}
}

// files copies uploads.
func (r *run) files(ctx context.Context, last bool) error {
	if r.Files == nil {
		return nil
	}
	return r.Files(ctx, last)
}

// copy copies all tables, each page as it is when it is read. What is written to a page later is in
// the notes.
func (r *run) copy(ctx context.Context) error {
	if r.All {
		return nil
	}
	begin := max(0, slices.IndexFunc(Tables, func(t *Table) bool { return t.Name == r.Table }))
	for _, t := range Tables[begin:] {
		if t.Name != r.Table {
			r.Table, r.After = t.Name, ""
		}
		for more := true; more; {
			var err error
			if more, err = r.copyPage(ctx, t); err != nil {
				return fmt.Errorf("%s: %w", t.Name, err)
			}
			r.tell(t.Name)
		}
	}
	r.All = true
	if err := r.Target.Write(ctx, r.State, nil); err != nil {
		return err
	}
	return r.Target.Analyze(ctx)
}

func (r *run) copyPage(ctx context.Context, t *Table) (more bool, err error) {
	var after Row
	if r.After != "" {
		if after, err = t.ParseKey([]byte(r.After)); err != nil {
			return false, err
		}
	}
	var page []Row
	err = r.Source.View(ctx, func(v View) (err error) {
		page, err = v.Page(ctx, t, after, nil, pageRows)
		return err
	})
	if err != nil || len(page) == 0 {
		return false, err
	}
	r.After = t.Key(page[len(page)-1]).text()
	r.rows[t.Name] += int64(len(page))
	return len(page) == pageRows, r.Target.Write(ctx, r.State, []Put{{t, keysOf(t, page), page}})
}

func keysOf(t *Table, rows []Row) []Row {
	keys := make([]Row, len(rows))
	for i, row := range rows {
		keys[i] = t.Key(row)
	}
	return keys
}

// catchUp copies the rows that were written meanwhile and compares what it wrote, until only what is being
// written now is left. Once the source is sealed that is nothing.
// Where servers write faster than it copies it stops after some batches, and reports that it has not caught up.
func (r *run) catchUp(ctx context.Context) (caught bool, err error) {
	for i := 0; i < maxBatches || r.sealed; i++ {
		n, err := r.again(ctx)
		if err != nil {
			return false, err
		}
		r.notes += int64(n)
		if n == 0 || n < noteBatch && !r.sealed {
			return true, nil
		}
	}
	return false, nil
}

// again copies some rows that were written meanwhile, as they are now.
func (r *run) again(ctx context.Context) (notes int, err error) {
	var puts []Put
	next := r.Place
	err = r.Source.View(ctx, func(v View) (err error) {
		var list []Note
		if list, next, err = v.Notes(ctx, r.Place, noteBatch, r.sealed); err != nil {
			return err
		}
		notes = len(list)
		puts, err = read(ctx, v, list)
		return err
	})
	if err != nil || notes == 0 {
		return 0, err
	}
	r.Place = next
	if err := r.Target.Write(ctx, r.State, puts); err != nil {
		return 0, err
	}
	for _, p := range puts {
		have, err := r.Target.Rows(ctx, p.Table, p.Keys)
		if err != nil {
			return 0, err
		}
		if err := diff(p.Table, p.Rows, have, nil); err != nil {
			return 0, err
		}
	}
	return notes, r.Source.Forget(ctx, next)
}

// read reads the rows of notes, each once, in the order of the tables.
func read(ctx context.Context, from Reader, notes []Note) (puts []Put, err error) {
	keys, seen := map[*Table][]Row{}, map[string]bool{}
	for _, n := range notes {
		name := n.Table.Name + n.Key.text()
		if !seen[name] {
			seen[name] = true
			keys[n.Table] = append(keys[n.Table], n.Key)
		}
	}
	for _, t := range Tables {
		if len(keys[t]) == 0 {
			continue
		}
		rows, err := from.Rows(ctx, t, keys[t])
		if err != nil {
			return nil, err
		}
		puts = append(puts, Put{t, keys[t], rows})
	}
	return puts, nil
}

// compare compares all rows of both stores. Rows that are written meanwhile are compared when they
// are copied again.
func (r *run) compare(ctx context.Context) error {
	if r.Equal {
		return nil
	}
	for _, t := range Tables {
		var after Row
		for more := true; more; {
			var err error
			if after, more, err = r.comparePage(ctx, t, after); err != nil {
				return fmt.Errorf("%s: %w", t.Name, err)
			}
			r.tell(t.Name)
		}
	}
	r.Equal = true
	return errors.Join(r.Target.Write(ctx, r.State, nil), r.files(ctx, false))
}

func (r *run) comparePage(ctx context.Context, t *Table, after Row) (last Row, more bool, err error) {
	if _, err := r.catchUp(ctx); err != nil {
		return nil, false, err
	}
	var page []Row
	meanwhile := map[string]bool{}
	err = r.Source.View(ctx, func(v View) (err error) {
		if page, err = v.Page(ctx, t, after, nil, pageRows); err != nil {
			return err
		}
		for at, full := r.Place, true; full; {
			var list []Note
			if list, at, err = v.Notes(ctx, at, noteBatch, true); err != nil {
				return err
			}
			for _, n := range list {
				meanwhile[n.Table.Name+n.Key.text()] = true
			}
			full = len(list) == noteBatch
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	if len(page) > 0 {
		last = t.Key(page[len(page)-1])
	}
	more = len(page) == pageRows
	var have []Row
	if more {
		have, err = r.Target.Page(ctx, t, after, last, 0)
	} else { // the target has nothing more either
		have, err = r.Target.Page(ctx, t, after, nil, pageRows+len(meanwhile)+1)
	}
	if err != nil {
		return nil, false, err
	}
	r.rows[t.Name] += int64(len(page))
	return last, more, diff(t, page, have, meanwhile)
}

// diff returns an error that names the first row that differs, save those of except.
func diff(t *Table, want, have []Row, except map[string]bool) error {
	all := make(map[string]Row, len(have))
	for _, row := range have {
		all[t.Name+t.Key(row).text()] = row
	}
	for _, row := range want {
		name := t.Name + t.Key(row).text()
		got, found := all[name]
		delete(all, name)
		switch {
		case except[name] || found && t.same(row, got):
		case !found:
			return fmt.Errorf("the row %s is missing in the copy", name)
		default:
			return fmt.Errorf("the row %s differs in the copy", name)
		}
	}
	for name := range all {
		if !except[name] {
			return fmt.Errorf("the copy has the row %s, which the store has not", name)
		}
	}
	return nil
}

// follow copies what is written until no server has the source open.
func (r *run) follow(ctx context.Context) error {
	for {
		caught, err := r.catchUp(ctx)
		if err != nil {
			return err
		}
		if !caught {
			continue
		}
		if err := r.files(ctx, false); err != nil {
			return err
		}
		r.tell("")
		free, err := r.Source.Free(ctx)
		if err != nil || free {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollTime):
		}
	}
}

// end seals the source, copies what was written last and finishes the target.
func (r *run) end(ctx context.Context) error {
	if err := r.Source.Seal(ctx); err != nil {
		return err
	}
	r.sealed = true
	if _, err := r.catchUp(ctx); err != nil {
		return err
	}
	if err := r.files(ctx, true); err != nil {
		return err
	}
	given, err := r.Source.Numbers(ctx)
	if err != nil {
		return err
	}
	return r.Target.Finish(ctx, given)
}
