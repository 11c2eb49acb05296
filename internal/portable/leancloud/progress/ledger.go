package progress

import (
	"fmt"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/portable/leancloud/api"
)

// sayEvery is how often progress is printed.
const sayEvery = 5 * time.Second

// Counter counts what a run does and tells how far it is. It is safe for concurrent use.
type Counter struct {
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

// New begins to count. say gets the lines of progress.
func New(clock api.Clock, say func(string)) *Counter {
	return &Counter{clock: clock, say: say, told: clock.Now()}
}

// Step begins a step with total parts; zero: unknown.
func (l *Counter) Step(name string, total int) {
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

// Until sets the time up to which the step reads messages.
func (l *Counter) Until(to int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = to
}

// One counts one part of the step as done.
func (l *Counter) One() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done++
}

// Rows counts n rows of the step.
func (l *Counter) Rows(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done += n
}

// Messages counts n rows of messages; at is the time of the newest, in Unix milliseconds.
func (l *Counter) Messages(n int, at int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count += int64(n)
	l.at = at
	if l.from == 0 {
		l.from = at
	}
}

// Retried notes why a request is sent again.
func (l *Counter) Retried(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failure = err.Error()
}

// Asked counts a request, and prints progress if it is time to.
func (l *Counter) Asked() {
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
func (l *Counter) line(now time.Time) string {
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
