package committer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/pace"
	"github.com/skein-im/skein/internal/store/postgres/engine"
	"github.com/skein-im/skein/internal/store/postgres/tx"
)

// maxBatch bounds the drafts of one transaction.
const maxBatch = 512

// Bounds on time: of a try, and of all tries of a batch whose outcome is unknown. Past them
// the callers are answered ErrUnavailable.
const (
	tryLimit   = 10 * time.Second
	triesLimit = 30 * time.Second
)

// committer stores the drafts of this node: one goroutine, which owns a connection and takes
// whatever waits into one transaction, after a short wait for more of them where that pays. More of them would make smaller batches and wait for
// each other's locks.
type committer struct {
	db      *tx.DB
	queue   *queue
	metrics engine.CommitMetrics
	stop    context.CancelFunc
	stopped chan struct{} // closed when loop has ended

	// Owned by loop.
	conn   *engine.Dedicated
	pace   *pace.Pacer
	keys   map[conversation]convKey
	begun  int // transactions
	failed failureLog
}

// conversation is a conversation's name.
type conversation struct {
	app string
	id  skein.ID
}

// convKey is where a conversation is. It never changes while the conversation is there.
type convKey struct{ app, conv int64 }

// maxKeys bounds committer.keys; an entry takes about 100 bytes.
const maxKeys = 65_536

// onePlan are the parameters of the committer's connection. PostgreSQL plans each statement for
// any number of keys and keeps the plan. Left to itself it would plan most of them anew in each
// transaction, since a plan for the keys at hand looks cheaper; for a few keys that takes longer
// than all that the transaction does.
func onePlan() map[string]string {
	parameters := maps.Clone(engine.ByIndex)
	parameters["plan_cache_mode"] = "force_generic_plan"
	return parameters
}

// planFor is for how many transactions a plan is kept. One that was made while a table was nearly
// empty may read the table as a whole.
const planFor = 128

func startCommitter(db *tx.DB, opt Options) *committer {
	ctx, stop := context.WithCancel(context.Background())
	c := &committer{
		db: db, queue: newQueue(opt), metrics: db.Metrics.Messages, stop: stop,
		stopped: make(chan struct{}), conn: db.Dedicate(onePlan()), pace: pace.New(opt.Pace), keys: make(map[conversation]convKey),
	}
	go c.loop(ctx)
	return c
}

// closeGrace is how long the drafts that wait may take when the store is closed.
const closeGrace = 10 * time.Second

// close refuses further drafts, commits those that wait and waits for loop.
func (c *committer) close() {
	c.queue.close()
	late := time.AfterFunc(closeGrace, c.stop)
	<-c.stopped
	late.Stop()
	c.stop()
}

func (c *committer) loop(ctx context.Context) {
	defer close(c.stopped)
	defer c.conn.Close(ctx)
	var drafts []*draft
	for {
		// Callers that were just answered often send again: they come first.
		runtime.Gosched()
		c.pace.Gather(c.queue)
		drafts = c.queue.take(drafts[:0], maxBatch)
		if len(drafts) == 0 {
			return
		}
		start := time.Now()
		c.observe(drafts, c.pace.Now())
		err := c.commit(ctx, drafts)
		took := time.Since(start)
		c.metrics.Done(took, err)
		c.queue.settle(drafts, took)
		for _, d := range drafts {
			d.finish()
		}
		clear(drafts)
	}
}

// observe tells of a batch that begins now.
func (c *committer) observe(drafts []*draft, now time.Time) {
	c.metrics.Begin(len(drafts), c.queue.Depth())
	last := (*call)(nil)
	for _, d := range drafts {
		if d.call != last {
			last = d.call
			c.metrics.Waited(now.Sub(last.since))
		}
	}
}

// commit stores drafts and gives each its answer. It returns why it stored none.
func (c *committer) commit(ctx context.Context, drafts []*draft) error {
	drafts = c.waitedFor(drafts)
	if len(drafts) == 0 {
		return nil
	}
	b := &batch{drafts: drafts}
	err := c.tries(ctx, b)
	if err != nil {
		c.failed.tell(c.db.Log, err)
		err = engine.Unavailable("append", err)
		if !errors.Is(err, skein.ErrUnavailable) {
			c.db.Log.Error("the committer failed", slog.Any("error", err))
		}
		for _, d := range drafts {
			d.answer.Err = err
		}
	}
	return err
}

// waitedFor answers the drafts that nobody waits for any more, and returns the others.
func (c *committer) waitedFor(drafts []*draft) []*draft {
	left := make([]*draft, 0, len(drafts))
	for _, d := range drafts {
		if d.answer.Err = d.call.ended(); d.answer.Err == nil {
			left = append(left, d)
		}
	}
	return left
}

// tries runs a batch until it is stored. A batch whose outcome is unknown is run again: it
// looks for its own messages by their ids, and answers only after a commit that was heard of.
func (c *committer) tries(ctx context.Context, b *batch) (err error) {
	deadline := time.Now().Add(triesLimit)
	for try := 1; ; try++ {
		err = c.try(ctx, b)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, engine.ErrUnknownOutcome):
			b.stored, b.careful = true, true
		case engine.Duplicate(err, "messages_by_id") && !b.careful:
			b.careful = true
			continue
		case errors.Is(err, errStale), engine.GivenUp(err):
		case engine.Outage(err) && (b.stored || try == 1): // a connection that was lost while nobody used it
		default:
			return err
		}
		if ctx.Err() != nil || time.Now().After(deadline) {
			return err
		}
		if try > 2 {
			time.Sleep(min(time.Duration(try)*10*time.Millisecond, time.Second))
		}
	}
}

// try runs a batch once.
func (c *committer) try(ctx context.Context, b *batch) (err error) {
	ctx, cancel := context.WithTimeout(ctx, tryLimit)
	defer cancel()
	b.begin(c)
	var told *tx.Ticket
	if err = b.resolve(ctx); err == nil {
		if err = b.look(ctx); err == nil {
			b.decide()
			if err = b.stale(); err == nil {
				told = c.db.Enter(b.tx)
				err = b.write(ctx)
			}
		}
	}
	if err != nil {
		told.Drop()
		if ctx.Err() != nil { // it took too long, such as behind the locks of a node that waits for a standby
			err = fmt.Errorf("%w: %w", skein.ErrUnavailable, err)
		}
		c.conn.Recover(ctx)
		return err
	}
	told.Tell()
	return nil
}

// key is where a conversation is, if that is known.
func (c *committer) key(name conversation) (convKey, bool) {
	k, ok := c.keys[name]
	return k, ok
}

// keep remembers where a conversation is.
func (c *committer) keep(name conversation, k convKey) {
	for other := range c.keys {
		if len(c.keys) < maxKeys {
			break
		}
		delete(c.keys, other)
	}
	c.keys[name] = k
}

// failureLog logs that batches fail, but not each one.
type failureLog struct {
	told   time.Time
	silent int // failed since then, and not told
}

// failurePause is the least time between two log lines.
const failurePause = 10 * time.Second

func (f *failureLog) tell(log *slog.Logger, err error) {
	if now := time.Now(); now.Sub(f.told) >= failurePause {
		level := slog.LevelError
		if engine.Outage(err) || errors.Is(err, skein.ErrUnavailable) { // it goes on by itself
			level = slog.LevelWarn
		}
		log.Log(context.Background(), level, "store cannot commit", slog.Any("error", err), slog.Int("failed_before", f.silent))
		f.told, f.silent = now, 0
		return
	}
	f.silent++
}
