package delivery

import (
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/recent"
)

const (
	// typingPause lies between two "types" of one client in one conversation.
	typingPause = 3 * time.Second
	// maxTypists bounds who is remembered; who was forgotten is told anew.
	maxTypists = 20_000
)

// typists keeps who said lately that it types, so that a program that says so with
// every key does not send a frame with every key. Safe for concurrent use.
type typists struct {
	mu   sync.Mutex
	last *recent.Map[typist, typing] // guarded by mu
}

type typist struct {
	convKey

	client string
}

// typing is the newest "types" that was told, and whether its end was not.
type typing struct {
	told skein.Millis
	on   bool
}

func newTypists() *typists { return &typists{last: recent.New[typist, typing](maxTypists)} }

// pass reports whether a notice of EventTyping is to be told: a beginning once in
// typingPause, an end after a beginning that was.
func (t *typists) pass(n skein.Notice) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	who := typist{convKey{n.App, n.Conv}, n.By}
	was, known := t.last.Get(who)
	if !n.On {
		if known {
			t.last.Put(who, typing{told: was.told})
		}
		return was.on
	}
	if known && n.Time >= was.told && n.Time < was.told+skein.Millis(typingPause.Milliseconds()) {
		return false
	}
	t.last.Put(who, typing{told: n.Time, on: true})
	return true
}
