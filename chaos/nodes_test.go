package chaos

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/bus/lossy"
	"github.com/skein-im/skein/internal/feed"
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

// nodes are several nodes of one installation.
type nodes struct {
	shared  *shared
	network *lossy.Network
	all     []*node
	log     *logbuffer

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
		one, err := newNode(fmt.Sprint(dir, i), n.shared.handle(i), b, n.log)
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

// start lets each node follow the feed.
func (n *nodes) start() error {
	ctx, stop := context.WithCancel(context.Background())
	n.stop = stop
	for i, one := range n.all {
		if *breakFlag == "doorbell" {
			break
		}
		follower := feed.New(feed.Options{Store: n.shared, Node: strconv.Itoa(i)})
		n.ringing.Go(func() { follower.Doorbell(ctx, one.delivery.Ring) })
	}
	return nil
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

// healWait is long, since the machine does much else: a lost tail is promised within 2 s.
const healWait = 10 * time.Second

// lastWords is the promise of the lost tail: something happens in every conversation, no
// node hears of it from another, nothing follows, and soon every device that is online
// holds all of it, without a sync of its own.
func (n *nodes) lastWords(r *round) error {
	n.network.Set(lossy.Faults{Lose: 1})
	syncs := r.quiet()
	all := map[string]words{} // by conversation
	for _, d := range r.devices {
		for conv, m := range d.newest() {
			if all[conv].by != nil {
				continue
			}
			all[conv] = words{by: d, about: m.Seq}
			on, text := 1, "the last words in "+conv
			if _, err := d.do(context.Background(), "msg.send", args{ConvID: conv, Type: -1, Text: text, ClientMsgID: text}, 0); err != nil {
				return err
			}
			if _, err := d.do(context.Background(), "msg.react", args{ConvID: conv, MsgID: m.ID, Emoji: "last", On: &on}, 0); err != nil {
				return err
			}
		}
	}
	var err error
	lost := time.Now()
	for ; time.Since(lost) < healWait; pause(context.Background(), 20*time.Millisecond) {
		if err = n.healed(r, all); err == nil {
			break
		}
	}
	r.history.add(event{Kind: kindFault, Text: fmt.Sprintf("healed %v after the last loss", time.Since(lost).Round(time.Millisecond))})
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

// words are the last in one conversation: a message, and a reaction to an older one.
type words struct {
	by    *device
	about int64 // seq of what was reacted to
}

// healed is what a device still lacks of the last words. Who said them has their seq from
// the answer, and no copy; who may not see a message is not told of a reaction to it.
func (n *nodes) healed(r *round, all map[string]words) error {
	for _, conv := range slices.Sorted(maps.Keys(all)) {
		seq, change := n.shared.last(conv)
		for _, d := range r.devices {
			d.mu.Lock()
			t := d.talks[conv]
			lacks := t != nil && (t.change < change && all[conv].about > t.floor || t.last < seq && d.client != all[conv].by.client)
			d.mu.Unlock()
			if lacks {
				return fmt.Errorf("not healed %v after the last loss: %s/%s does not hold seq %d and change %d of %s", healWait, d.client, d.id, seq, change, conv)
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
