package bench

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/bench/ledger"
)

// victim is the app that works at a modest rate: messages over sockets, logins with a
// presence subscription, and REST reads. Each is counted from when it was due, and a
// call that is refused or lost is a fault.
type victim struct {
	run     *run
	couples *couples
	visits  []string // clients who come and go
}

// What the victim does, as the time between two.
const (
	victimPairs    = 20
	victimVisitors = 200
	betweenSends   = 10 * time.Millisecond
	betweenLogins  = 50 * time.Millisecond
	betweenReads   = 20 * time.Millisecond
)

func newVictim(ctx context.Context, r *run) (*victim, error) {
	v := &victim{run: r}
	var err error
	if v.couples, err = r.couples(ctx, victimPairs); err != nil {
		return nil, err
	}
	v.visits, err = r.users(ctx, "v", victimVisitors)
	return v, err
}

// kindOfCall is calls of one kind and what they took.
type kindOfCall struct {
	name      string
	latencies *latencies
}

func newKind(name string) *kindOfCall { return &kindOfCall{name, newLatencies()} }

// Percentiles are told apart by their names; see latencies.values.
func isMedian(name string) bool { return strings.HasSuffix(name, " p50") }
func isTail(name string) bool   { return strings.HasSuffix(name, " p99") }

// work lets the app work for d.
func (v *victim) work(ctx context.Context, d time.Duration) (suffered, error) {
	sends, logins, reads := newKind("send to delivery"), newKind("connect and login"), newKind("REST read")
	c, err := v.couples.gather(ctx, v.run, v.run.host, 0)
	if err != nil {
		return suffered{}, err
	}
	c.onPush = func(m ledger.Message) {
		sends.latencies.record(time.Since(c.dueAt(m, len(v.couples.convs), betweenSends)))
	}
	var probes sync.WaitGroup
	defer probes.Wait()
	watched, cancel := context.WithCancel(ctx)
	defer cancel()
	probes.Go(func() { v.probe(watched, d, betweenLogins, logins, &c.faults, v.visit) })
	probes.Go(func() { v.probe(watched, d, betweenReads, reads, &c.faults, v.read) })
	s, err := v.run.pace(ctx, v.run.host, c, "", d, betweenSends)
	if err != nil {
		return suffered{}, err
	}
	probes.Wait()
	return suffered{[]*kindOfCall{sends, logins, reads}, s.checked + ", no call was refused", s.faults()}, nil
}

// probe makes a call whenever one is due, whether or not the last has come back, for d.
func (v *victim) probe(ctx context.Context, d, interval time.Duration, kind *kindOfCall, faults *ledger.Faults, call func(context.Context, int) error) {
	ctx, cancel := context.WithTimeout(ctx, d+v.run.patience)
	defer cancel()
	var calls sync.WaitGroup
	defer calls.Wait()
	start := time.Now()
	for k := 0; time.Duration(k)*interval < d; k++ {
		due := start.Add(time.Duration(k) * interval)
		if wait(ctx, time.Until(due)) != nil {
			return
		}
		calls.Go(func() {
			err := call(ctx, k)
			kind.latencies.record(time.Since(due))
			if err != nil {
				faults.Addf("%s: %v", kind.name, err)
			}
		})
	}
}

// visit is a client that comes, watches another, and goes.
func (v *victim) visit(ctx context.Context, k int) error {
	client := v.visits[k%len(v.visits)]
	s, err := v.run.host.join(ctx, client)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.ask("presence.subscribe", `{"type":"presence.subscribe","data":{"client_ids":["`+v.couples.clients[0]+`"]}}`)
	return err
}

// read asks for the newest page of a conversation, or for that of the inbox.
func (v *victim) read(ctx context.Context, k int) error {
	at := k % len(v.couples.convs)
	path := "/im/conversations/" + v.couples.convs[at] + "/message?page=1&size=" + strconv.Itoa(20)
	if k%2 == 1 {
		path = "/im/users/" + v.couples.clients[at] + "/conversations?size=20"
	}
	if err := v.run.host.callOnce(ctx, http.MethodGet, path, nil, nil); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}
