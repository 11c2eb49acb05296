package online

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
	"github.com/skein-im/skein/internal/bench/load"
	"github.com/skein-im/skein/internal/testclient"
)

// OnlookerName is the argument with which skein-bench becomes a process that holds clients.
const OnlookerName = "onlooker"

// order is what a process of clients is told to do, one line of JSON each. It answers each with a reply.
type order struct {
	App   string  `json:"app"`
	Key   string  `json:"key"`
	Join  []place `json:"join"`  // log these clients in
	Crowd bool    `json:"crowd"` // all of them at once, as soon as they can
	Until int64   `json:"until"` // wait until each client that is logged in has the message of this seq; zero: do not
	Lost  int     `json:"lost"`  // wait until so many sockets have ended by themselves
}

// place is a client and the node that it logs in at.
type place struct {
	Client string `json:"client"`
	Addr   string `json:"addr"`
}

// reply is what came of an order.
type reply struct {
	Error    string          `json:"error"`
	Took     []time.Duration `json:"took"` // of each login
	Faults   []string        `json:"faults"`
	Repeated int64           `json:"repeated"` // logins that were tried again
}

// Onlooker obeys orders until in ends.
func Onlooker(ctx context.Context, in io.Reader, out io.Writer) error {
	o := newOnlookers()
	defer o.end()
	orders, replies := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var told order
		if err := orders.Decode(&told); err != nil {
			return nil // skein-bench has ended
		}
		took, err := o.obey(ctx, told)
		r := reply{Took: took, Faults: o.faults.List(), Repeated: o.repeated.Swap(0)}
		if err != nil {
			r.Error = err.Error()
		}
		if err := replies.Encode(r); err != nil {
			return err
		}
	}
}

// onlookers are clients that listen.
type onlookers struct {
	faults   ledger.Faults
	nodes    map[string]*driver.Host // by address; owned by obey
	repeated atomic.Int64            // logins that were tried again
	over     atomic.Int64            // sockets that ended by themselves since the last order of Lost

	mu      sync.Mutex
	clients map[string]*onlooker // guarded by mu
	leaving atomic.Bool
	readers sync.WaitGroup
}

// onlooker is one client. It keeps its newest seq when it logs in again.
type onlooker struct {
	name string
	sock *driver.Socket // guarded by mu of onlookers
	seen atomic.Int64
}

func newOnlookers() *onlookers {
	return &onlookers{nodes: make(map[string]*driver.Host), clients: make(map[string]*onlooker)}
}

func (o *onlookers) obey(ctx context.Context, told order) (took []time.Duration, err error) {
	if len(told.Join) > 0 {
		if took, err = o.join(ctx, told); err != nil {
			return nil, err
		}
	}
	if told.Until > 0 {
		if err := o.wait(ctx, fmt.Sprintf("seq %d", told.Until), func() bool { return o.behind(told.Until) == 0 }); err != nil {
			return nil, err
		}
	}
	if told.Lost > 0 {
		err = o.wait(ctx, fmt.Sprintf("%d sockets to end", told.Lost), func() bool { return o.over.Load() >= int64(told.Lost) })
		o.over.Add(-int64(told.Lost))
	}
	return took, err
}

func (o *onlookers) join(ctx context.Context, told order) ([]time.Duration, error) {
	for _, p := range told.Join {
		if o.nodes[p.Addr] == nil {
			h := driver.NewHost()
			h.Addr, h.App, h.Key = p.Addr, told.App, told.Key
			o.nodes[p.Addr] = h
		}
	}
	took := make([]time.Duration, len(told.Join))
	most := atOnce
	if told.Crowd {
		most = len(told.Join)
	}
	return took, driver.Parallel(ctx, len(told.Join), most, func(ctx context.Context, n int) error {
		p := told.Join[n]
		start := time.Now()
		if told.Crowd { // clients that lose their socket at the same time do not come back at the same instant
			if err := driver.Wait(ctx, pauseBefore(0, nil)); err != nil {
				return err
			}
		}
		s, err := o.insist(ctx, o.nodes[p.Addr], p.Client)
		took[n] = time.Since(start)
		if err != nil {
			return err
		}
		o.mu.Lock()
		one := o.clients[p.Client]
		if one == nil {
			one = &onlooker{name: p.Client}
			o.clients[p.Client] = one
		}
		one.sock = s
		o.mu.Unlock()
		o.readers.Go(func() { o.read(one, s) })
		return nil
	})
}

// insist logs a client in and tries again after a failure, as clients do: after the time that the server names, or
// else after a random part of a time that doubles.
func (o *onlookers) insist(ctx context.Context, h *driver.Host, client string) (s *driver.Socket, err error) {
	begun := time.Now()
	for try := 0; ; try++ {
		if s, err = h.Join(ctx, client); err == nil {
			return s, nil
		}
		pause := pauseBefore(try, err)
		if time.Since(begun)+pause > patience {
			return nil, err
		}
		o.repeated.Add(1)
		if err := driver.Wait(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// pauseBefore is how long a client waits before its next try.
func pauseBefore(try int, err error) time.Duration {
	const first, most = time.Second, 16 * time.Second
	var refused *testclient.Refusal
	if errors.As(err, &refused) && refused.Retry > 0 {
		return refused.Retry
	}
	return rand.N(min(first<<min(try, 10), most)) //nolint:gosec // it only spreads the clients
}

// read reads what comes, since the server closes a socket that does not answer its pings.
func (o *onlookers) read(one *onlooker, s *driver.Socket) {
	_ = s.Loop(func(frame []byte) { o.handle(one, frame) }) // whoever closed it knows why
	if !o.leaving.Load() {
		o.over.Add(1)
	}
}

func (o *onlookers) handle(one *onlooker, frame []byte) {
	switch {
	case bytes.HasPrefix(frame, driver.Pushed):
		seq, _, ok := driver.ParsePush(frame)
		if last := one.seen.Swap(seq); !ok || seq != last+1 {
			o.faults.Addf("%s got seq %d after %d: %s", one.name, seq, last, frame)
		}
	case bytes.HasPrefix(frame, driver.Kicked), bytes.HasPrefix(frame, driver.Faultless), load.Refused(frame):
		o.faults.Addf("%s: the server says %s", one.name, frame)
	}
}

// behind counts the clients that do not have the message of a seq.
func (o *onlookers) behind(seq int64) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, one := range o.clients {
		if one.seen.Load() < seq {
			n++
		}
	}
	return n
}

// wait waits until something is so.
func (o *onlookers) wait(ctx context.Context, what string, so func() bool) error {
	for deadline := time.Now().Add(patience); !so(); {
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %v for %s", patience, what)
		}
		if err := driver.Wait(ctx, 2*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// end closes the sockets and waits for their goroutines.
func (o *onlookers) end() {
	o.leaving.Store(true)
	o.mu.Lock()
	for _, one := range o.clients {
		one.sock.Close()
	}
	o.mu.Unlock()
	o.readers.Wait()
}
