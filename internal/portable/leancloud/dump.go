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

	"github.com/skein-im/skein/internal/portable/leancloud/api"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
	"github.com/skein-im/skein/internal/portable/leancloud/journal"
	"github.com/skein-im/skein/internal/portable/leancloud/progress"
)

// Options say what to download, from where and how fast.
type Options struct {
	AppID     string
	MasterKey string
	Server    string // https://…, the API address that the console names
	Out       string // folder; created if it does not exist

	Conversations   string        // JSON Lines of the class _Conversation, instead of scanning it
	PerConversation bool          // ask each conversation too; see docs/leancloud.md for what it costs
	System          bool          // ask for the messages to each subscriber of system conversations
	Files           bool          // fetch the files that messages link to
	FileHost        string        // where files are now, such as https://files.example.com; tried if a link is dead
	Rate            float64       // requests a second; zero: 30
	Daily           int           // requests a day; zero: no bound
	Timeout         time.Duration // for one request; zero: 2 minutes
	Page            int           // messages in one answer; zero: 1,000, the most that LeanCloud allows
	Finish          bool          // send no more requests: write the folder from what was downloaded

	Say   func(string) // gets progress and warnings, one line each, one call at a time
	Clock api.Clock    // nil: the machine's
}

// dailyFile counts the requests of today.
const dailyFile = "requests-today.json"

// overlap is how far a later run reads back. The clocks of servers differ, and a message may appear
// later than its time says.
const overlap = time.Hour

// retention is how long LeanCloud keeps a message: six months (overview, validity).
const retention = 180 * 24 * time.Hour

// conv is a conversation as the run knows it. What changes is guarded by dump.mu, or owned by the
// one worker that reads the conversation.
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
	ledger  *progress.Counter
	journal *journal.Journal
	run     journal.Run
	before  *previous // the result of the previous run

	mu        sync.Mutex // guards what follows
	convs     map[string]*conv
	order     []*conv // in the order of their arrival
	walk      *chain
	told      map[string]*chain // messages to one subscriber; by objectId:client
	toldTally map[string]*tally // by conv-id, of system conversations
	subs      map[string][]string
	done      map[string]bool // step, or step and key
	rows      map[string]int  // of steps that may have none
	flatSteps map[string]bool
	holes     []folder.Hole
}

// Dump downloads the data into the folder. It goes on where an earlier run was stopped, and downloads
// only what is newer if the earlier run has ended. It returns the manifest that it wrote;
// Complete says whether every request was answered. After an error there is no new manifest, and
// the same call goes on later.
func Dump(ctx context.Context, o Options) (folder.Manifest, error) {
	base, err := api.CheckServer(o.Server)
	if err != nil {
		return folder.Manifest{}, err
	}
	if o.AppID == "" || o.MasterKey == "" && !o.Finish {
		return folder.Manifest{}, errors.New("app id and master key: both are needed")
	}
	o.Rate = cmp.Or(o.Rate, 30)
	o.Timeout = cmp.Or(o.Timeout, 2*time.Minute)
	o.Page = cmp.Or(o.Page, api.PageLimit)
	if o.Clock == nil {
		o.Clock = api.WallClock{}
	}
	o.Say = oneAtATime(o.Say)
	if err := os.MkdirAll(o.Out, 0o700); err != nil {
		return folder.Manifest{}, err
	}
	d := &dump{
		Options: o, convs: map[string]*conv{}, told: map[string]*chain{}, toldTally: map[string]*tally{}, subs: map[string][]string{},
		done: map[string]bool{}, rows: map[string]int{}, flatSteps: map[string]bool{},
	}
	d.run = journal.Run{Format: folder.Format, Version: folder.Version, AppID: o.AppID, Server: base.String(), Began: o.Clock.Now().UnixMilli()}
	if d.before, err = openPrevious(o.Out, d.run); err != nil {
		return folder.Manifest{}, err
	}
	d.run.Since = d.before.since()
	d.begin()
	var day *api.Daily
	if o.Daily > 0 {
		if day, err = api.OpenDaily(filepath.Join(o.Out, dailyFile), o.Daily, folder.ReplaceFile); err != nil {
			return folder.Manifest{}, err
		}
	}
	d.ledger = progress.New(o.Clock, o.Say)
	d.private = api.Loopback(base.Hostname())
	d.api = api.New(api.Options{
		Base: base, AppID: o.AppID, MasterKey: o.MasterKey, Timeout: o.Timeout, PerSecond: o.Rate, Daily: day, Clock: o.Clock, Say: o.Say,
		Asked: d.ledger.Asked, Retried: d.ledger.Retried,
	})
	defer d.api.Close()
	manifest, err := d.all(ctx)
	if day != nil {
		err = errors.Join(err, day.Close())
	}
	return manifest, err
}

// all runs the steps, then writes the folder.
func (d *dump) all(ctx context.Context) (folder.Manifest, error) {
	j, err := journal.Open(d.Out, d.recall)
	if err != nil {
		return folder.Manifest{}, err
	}
	d.journal = j
	defer func() { _ = j.Close() }() // it is synced before
	if !d.done[journal.StepRun] {
		if err := j.Add(journal.Entry{Step: journal.StepRun, Run: &d.run}); err != nil {
			return folder.Manifest{}, err
		}
	}
	if !d.Finish {
		if err := d.steps(ctx); err != nil {
			return folder.Manifest{}, errors.Join(err, j.Sync())
		}
	} else {
		d.unfinished()
	}
	if err := j.Sync(); err != nil {
		return folder.Manifest{}, err
	}
	d.ledger.Step("writing the folder", 0)
	return d.fold(ctx)
}

// steps asks for everything, in the order in which LeanCloud deletes it.
//
// Messages go first: LeanCloud keeps them for six months, so the oldest disappear every minute, in
// all conversations. The history of the whole app has exactly that order, oldest first, with
// 1,000 rows a request however small the conversations are. Only the list of conversations comes
// before it, one request for 1,000, because it says which messages belong to which. Then each
// conversation is asked, in the order of byLoss. Messages to subscribers of system conversations
// follow, and at the end what is not deleted with time: roles, broadcasts, users.
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
		{"users", func(ctx context.Context) error { return d.class(ctx, "_User", journal.StepUsers) }},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// fatal reports whether an error ends the run, and not only one request.
func (d *dump) fatal(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, api.ErrKey) || errors.Is(err, api.ErrQuota) || errors.Is(err, api.ErrGone) || d.journal.Failed()
}

// hole records that a request was not answered.
func (d *dump) hole(conv, what string, err error) { d.note(conv, what, err, false) }

func (d *dump) note(conv, what string, err error, doubt bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holes = append(d.holes, folder.Hole{Conv: conv, What: fmt.Sprintf("%s: %v", what, err), Doubt: doubt})
}

// holeOrGone is hole, or a doubt if LeanCloud says that the thing does not exist.
func (d *dump) holeOrGone(conv, what string, err error) { d.note(conv, what, err, gone(err)) }

// gone reports whether LeanCloud says that the thing does not exist.
func gone(err error) bool {
	no, refused := errors.AsType[*api.Refusal](err)
	return refused && no.Status == http.StatusNotFound
}

// finish records that a step is done, in memory and in the journal.
func (d *dump) finish(step, key string) error {
	d.mu.Lock()
	d.done[step+key] = true
	d.mu.Unlock()
	return d.journal.Add(journal.Entry{Step: step, Key: key, Done: true})
}

func (d *dump) isDone(step, key string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done[step+key]
}

// walkApp reads the history of the whole app (v2, history of the app). A server that does not offer
// it only costs more requests.
func (d *dump) walkApp(ctx context.Context) error {
	if d.isDone(journal.StepWalk, "") {
		return nil
	}
	d.ledger.Step("history of the app", 0)
	d.ledger.Until(d.run.Began)
	err := d.read(ctx, d.walk)
	switch {
	case err == nil:
		return d.finish(journal.StepWalk, "")
	case d.fatal(ctx, err):
		return err
	case d.PerConversation:
		d.Say("the server does not give the history of the app as a whole: " + err.Error())
		return nil
	}
	d.hole("", "history of the app", err)
	return nil
}

// byLoss sorts conversations by when LeanCloud deletes their messages, soonest first. Nothing is
// deleted yet of those created within the last six months. Of the older ones, those without
// messages for longest come first, because LeanCloud deletes a conversation after six months
// without messages (overview, validity).
func byLoss(convs []*conv, began int64) {
	edge := began - retention.Milliseconds()
	slices.SortStableFunc(convs, func(a, b *conv) int {
		return cmp.Or(cmp.Compare(max(a.created, edge), max(b.created, edge)), cmp.Compare(a.last, b.last), cmp.Compare(a.id, b.id))
	})
}

// eachHistory asks each conversation for its history. If that agrees with the history of the app, it
// is one request for 1,000 messages.
func (d *dump) eachHistory(ctx context.Context) error {
	if !d.PerConversation {
		return nil
	}
	var todo []*conv
	walked := d.isDone(journal.StepWalk, "")
	for _, c := range d.order {
		if !c.done && c.kind != "system" {
			todo = append(todo, c)
		}
	}
	byLoss(todo, d.run.Began)
	d.ledger.Step("history of each conversation", len(todo))
	return api.Each(ctx, todo, func(ctx context.Context, c *conv) error {
		chain := d.historyOf(c)
		if walked {
			chain.agreed = func(got tally) bool { return got == c.walked }
		}
		err := d.read(ctx, chain)
		if gone(err) && c.kind == "room" { // an older server has one path for all
			chain.path = strings.Replace(chain.path, "/chatrooms/", "/conversations/", 1)
			err = d.read(ctx, chain)
		}
		d.ledger.One()
		switch {
		case err == nil:
			return d.finish(journal.StepHistory, c.id)
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

// oneAtATime makes say safe for concurrent use. nil becomes a function that does nothing.
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
