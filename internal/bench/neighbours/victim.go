package neighbours

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/load"
)

// victim is the app that works at a modest rate: messages over sockets, logins with a presence
// subscription, and REST reads. The latency of each counts from when it was due. A call that is
// refused or lost is a fault.
type victim struct {
	run     *load.Run
	couples *load.Couples
	visits  []string // clients who come and go
}

// The size of the victim, and the time between two calls of a kind.
const (
	victimPairs    = 20
	victimVisitors = 200
	betweenSends   = 10 * time.Millisecond
	betweenLogins  = 50 * time.Millisecond
	betweenReads   = 20 * time.Millisecond
)

func newVictim(ctx context.Context, r *load.Run) (*victim, error) {
	v := &victim{run: r}
	var err error
	if v.couples, err = r.Couples(ctx, victimPairs); err != nil {
		return nil, err
	}
	v.visits, err = r.Users(ctx, "v", victimVisitors)
	return v, err
}

// kindOfCall has the latencies of the calls of one kind.
type kindOfCall struct {
	name      string
	latencies *load.Latencies
}

func newKind(name string) *kindOfCall { return &kindOfCall{name, load.NewLatencies()} }

// The name of a figure ends with its percentile; see load.Latencies.
func isMedian(name string) bool { return strings.HasSuffix(name, " p50") }
func isTail(name string) bool   { return strings.HasSuffix(name, " p99") }

// work lets the app work for d.
func (v *victim) work(ctx context.Context, d time.Duration) (suffered, error) {
	sends, logins, reads := newKind("send to delivery"), newKind("connect and login"), newKind("REST read")
	c, err := v.couples.Gather(ctx, v.run, v.run.Host, 0)
	if err != nil {
		return suffered{}, err
	}
	c.OnPush = func(m ledger.Message) {
		sends.latencies.Record(time.Since(c.DueAt(m, len(v.couples.Convs), betweenSends)))
	}
	var probes sync.WaitGroup
	defer probes.Wait()
	watched, cancel := context.WithCancel(ctx)
	defer cancel()
	probes.Go(func() { v.probe(watched, d, betweenLogins, logins, &c.Faults, v.visit) })
	probes.Go(func() { v.probe(watched, d, betweenReads, reads, &c.Faults, v.read) })
	s, err := v.run.Pace(ctx, v.run.Host, c, "", d, betweenSends)
	if err != nil {
		return suffered{}, err
	}
	probes.Wait()
	return suffered{[]*kindOfCall{sends, logins, reads}, s.Checked + ", no call was refused", s.Faults()}, nil
}

// probe makes a call at each interval for d, whether or not earlier calls have returned.
func (v *victim) probe(ctx context.Context, d, interval time.Duration, kind *kindOfCall, faults *ledger.Faults, call func(context.Context, int) error) {
	ctx, cancel := context.WithTimeout(ctx, d+v.run.Patience)
	defer cancel()
	var calls sync.WaitGroup
	defer calls.Wait()
	start := time.Now()
	for k := 0; time.Duration(k)*interval < d; k++ {
		due := start.Add(time.Duration(k) * interval)
		if driver.Wait(ctx, time.Until(due)) != nil {
			return
		}
		calls.Go(func() {
			err := call(ctx, k)
			kind.latencies.Record(time.Since(due))
			if err != nil {
				faults.Addf("%s: %v", kind.name, err)
			}
		})
	}
}

// visit logs a client in, subscribes to the presence of another, and closes.
func (v *victim) visit(ctx context.Context, k int) error {
	client := v.visits[k%len(v.visits)]
	s, err := v.run.Host.Join(ctx, client)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Call("presence.subscribe", `{"type":"presence.subscribe","data":{"client_ids":["`+v.couples.Clients[0]+`"]}}`)
	return err
}

// read fetches the newest page of a conversation or of the inbox, in turn.
func (v *victim) read(ctx context.Context, k int) error {
	at := k % len(v.couples.Convs)
	path := "/im/conversations/" + v.couples.Convs[at] + "/message?page=1&size=" + strconv.Itoa(20)
	if k%2 == 1 {
		path = "/im/users/" + v.couples.Clients[at] + "/conversations?size=20"
	}
	if err := v.run.Host.CallOnce(ctx, http.MethodGet, path, nil, nil); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return nil
}
