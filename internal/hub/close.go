package hub

import (
	"context"
	"time"
)

// goodbyeGap bounds the time between two goodbyes of a drain, so that a node with few
// sessions drains quickly.
const goodbyeGap = 10 * time.Millisecond

// Close drains the hub. No session is added any more. Those attached are closed with
// CloseGoingAway, each after the answer to its current command, spread over four fifths
// of the time that ctx has (without a deadline: at once), so that they do not all
// reconnect at once. Then Close waits for the sessions to leave. When ctx ends it cuts
// those that are left and returns the error of ctx.
func (h *Hub) Close(ctx context.Context) error {
	h.closing.Store(true)
	h.sayGoodbye(ctx)
	h.stop()
	h.sweeping.Wait()

	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for i := range h.shards {
			h.shards[i].live.Wait()
		}
		for i := range h.queues {
			h.queues[i].wait()
		}
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		h.cutAll()
		<-gone
		return ctx.Err()
	}
}

// sayGoodbye ends all sessions, spread over time.
func (h *Hub) sayGoodbye(ctx context.Context) {
	all := h.all()
	gap := goodbyePace(ctx, len(all))
	start := time.Now()
	for i, s := range all {
		if wait := time.Until(start.Add(gap * time.Duration(i))); wait > 0 {
			sleep(ctx, wait)
		}
		s.end(nil, ending{code: CloseGoingAway, reason: "server is going away", patient: true})
	}
}

// Dismiss ends up to n sessions with CloseElsewhere, each after the answer to its current
// command, and says how many. Their clients reconnect to another node.
func (h *Hub) Dismiss(n int) (dismissed int) {
	all := h.all()
	some := all[:min(n, len(all))]
	for _, s := range some {
		s.end(nil, ending{code: CloseElsewhere, reason: "this node has lost its database", patient: true})
	}
	return len(some)
}

// goodbyePace is the time between two of n goodbyes.
func goodbyePace(ctx context.Context, n int) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok || n == 0 {
		return 0
	}
	over := time.Until(deadline) * 4 / 5
	return max(0, min(over/time.Duration(n), goodbyeGap))
}

// cutAll ends the sockets of the sessions that are left.
func (h *Hub) cutAll() {
	for _, s := range h.all() {
		s.conn.Close(CloseAbnormal, "")
		s.Detach()
	}
}

func (h *Hub) all() (all []*Session) {
	for i := range h.shards {
		all = append(all, h.shards[i].all()...)
	}
	return all
}

// sleep waits for d or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
