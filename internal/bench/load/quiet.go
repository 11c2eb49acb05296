package load

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
)

// Quiet are sockets that are logged in and only answer the server's pings.
type Quiet struct {
	Faults ledger.Faults

	mu      sync.Mutex
	sockets []*driver.Socket // guarded by mu
	ending  bool             // guarded by mu
	pongs   int              // guarded by mu
	readers sync.WaitGroup
}

// NewQuiet has no sockets yet.
func NewQuiet() *Quiet { return &Quiet{} }

// JoinAll logs the clients in, atOnce at a time. took, if not nil, gets the duration of each login.
func (q *Quiet) JoinAll(ctx context.Context, h *driver.Host, clients []string, atOnce int, took func(time.Duration)) error {
	return driver.Parallel(ctx, len(clients), atOnce, func(ctx context.Context, i int) error {
		start := time.Now()
		s, err := h.At(i).Join(ctx, clients[i])
		if err != nil {
			return err
		}
		if took != nil {
			took(time.Since(start))
		}
		q.add(s)
		return nil
	})
}

// Join logs one client in and returns its socket, for sending.
func (q *Quiet) Join(ctx context.Context, h *driver.Host, client string) (*driver.Socket, error) {
	s, err := h.Join(ctx, client)
	if err == nil {
		q.add(s)
	}
	return s, err
}

func (q *Quiet) add(s *driver.Socket) {
	q.mu.Lock()
	q.sockets = append(q.sockets, s)
	q.mu.Unlock()
	q.readers.Go(func() { q.read(s) })
}

func (q *Quiet) read(s *driver.Socket) {
	err := s.Loop(func(frame []byte) {
		if bytes.HasPrefix(frame, driver.Ponged) {
			q.mu.Lock()
			q.pongs++
			q.mu.Unlock()
		}
	})
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.ending {
		q.Faults.Addf("an idle socket is over: %v", err)
	}
}

// Check pings the server on each socket and waits for the answers.
func (q *Quiet) Check(ctx context.Context, patience time.Duration) error {
	for _, s := range q.sockets {
		_ = s.Send([]byte(`{"type":"ping"}`)) // a missing pong is counted
	}
	for deadline := time.Now().Add(patience); ; {
		q.mu.Lock()
		pongs := q.pongs
		q.mu.Unlock()
		if pongs >= len(q.sockets) {
			return nil
		}
		if time.Now().After(deadline) {
			q.Faults.Addf("%d of %d sockets do not answer", len(q.sockets)-pongs, len(q.sockets))
			return nil
		}
		if err := driver.Wait(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
}

// End closes the sockets and waits for their goroutines.
func (q *Quiet) End() {
	q.mu.Lock()
	q.ending = true
	q.mu.Unlock()
	driver.CloseAll(q.sockets)
	q.readers.Wait()
}
