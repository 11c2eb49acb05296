package bench

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/report"
)

// heartbeat is how often the server pings a socket: a time in which each idle socket
// costs what it costs exactly once.
const heartbeat = 25 * time.Second

// idle: what a login costs, what a socket that says nothing keeps, and what it costs
// to keep it.
func idle(ctx context.Context, r *run) error {
	const usual = 10_000
	clients, err := r.users(ctx, "i", r.clients(usual))
	if err != nil {
		return err
	}
	n := len(clients)
	watch := r.lasting(heartbeat)
	before, err := r.quietMemory(ctx, watch)
	if err != nil {
		return err
	}
	q := newQuiet()
	defer q.end()
	logins, err := r.measure(ctx, r.host, "logins", maxProfile, func() error { return q.joinAll(ctx, r.host, clients, setupConnections, nil) })
	if err != nil {
		return err
	}
	watched, err := r.measure(ctx, r.host, "", watch, func() error { return wait(ctx, watch) })
	if err != nil {
		return err
	}
	after, err := r.memory(ctx)
	if err != nil {
		return err
	}
	if err := q.check(ctx, r.patience); err != nil {
		return err
	}
	var values []report.Value
	if watched.known {
		values = []report.Value{
			{Name: "server memory (RSS) a socket", Value: float64(after-before) / float64(n), Unit: "B", Target: r.forTheUsual(report.AtMost(5000))},
			{Name: "server CPU while idle, of a core", Value: 100 * watched.cpu.Seconds() / watched.took.Seconds(), Unit: "%", Target: r.forTheUsual(report.AtMost(1))},
			{Name: "server CPU a login", Value: micros(logins.cpu) / float64(n), Unit: "µs", Target: r.forTheUsual(report.AtMost(220))},
		}
	}
	values = append(values, report.Value{Name: "logins a second", Value: float64(n) / logins.took.Seconds()})
	about := fmt.Sprintf("%d sockets that say nothing for %v", n, watched.took.Round(time.Second))
	return r.phase("", about, values, fmt.Sprintf("each of %d sockets answers at the end", n), &q.faults)
}

// quietMemory is memory after a time in which nobody asked anything: as the sockets
// are weighed at the end of such a time, so is what was there before them.
func (r *run) quietMemory(ctx context.Context, watch time.Duration) (int64, error) {
	if r.host.pid == 0 {
		return 0, nil
	}
	if err := wait(ctx, watch); err != nil {
		return 0, err
	}
	return r.memory(ctx)
}

// memory is the server's; zero where its pid is unknown.
func (r *run) memory(ctx context.Context) (int64, error) {
	if r.host.pid == 0 {
		return 0, nil
	}
	return r.host.rss(ctx)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// quiet is sockets that are logged in and answer the server's pings.
type quiet struct {
	faults ledger.Faults

	mu      sync.Mutex
	sockets []*socket // guarded by mu
	ending  bool      // guarded by mu
	pongs   int       // guarded by mu
	readers sync.WaitGroup
}

func newQuiet() *quiet { return &quiet{} }

// joinAll logs the clients in, some at a time; each login that took is told to took,
// unless that is nil.
func (q *quiet) joinAll(ctx context.Context, h *host, clients []string, atOnce int, took func(time.Duration)) error {
	return parallel(ctx, len(clients), atOnce, func(ctx context.Context, i int) error {
		start := time.Now()
		s, err := h.join(ctx, clients[i])
		if err != nil {
			return err
		}
		if took != nil {
			took(time.Since(start))
		}
		q.mu.Lock()
		q.sockets = append(q.sockets, s)
		q.mu.Unlock()
		q.readers.Go(func() { q.read(s) })
		return nil
	})
}

func (q *quiet) read(s *socket) {
	err := s.Loop(func(frame []byte) {
		if bytes.HasPrefix(frame, ponged) {
			q.mu.Lock()
			q.pongs++
			q.mu.Unlock()
		}
	})
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.ending {
		q.faults.Addf("an idle socket is over: %v", err)
	}
}

// check asks each socket whether it lives.
func (q *quiet) check(ctx context.Context, patience time.Duration) error {
	for _, s := range q.sockets {
		_ = s.Send([]byte(`{"type":"ping"}`)) // a pong that does not come is counted
	}
	for deadline := time.Now().Add(patience); ; {
		q.mu.Lock()
		pongs := q.pongs
		q.mu.Unlock()
		if pongs >= len(q.sockets) {
			return nil
		}
		if time.Now().After(deadline) {
			q.faults.Addf("%d of %d sockets do not answer", len(q.sockets)-pongs, len(q.sockets))
			return nil
		}
		if err := wait(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
}

func (q *quiet) end() {
	q.mu.Lock()
	q.ending = true
	q.mu.Unlock()
	closeAll(q.sockets)
	q.readers.Wait()
}
