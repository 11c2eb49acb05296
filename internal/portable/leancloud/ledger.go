package leancloud

import (
	"fmt"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/portable/leancloud/api"
)

// sayEvery is how often progress is told.
const sayEvery = 5 * time.Second

// ledger counts what a run does and tells how far it is. It is safe for concurrent use.
type ledger struct {
	clock api.Clock
	say   func(string)

	mu       sync.Mutex // guards what follows
	name     string
	total    int // of the step; 0: not known
	done     int // of the step
	began    time.Time
	requests int // of the step
	told     time.Time
	count    int64 // rows of messages, of the whole run
	at       int64 // time of the newest row read
	from, to int64 // times between which the step reads; to 0: not known
	failure  string
}

func newLedger(clock api.Clock, say func(string)) *ledger {
	return &ledger{clock: clock, say: say, told: clock.Now()}
}

// step begins a step of so many parts; 0: nobody knows.
func (l *ledger) step(name string, total int) {
	l.mu.Lock()
	now := l.clock.Now()
	was := ""
	if l.requests > 0 {
		was = l.line(now)
	}
	l.name, l.total, l.done, l.requests, l.began, l.from, l.to, l.failure = name, total, 0, 0, now, 0, 0, ""
	l.mu.Unlock()
	if was != "" {
		l.say(was)
	}
}

// until says that the step reads messages up to a time.
func (l *ledger) until(to int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = to
}

func (l *ledger) one() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done++
}

func (l *ledger) rows(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done += n
}

func (l *ledger) messages(n int, at int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count += int64(n)
	l.at = at
	if l.from == 0 {
		l.from = at
	}
}

func (l *ledger) retried(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failure = err.Error()
}

// asked counts a request and tells how far the run is, where that is due.
func (l *ledger) asked() {
	l.mu.Lock()
	l.requests++
	now := l.clock.Now()
	line := ""
	if now.Sub(l.told) >= sayEvery {
		l.told = now
		line = l.line(now)
		l.failure = ""
	}
	l.mu.Unlock()
	if line != "" {
		l.say(line)
	}
}

// line is one line of progress. l.mu is held.
func (l *ledger) line(now time.Time) string {
	passed := now.Sub(l.began)
	line := l.name
	part := 0.0
	switch {
	case l.total > 0:
		line += fmt.Sprintf(": %d of %d", l.done, l.total)
		part = float64(l.done) / float64(l.total)
	case l.to > l.from && l.from > 0:
		line += ": up to " + time.UnixMilli(l.at).UTC().Format("2006-01-02 15:04")
		part = float64(l.at-l.from) / float64(l.to-l.from)
	case l.done > 0:
		line += fmt.Sprintf(": %d rows", l.done)
	}
	line += fmt.Sprintf(" · %d messages read · %.1f requests/s", l.count, float64(l.requests)/max(1, passed.Seconds()))
	if part > 0.001 && part < 1 {
		left := time.Duration(float64(passed) * (1 - part) / part)
		line += " · about " + left.Round(max(time.Second, left.Truncate(time.Minute)/20)).String() + " left"
	}
	if l.failure != "" {
		line += " · trying again after: " + l.failure
	}
	return line
}
