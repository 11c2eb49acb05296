package ops

import (
	"cmp"
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// Outcome is what a command came to: its answer as JSON, or an error.
type Outcome struct {
	Answer []byte
	Err    error
}

// Batches reports whether CallAll takes commands of this name.
func (t *Table) Batches(name string) bool {
	op := t.byName[name]
	return op != nil && op.Socket() && op.callAll != nil
}

// CallAll runs commands of one name that came over a socket together: as Call does
// each, in their order, except that what they store is waited for once, and that
// behind one that comes too fast all of its conversation are refused: what a client says
// there later must not stand before what it says earlier. It is for names that Batches.
func (t *Table) CallAll(ctx context.Context, by skein.Actor, name string, data [][]byte) []Outcome {
	outcomes := make([]Outcome, len(data))
	op := t.byName[name]
	by, err := t.follow(ctx, by)
	if err == nil {
		by, err = entitle(by, op)
	}
	if err != nil {
		for i := range outcomes {
			outcomes[i].Err = err
		}
		return outcomes
	}
	var tooFast map[strict.ID]error
	read := func(i int, in any) error { return strict.Decode(data[i], in) }
	admit := func(conv strict.ID) error {
		if err := tooFast[conv]; err != nil {
			return err
		}
		err := t.admit(by, op)
		if err != nil {
			if tooFast == nil {
				tooFast = make(map[strict.ID]error)
			}
			tooFast[conv] = err
		}
		return err
	}
	for i, r := range op.callAll(ctx, by, len(data), read, admit) {
		if r.err == nil {
			outcomes[i].Answer, r.err = encode(r.answer)
		}
		outcomes[i].Err = r.err
	}
	return outcomes
}

// result is what a call of several came to.
type result struct {
	answer any
	err    error
}

// batch makes an op of three functions: to is the conversation that a request goes to,
// ready checks a request by itself, run does those that passed, and answers each.
func batch[In, Ready any](op Op, to func(In) strict.ID, ready func(by skein.Actor, in In) (Ready, error), run func(ctx context.Context, by skein.Actor, all []Ready) []result) *Op {
	one := row(op, func(ctx context.Context, by skein.Actor, in In) (any, error) {
		r, err := ready(by, in)
		if err != nil {
			return nil, err
		}
		only := run(ctx, by, []Ready{r})[0]
		return only.answer, only.err
	})
	one.callAll = func(ctx context.Context, by skein.Actor, n int, read func(int, any) error, admit func(strict.ID) error) []result {
		results := make([]result, n)
		all, places := make([]Ready, 0, n), make([]int, 0, n)
		for i := range n {
			var in In
			err := read(i, &in)
			if err := cmp.Or(admit(to(in)), err); err != nil {
				results[i].err = err
				continue
			}
			r, err := ready(by, in)
			if err != nil {
				results[i].err = err
				continue
			}
			all, places = append(all, r), append(places, i)
		}
		if len(all) == 0 {
			return results
		}
		for i, r := range run(ctx, by, all) {
			results[places[i]] = r
		}
		return results
	}
	return one
}
