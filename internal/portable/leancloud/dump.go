package leancloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/skein-im/skein/internal/portable/leancloud/api"
)

// Options says what to dump, whence and how fast.
type Options struct {
	AppID     string
	MasterKey string
	Server    string // https://…, the API address that the console names
	Out       string // folder; made where it is missing

	Conversations   string        // JSON Lines of the class _Conversation, instead of scanning it
	PerConversation bool          // ask each conversation too; see docs/leancloud.md for what it costs
	System          bool          // ask for the messages to each subscriber of system conversations
	Files           bool          // fetch the files that messages link to
	FileHost        string        // where files are now, such as https://files.example.com; tried where a link is dead
	Rate            float64       // requests a second; 30 where it is zero
	Daily           int           // requests a day; 0: no bound
	Timeout         time.Duration // for one request; 2 minutes where it is zero
	Page            int           // messages asked for at once; 1,000, the most there is, where it is zero
	Finish          bool          // ask nothing more: make the folder of what there is

	Say   func(string) // called with progress and with what is worth knowing, one line each and one call at a time
	Clock api.Clock    // nil: the machine's
}

// overlap is how far a later run reads back: clocks of servers differ, and a message may
// show up later than its time says.
const overlap = time.Hour

// retention is how long LeanCloud keeps a message: six months (overview, validity).
const retention = 180 * 24 * time.Hour

// conv is a conversation as the run knows it. What is not constant is guarded by
// dump.mu, or owned by the one worker that has it.
type conv struct {
	id      string
	kind    string // as Proof.Kind
	created int64  // Unix milliseconds
	last    int64  // when its row says that its last message was
	start   int64  // the folder has its history up to here

	walked tally // rows in the history of the app, newer than dump.compared says
	chain  *chain
	done   bool
}

// dump is one run.
type dump struct {
	Options

	api     *api.Client
	private bool // the server is on this machine: links may lead there too
	ledger  *ledger
	journal *journal
	run     run
	before  *folder // what the run before left

	mu        sync.Mutex // guards what follows
	convs     map[string]*conv
	order     []*conv // as they came
	walk      *chain
	told      map[string]*chain // messages to one subscriber; by objectId:client
	toldTally map[string]*tally // by conv-id, of system conversations
	subs      map[string][]string
	done      map[string]bool // step, or step and key
	rows      map[string]int  // of steps that may have none
	flatSteps map[string]bool
	holes     []Hole
}

// Dump fetches what LeanCloud has into the folder. It goes on where an earlier run was
// stopped, and fetches only what is newer where one has ended. It returns the manifest
// that it wrote; Complete says whether everything was answered. An error means that
// there is no new manifest, and that the same call goes on later.
func Dump(ctx context.Context, o Options) (Manifest, error) {
	base, err := api.CheckServer(o.Server)
	if err != nil {
		return Manifest{}, err
	}
	if o.AppID == "" || o.MasterKey == "" && !o.Finish {
		return Manifest{}, errors.New("app id and master key: both are needed")
	}
	o.Rate = cmp.Or(o.Rate, 30)
	o.Timeout = cmp.Or(o.Timeout, 2*time.Minute)
	o.Page = cmp.Or(o.Page, api.PageLimit)
	if o.Clock == nil {
		o.Clock = api.WallClock{}
	}
	o.Say = oneAtATime(o.Say)
	if err := os.MkdirAll(o.Out, 0o700); err != nil {
		return Manifest{}, err
	}
	d := &dump{
		Options: o, convs: map[string]*conv{}, told: map[string]*chain{}, toldTally: map[string]*tally{}, subs: map[string][]string{},
		done: map[string]bool{}, rows: map[string]int{}, flatSteps: map[string]bool{},
	}
	d.run = run{Format: Format, Version: Version, AppID: o.AppID, Server: base.String(), Began: o.Clock.Now().UnixMilli()}
	if d.before, err = openFolder(o.Out, d.run); err != nil {
		return Manifest{}, err
	}
	d.run.Since = d.before.since()
	d.begin()
	var day *api.Daily
	if o.Daily > 0 {
		if day, err = api.OpenDaily(filepath.Join(o.Out, dailyFile), o.Daily, replaceFile); err != nil {
			return Manifest{}, err
		}
	}
	d.ledger = newLedger(o.Clock, o.Say)
	d.private = api.Loopback(base.Hostname())
	d.api = api.New(api.Options{
		Base: base, AppID: o.AppID, MasterKey: o.MasterKey, Timeout: o.Timeout, PerSecond: o.Rate, Daily: day, Clock: o.Clock, Say: o.Say,
		Asked: d.ledger.asked, Retried: d.ledger.retried,
	})
	defer d.api.Close()
	manifest, err := d.all(ctx)
	if day != nil {
		err = errors.Join(err, day.Close())
	}
	return manifest, err
}

// all runs the steps. What falls out of LeanCloud first is asked for first: see steps.
func (d *dump) all(ctx context.Context) (Manifest, error) {
	journal, err := openJournal(d.Out, d.recall)
	if err != nil {
		return Manifest{}, err
	}
	d.journal = journal
	defer closing(journal)
	if !d.done[stepRun] {
		if err := journal.add(entry{Step: stepRun, Run: &d.run}); err != nil {
			return Manifest{}, err
		}
	}
	if !d.Finish {
		if err := d.steps(ctx); err != nil {
			return Manifest{}, errors.Join(err, journal.sync())
		}
	} else {
		d.unfinished()
	}
	if err := journal.sync(); err != nil {
		return Manifest{}, err
	}
	d.ledger.step("writing the folder", 0)
	return d.fold(ctx)
}

// steps asks for everything, in the order in which it is lost.
//
// Messages are lost first: LeanCloud keeps six months of them, so the oldest go every
// minute, whatever conversation they are in. The history of the whole app comes in
// exactly that order, oldest first, 1,000 rows a request however small the conversations
// are. Only the list of conversations is asked for before it, one request for 1,000: it
// says which messages belong to which. Then each conversation is asked itself, those
// first that lose most: see byLoss. Messages to subscribers of system conversations
// follow, and then what no clock destroys: roles, broadcasts, users.
func (d *dump) steps(ctx context.Context) error {
	if err := d.listConversations(ctx); err != nil {
		return fmt.Errorf("conversations: %w", err)
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"history of the app", d.walkApp},
		{"history of each conversation", d.eachHistory},
		{"messages of system conversations", d.system},
		{"roles of members", d.memberInfos},
		{"users", func(ctx context.Context) error { return d.class(ctx, "_User", stepUsers) }},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// fatal says that an error ends the run, and not only what was asked for.
func (d *dump) fatal(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, api.ErrKey) || errors.Is(err, api.ErrQuota) || errors.Is(err, api.ErrGone) || d.journal.failed()
}

// hole notes that something was not answered.
func (d *dump) hole(conv, what string, err error) { d.note(conv, what, err, false) }

func (d *dump) note(conv, what string, err error, doubt bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holes = append(d.holes, Hole{Conv: conv, What: fmt.Sprintf("%s: %v", what, err), Doubt: doubt})
}

// holeOrGone notes the same, but only as a doubt where LeanCloud says that it has no
// such thing.
func (d *dump) holeOrGone(conv, what string, err error) { d.note(conv, what, err, gone(err)) }

// gone says that LeanCloud has no such thing, or no longer.
func gone(err error) bool {
	no, refused := errors.AsType[*api.Refusal](err)
	return refused && no.Status == http.StatusNotFound
}

// finish notes that a step is done, also for after a kill.
func (d *dump) finish(step, key string) error {
	d.mu.Lock()
	d.done[step+key] = true
	d.mu.Unlock()
	return d.journal.add(entry{Step: step, Key: key, Done: true})
}

func (d *dump) isDone(step, key string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done[step+key]
}

// walkApp reads the history of the whole app (v2, history of the app). A server that
// does not offer it costs more requests, and nothing else.
func (d *dump) walkApp(ctx context.Context) error {
	if d.isDone(stepWalk, "") {
		return nil
	}
	d.ledger.step("history of the app", 0)
	d.ledger.until(d.run.Began)
	err := d.read(ctx, d.walk)
	switch {
	case err == nil:
		return d.finish(stepWalk, "")
	case d.fatal(ctx, err):
		return err
	case d.PerConversation:
		d.Say("the server does not give the history of the app as a whole: " + err.Error())
		return nil
	}
	d.hole("", "history of the app", err)
	return nil
}

// byLoss sorts conversations: those first whose messages are lost first. One that was
// created within the last six months has lost nothing yet. Of the older ones, one that
// is silent for longer goes sooner as a whole: LeanCloud deletes it after six months
// (overview, validity).
func byLoss(convs []*conv, began int64) {
	edge := began - retention.Milliseconds()
	slices.SortStableFunc(convs, func(a, b *conv) int {
		return cmp.Or(cmp.Compare(max(a.created, edge), max(b.created, edge)), cmp.Compare(a.last, b.last), cmp.Compare(a.id, b.id))
	})
}

// eachHistory asks each conversation for its history. Where it has the same as the
// history of the app had of it, that is one request for 1,000 messages.
func (d *dump) eachHistory(ctx context.Context) error {
	if !d.PerConversation {
		return nil
	}
	var todo []*conv
	walked := d.isDone(stepWalk, "")
	for _, c := range d.order {
		if !c.done && c.kind != "system" {
			todo = append(todo, c)
		}
	}
	byLoss(todo, d.run.Began)
	d.ledger.step("history of each conversation", len(todo))
	return each(ctx, todo, func(ctx context.Context, c *conv) error {
		chain := d.historyOf(c)
		if walked {
			chain.agreed = func(got tally) bool { return got == c.walked }
		}
		err := d.read(ctx, chain)
		if gone(err) && c.kind == "room" { // an older server has one path for all
			chain.path = strings.Replace(chain.path, "/chatrooms/", "/conversations/", 1)
			err = d.read(ctx, chain)
		}
		d.ledger.one()
		switch {
		case err == nil:
			return d.finish(stepHistory, c.id)
		case d.fatal(ctx, err):
			return err
		case walked: // the history of the app had what a conversation has that is gone
			d.holeOrGone(c.id, "history", err)
		default:
			d.hole(c.id, "history", err)
		}
		return nil
	})
}

// each runs do for all, as many at once as may ask at once.
func each[T any](ctx context.Context, all []T, do func(context.Context, T) error) error {
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(api.MaxAtOnce)
	for _, one := range all {
		if inner.Err() != nil {
			break
		}
		g.Go(func() error { return do(inner, one) })
	}
	return cmp.Or(g.Wait(), ctx.Err())
}

// oneAtATime is say for several goroutines; nil says nothing.
func oneAtATime(say func(string)) func(string) {
	if say == nil {
		return func(string) {}
	}
	var mu sync.Mutex
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		say(line)
	}
}
