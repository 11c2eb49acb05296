package socket

import (
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
)

// batch is the commands of one name that one read brought. The server runs and answers
// them together, so that pipelined sends share a commit. The size of a read bounds it.
// Batches are pooled: an idle socket has none.
type batch struct {
	frames  []wire.Frame
	data    [][]byte
	out     []byte // all answers, without a gap
	ends    []int  // where each answer ends in out
	answers [][]byte
}

var batches = sync.Pool{New: func() any { return new(batch) }}

func (b *batch) free() {
	if cap(b.out) > maxOutgoing {
		b.out = nil
	}
	clear(b.frames)
	clear(b.data)
	clear(b.answers)
	b.frames, b.data, b.out, b.ends, b.answers = b.frames[:0], b.data[:0], b.out[:0], b.ends[:0], b.answers[:0]
	batches.Put(b)
}

// gather adds a command to the batch. It first runs a batch of another name.
func (c *conn) gather(frame wire.Frame) (err error) {
	if c.batch != nil && c.batch.frames[0].Type != frame.Type {
		err = c.runBatch()
	}
	if c.batch == nil {
		c.batch = batches.Get().(*batch)
	}
	c.batch.frames = append(c.batch.frames, frame)
	c.batch.data = append(c.batch.data, frame.Data)
	return err
}

// runBatch runs and answers the batch. The hub holds events meanwhile, so that the
// answers come before the events that the commands cause.
func (c *conn) runBatch() error {
	b := c.batch
	if b == nil {
		return nil
	}
	c.batch = nil
	defer b.free()
	if !c.session.Begin() {
		return errOver
	}
	outcomes, err := c.callAll(b)
	for i, frame := range b.frames {
		if err == nil {
			c.order.answered(frame, outcomes[i].Err, c.server.opts.Now())
			b.add(c, frame, outcomes[i].Answer, outcomes[i].Err)
		} else {
			b.add(c, frame, nil, err)
		}
	}
	c.session.Answer(b.split()...)
	return nil
}

// callAll calls the op. If it panics, every command of the batch fails.
func (c *conn) callAll(b *batch) (outcomes []ops.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	ctx, span := c.server.opts.Tracer.Call(c.context(), b.frames[0].Type, "")
	span.Count("skein.commands", len(b.frames))
	defer span.End(0)
	return c.server.opts.Ops.CallAll(ctx, c.actor(), b.frames[0].Type, b.data), nil
}

// add appends the answer to a command.
func (b *batch) add(c *conn, frame wire.Frame, answer []byte, err error) {
	b.out = c.appendAnswer(b.out, frame, answer, err)
	b.ends = append(b.ends, len(b.out))
}

// split cuts out into the answers.
func (b *batch) split() [][]byte {
	from := 0
	for _, end := range b.ends {
		b.answers = append(b.answers, b.out[from:end])
		from = end
	}
	return b.answers
}
