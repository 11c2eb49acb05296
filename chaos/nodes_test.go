package chaos

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/bus/lossy"
)

var breakFlag = flag.String("chaos.break", "", "break the nodes on purpose, to see that TestNodes notices: doorbell, changes or roster")

// TestNodes plays the rounds of TestChaos on three nodes in this process, on one store and
// on a bus that loses a tenth of the events, and doubles, delays and reorders others.
func TestNodes(t *testing.T) {
	if testing.Short() {
		t.Skip("a round takes its time")
	}
	if *historyFlag != "" {
		checkKept(t, *historyFlag)
		return
	}
	playRounds(t, keptDir(t), func(dir string, seed uint64) (system, error) { return newNodes(dir, seed) })
}

// nodeCount is how many nodes there are.
const nodeCount = 3

// rough is the bus of a round. What is never announced at all is lost for every node.
var rough = lossy.Faults{Lose: 0.1, Double: 0.05, Delay: 0.1, Longest: 150 * time.Millisecond}

// unannounced is how many of the commits are not announced, as if their node had died
// right after the commit: one in so many.
const unannounced = 30

// bellEvery is the time between two doorbells.
const bellEvery = time.Second

// nodes are several nodes of one installation.
type nodes struct {
	shared  *shared
	network *lossy.Network
	all     []*node
	log     *logbuffer

	bells   atomic.Int64 // rounds of doorbells so far
	stop    context.CancelFunc
	ringing sync.WaitGroup
}

func newNodes(dir string, seed uint64) (*nodes, error) {
	n := &nodes{network: lossy.New(nodeCount, seed, rough), log: new(logbuffer)}
	var err error
	if n.shared, err = openShared(dir, n.log); err != nil {
		return nil, err
	}
	for i, b := range n.network.Nodes() {
		one, err := newNode(n.shared.handle(i), b, n.log)
		if err != nil {
			return nil, err
		}
		n.all = append(n.all, one)
		n.shared.announce = append(n.shared.announce, one.delivery.Committed)
	}
	return n, nil
}

func (n *nodes) createApp(id string, private bool) (*app, error) {
	key, hash := access.NewKey()
	secret := access.NewTokenSecret()
	return &app{id: id, key: key, secret: string(secret), private: private}, n.shared.CreateApp(context.Background(), skein.App{
		ID: id, Name: id, TokenSecret: secret, Created: skein.MillisOf(time.Now()), Keys: []skein.AppKey{{Name: "default", Hash: hash}},
		Settings: skein.Settings{PrivateHistory: private, SendRate: -1},
	})
}

// start lets the doorbells ring.
func (n *nodes) start() error {
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	n.ringing.Go(func() {
		for pause(ctx, bellEvery) {
			n.ring()
		}
	})
	return nil
}

// ring tells every node what moved since the last time.
func (n *nodes) ring() {
	moved := n.shared.takeMoved()
	if *breakFlag != "doorbell" {
		for _, one := range n.all {
			for conv, m := range moved {
				one.delivery.Ring(m.app, conv, m.seq, m.change)
			}
		}
	}
	n.bells.Add(1)
}

func (n *nodes) addr(i int) string { return n.all[i%len(n.all)].addr() }

func (n *nodes) faults() []choice {
	return []choice{
		{"bus-away", 40, 300 * time.Millisecond, 2 * time.Second},
		{"bus-reconnect", 20, 0, 0},
		{"kick", 40, 0, 0},
	}
}

// strike does a fault and waits for its end.
func (n *nodes) strike(ctx context.Context, f fault) error {
	switch f.what {
	case "bus-away": // nobody hears anybody; then every node knows that it was away
		n.network.Set(lossy.Faults{Lose: 1})
		pause(ctx, f.lasts)
		n.network.Set(rough)
		for i := range n.all {
			n.network.Reconnect(i)
		}
	case "bus-reconnect":
		n.network.Reconnect(f.device % len(n.all))
	case "kick":
		one := n.all[int(f.at)%len(n.all)]
		for _, app := range one.hub.Apps() {
			one.hub.KickApp(app, skein.KickReplaced)
			break
		}
	}
	return nil
}

// calm leaves the bus as it is: it loses events to the end.
func (n *nodes) calm() error { return nil }

// healWait bounds how long devices take to fetch what they were shown to lack.
const healWait = 10 * time.Second

// lastWords is the promise of the lost tail: something happens in every conversation, no
// node hears of it from another, nothing follows, and within two rounds of doorbells every
// device that is online holds all of it, without a sync of its own.
func (n *nodes) lastWords(r *round) error {
	n.network.Set(lossy.Faults{Lose: 1})
	syncs := r.quiet()
	said := map[string]*device{} // by whom something was said in each conversation
	for _, d := range r.devices {
		for conv, id := range d.newest() {
			if said[conv] != nil {
				continue
			}
			said[conv] = d
			on, text := 1, "the last words in "+conv
			if _, err := d.do(context.Background(), "msg.send", args{ConvID: conv, Type: -1, Text: text, ClientMsgID: text}, 0); err != nil {
				return err
			}
			if _, err := d.do(context.Background(), "msg.react", args{ConvID: conv, MsgID: id, Emoji: "last", On: &on}, 0); err != nil {
				return err
			}
		}
	}
	for before := n.bells.Load(); n.bells.Load() < before+2; {
		pause(context.Background(), 10*time.Millisecond)
	}
	var err error
	for deadline := time.Now().Add(healWait); time.Now().Before(deadline); pause(context.Background(), 20*time.Millisecond) {
		if err = n.healed(r, said); err == nil {
			break
		}
	}
	if !slices.Equal(syncs, r.syncs()) {
		err = errors.Join(err, errors.New("a device synced meanwhile, so that it holds everything shows nothing"))
	}
	n.network.Set(rough)
	for _, d := range r.devices {
		d.want() // who said something learns its seq
	}
	return errors.Join(err, r.rest())
}

// syncs is how often each device has synced.
func (r *round) syncs() []int {
	all := make([]int, len(r.devices))
	for i, d := range r.devices {
		all[i], _ = d.resting()
	}
	return all
}

// quiet waits until no device syncs any more, and answers syncs.
func (r *round) quiet() []int {
	for before := r.syncs(); ; {
		pause(context.Background(), resyncOver+200*time.Millisecond)
		now := r.syncs()
		if slices.Equal(now, before) {
			return now
		}
		before = now
	}
}

// healed is what a device still lacks of the last words. Who said them has their seq from
// the answer, and no copy.
func (n *nodes) healed(r *round, said map[string]*device) error {
	for _, conv := range slices.Sorted(maps.Keys(said)) {
		seq, change := n.shared.last(conv)
		for _, d := range r.devices {
			d.mu.Lock()
			t := d.talks[conv]
			lacks := t != nil && (t.change < change || t.last < seq && d.client != said[conv].client)
			d.mu.Unlock()
			if lacks {
				return fmt.Errorf("not healed two doorbells after the last loss: %s/%s does not hold seq %d and change %d of %s", d.client, d.id, seq, change, conv)
			}
		}
	}
	return nil
}

func (n *nodes) disaster() string { return n.log.disaster() }

func (n *nodes) close() {
	if n.stop != nil {
		n.stop()
	}
	n.ringing.Wait()
	for _, one := range n.all {
		one.close()
	}
	n.network.Close()
	n.shared.Close()
}
