package chaos

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/testclient"
)

// probe sends one message after the other through one node, again until it is answered, to
// measure when the node serves. What it was answered is checked at the end.
type probe struct {
	app  *app
	node string
	conv string

	mu       sync.Mutex
	acked    map[string]int64 // seq by client_msg_id; guarded by mu
	answered []answered       // one after the other; guarded by mu
}

// answered is a try that was answered.
type answered struct{ began, at time.Time }

// newProbes makes a probe for each node, in an app of their own.
func newProbes(c *cluster) (all []*probe, err error) {
	a, err := c.nodes[0].createApp("probes", false)
	if err != nil {
		return nil, err
	}
	for _, n := range c.nodes {
		own := *a
		own.addr = n.public
		all = append(all, &probe{app: &own, node: filepath.Base(n.dir), acked: map[string]int64{}})
	}
	return all, nil
}

// prepare makes the conversation.
func (p *probe) prepare() (err error) {
	for _, client := range []string{p.node, p.node + "x"} {
		if err := p.app.must(nil, "POST", "/im/users", map[string]string{"client_id": client}); err != nil {
			return err
		}
	}
	p.conv, err = p.app.create(group, p.node, p.node+"x")
	return err
}

// probeWait bounds a try; see patient. A try that is given up may still be done: the next is its retry.
const probeWait = 2 * time.Second

var probing = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func (p *probe) run(ctx context.Context) {
	backend := p.app.backend()
	backend.HTTP = probing
	for n := 1; ; n++ {
		id, first := fmt.Sprint("probe", n), time.Now()
		for {
			began := time.Now()
			seq, err := p.send(ctx, backend, id, patient(probeWait, first))
			if err == nil {
				p.took(id, seq, answered{began, time.Now()})
				break
			}
			if !pause(ctx, 50*time.Millisecond) {
				return
			}
		}
		if !pause(ctx, 100*time.Millisecond) {
			return
		}
	}
}

// send is one try.
func (p *probe) send(ctx context.Context, backend testclient.App, id string, wait time.Duration) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var sent struct {
		Seq int64 `json:"seq"`
	}
	err := backend.Call(ctx, "POST", convPath(p.conv, "/message"), map[string]any{
		"from_client": p.node, "type": -1, "text": id, "client_msg_id": id,
	}, &sent)
	return sent.Seq, err
}

func (p *probe) took(id string, seq int64, a answered) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.acked[id] = seq
	p.answered = append(p.answered, a)
}

// served is when the node answered the first message that was sent after a moment; zero: not yet.
func (p *probe) served(after time.Time) (at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := sort.Search(len(p.answered), func(i int) bool { return p.answered[i].began.After(after) })
	if first < len(p.answered) {
		at = p.answered[first].at
	}
	return at
}

// check reads the conversation: seq is dense, and every answered message is there once, with
// the seq that was answered.
func (p *probe) check(addr string) error {
	reader := *p.app
	reader.addr = addr
	stored, err := reader.messages(p.conv)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	left := maps.Clone(p.acked)
	for i, m := range stored {
		if m.Seq != int64(i+1) {
			errs = append(errs, fmt.Errorf("probe of %s: message %d has seq %d", p.node, i+1, m.Seq))
		}
		if seq, known := p.acked[m.ClientMsgID]; known && seq != m.Seq {
			errs = append(errs, fmt.Errorf("probe of %s: %s was answered with seq %d and has %d", p.node, m.ClientMsgID, seq, m.Seq))
		}
		delete(left, m.ClientMsgID)
	}
	for id, seq := range left {
		errs = append(errs, fmt.Errorf("probe of %s: %s was answered with seq %d and is not stored", p.node, id, seq))
	}
	return errors.Join(errs...)
}

// serve waits until each of these nodes has answered a message that was sent after a moment.
func (c *cluster) serve(what string, nodes []int, after time.Time, promised time.Duration) error {
	took := time.Duration(0)
	for _, i := range nodes {
		for {
			if at := c.probes[i].served(after); !at.IsZero() {
				took = max(took, at.Sub(after))
				break
			}
			if time.Since(after) > c.limit(promised) {
				return fmt.Errorf("%s: node %s does not serve after %v; %v are promised", what, c.probes[i].node, time.Since(after).Round(time.Millisecond), promised)
			}
			pause(context.Background(), 10*time.Millisecond)
		}
	}
	c.times.add(what, took, promised)
	return nil
}

// recoveries are how long the nodes took to serve again, by what had happened.
type recoveries struct {
	mu       sync.Mutex
	took     map[string][]time.Duration // guarded by mu
	promised map[string]time.Duration   // guarded by mu
}

func (r *recoveries) add(what string, took, promised time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.took == nil {
		r.took, r.promised = map[string][]time.Duration{}, map[string]time.Duration{}
	}
	r.took[what], r.promised[what] = append(r.took[what], took), promised
}

// report is a table of median and maximum.
func (r *recoveries) report() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out strings.Builder
	for _, what := range slices.Sorted(maps.Keys(r.took)) {
		all := slices.Sorted(slices.Values(r.took[what]))
		ms := time.Millisecond
		fmt.Fprintf(&out, "| %s | %d | %v | %v | %v |\n", what, len(all), all[len(all)/2].Round(ms), all[len(all)-1].Round(ms), r.promised[what])
	}
	return out.String()
}
