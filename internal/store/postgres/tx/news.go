package tx

import (
	"log/slog"
	"runtime/debug"
	"sync"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// news calls the commit hook of this node in the order of the commits within each
// conversation. A transaction enters just before its commit, while it still has the locks of
// its conversations; so the order of entering is the order of committing. Whoever entered
// later waits, after its own commit, for those before it, which are committing: their answers
// are under way.
type news struct {
	hook store.CommitHook // nil: nobody is told
	log  *slog.Logger

	mu   sync.Mutex
	last map[place]*Ticket // who entered last; guarded by mu

	telling sync.Mutex // the hook is never called concurrently
}

// place is a conversation.
type place struct {
	app string
	id  skein.ID
}

// Ticket is one transaction's turn; nil: it has nothing to tell.
type Ticket struct {
	news   *news
	told   []skein.Committed
	places []place
	before []*Ticket
	over   chan struct{} // closed when it has told or failed
}

func newNews(hook store.CommitHook, log *slog.Logger) *news {
	return &news{hook: hook, log: log, last: make(map[place]*Ticket)}
}

// enter takes a turn for what a transaction will have to tell. Tell or Drop follows.
func (n *news) enter(told []skein.Committed) *Ticket {
	if n.hook == nil || len(told) == 0 {
		return nil
	}
	t := &Ticket{news: n, told: told, over: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range told {
		p := place{c.App, c.Conv}
		switch before := n.last[p]; before {
		case t:
			continue
		case nil:
		default:
			t.before = append(t.before, before)
		}
		n.last[p] = t
		t.places = append(t.places, p)
	}
	return t
}

// Tell calls the hook once all that were committed before have told. The commit is durable, so
// the calls must get their answers even if the hook panics.
func (t *Ticket) Tell() {
	if t == nil || t.ended() {
		return
	}
	defer t.leave()
	for _, before := range t.before {
		<-before.over
	}
	n := t.news
	n.telling.Lock()
	defer n.telling.Unlock()
	defer func() {
		if p := recover(); p != nil {
			n.log.Error("the commit hook panicked", slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		}
	}()
	n.hook(t.told)
}

// Drop gives the turn back: the commit failed, or nobody knows whether it did. Those behind it
// wait for it alone, so it waits for those before it.
func (t *Ticket) Drop() {
	if t == nil || t.ended() {
		return
	}
	for _, before := range t.before {
		<-before.over
	}
	t.leave()
}

func (t *Ticket) ended() bool {
	select {
	case <-t.over:
		return true
	default:
		return false
	}
}

func (t *Ticket) leave() {
	t.news.mu.Lock()
	for _, p := range t.places {
		if t.news.last[p] == t {
			delete(t.news.last, p)
		}
	}
	t.news.mu.Unlock()
	t.before = nil
	close(t.over)
}
