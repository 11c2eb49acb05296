package ops

import (
	"cmp"
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// Outcome is the result of a command: its answer as JSON, or an error.
type Outcome struct {
	Answer []byte
	Err    error
}

// Result is the result of one of several calls.
type Result[Out any] struct {
	Answer Out
	Err    error
}

// batchCall is several commands of one op; data are their requests.
type batchCall struct {
	table *Table
	by    skein.Actor
	data  [][]byte
	admit func(conv strict.ID) error // charges one that goes to a conversation
}

// Batches reports whether CallAll takes commands of this name.
func (t *Table) Batches(name string) bool {
	op := t.byName[name]
	return op != nil && op.Socket() && op.Batches()
}

// CallAll runs commands of one name that came over a socket together. It does what Call
// does for each, in their order, with two differences: the store makes them durable
// together, and once a command to a conversation is refused as too fast, CallAll refuses
// the later ones to that conversation, so that no later message precedes an earlier one.
// It is for names that Batches.
func (t *Table) CallAll(ctx context.Context, by skein.Actor, name string, data [][]byte) []Outcome {
	op := t.byName[name]
	by, err := t.follow(ctx, by)
	if err == nil {
		by, err = entitle(by, op)
	}
	var outcomes []Outcome
	if err == nil {
		outcomes = op.batch(ctx, batchCall{table: t, by: by, data: data, admit: t.admitInOrder(by, op)})
	} else {
		outcomes = make([]Outcome, len(data))
		for i := range outcomes {
			outcomes[i].Err = err
		}
	}
	for i := range outcomes {
		t.audited(ctx, by, op, outcomes[i].Err)
	}
	return outcomes
}

// admitInOrder charges one command after the other. After it refuses one, it refuses the
// later ones to the same conversation.
func (t *Table) admitInOrder(by skein.Actor, op *Op) func(conv strict.ID) error {
	var tooFast map[strict.ID]error
	return func(conv strict.ID) error {
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
}

// RowOfBatch makes an op whose commands run together: conv is the conversation that a
// request goes to, check checks a request by itself, and run runs those that passed and
// answers each.
func RowOfBatch[In, Checked, Out any](
	name Call[In, Out], op Op,
	conv func(In) strict.ID, check func(skein.Actor, In) (Checked, error),
	run func(context.Context, skein.Actor, []Checked) []Result[Out],
	example func() (string, Out),
) *Op {
	o := Row(name, op, func(ctx context.Context, by skein.Actor, in In) (out Out, err error) {
		checked, err := check(by, in)
		if err != nil {
			return out, err
		}
		only := run(ctx, by, []Checked{checked})[0]
		return only.Answer, only.Err
	}, example)
	o.batch = func(ctx context.Context, b batchCall) []Outcome {
		outcomes := make([]Outcome, len(b.data))
		passed, indexes := make([]Checked, 0, len(b.data)), make([]int, 0, len(b.data))
		for i, data := range b.data {
			checked, err := readOne(ctx, b, data, conv, check)
			if err != nil {
				outcomes[i].Err = err
				continue
			}
			passed, indexes = append(passed, checked), append(indexes, i)
		}
		if len(passed) == 0 {
			return outcomes
		}
		for i, r := range run(ctx, b.by, passed) {
			at := &outcomes[indexes[i]]
			if at.Err = r.Err; r.Err == nil {
				at.Answer, at.Err = answer(b.table, b.by, r.Answer)
			}
		}
		return outcomes
	}
	return o
}

// readOne reads, charges and checks one command of several.
func readOne[In, Checked any](
	ctx context.Context, b batchCall, data []byte, conv func(In) strict.ID, check func(skein.Actor, In) (Checked, error),
) (checked Checked, err error) {
	var in In
	err = strict.Decode(data, &in)
	if err := cmp.Or(b.admit(conv(in)), err); err != nil {
		return checked, err
	}
	if b.table.signs(b.by) {
		if err := b.table.links.Admit(ctx, b.by, in); err != nil {
			return checked, err
		}
	}
	return check(b.by, in)
}
