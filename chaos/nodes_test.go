package chaos

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/bus/lossy"
	"github.com/skein-im/skein/internal/feed"
	"github.com/skein-im/skein/internal/store"
)

var breakFlag = flag.String("chaos.break", "", "break the nodes on purpose, to see that TestNodes notices: doorbell, changes, roster, notices, presence or doubt")

// unlessBroken is a value, or zero if -chaos.break says so.
func unlessBroken[T any](what string, value T) (v T) {
	if *breakFlag == what {
		return v
	}
	return value
}

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

// network is the bus between the nodes.
type network interface {
	Nodes() []bus.Bus
	Set(f lossy.Faults) // from now on
	Reconnect(node int) // its connection was away for a moment
	Close()
}

// nodes are several nodes of one installation.
type nodes struct {
	shared  *shared
	network network
	all     []*node
	log     *logbuffer

	stop    context.CancelFunc
	ringing sync.WaitGroup
}

func newNodes(dir string, seed uint64) (*nodes, error) {
	return newNodesOn(dir, lossy.New(nodeCount, seed, rough), new(logbuffer))
}

func newNodesOn(dir string, between network, log *logbuffer) (*nodes, error) {
	n := &nodes{network: between, log: log}
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
		n.ringing.Go(func() {
			follower.Doorbell(ctx, func(m store.Moved) {
				m.Edits = unlessBroken("notices", m.Edits)
				one.delivery.Compare(m)
			}, one.delivery.Resync)
		})
	}
	return nil
}

func (n *nodes) addr() string          { return n.all[0].addr() }
func (n *nodes) addrs(i int) []string  { return []string{n.all[i%len(n.all)].addr()} }
func (n *nodes) ghosts() time.Duration { return shortGhosts }
func (n *nodes) least() int64          { return 0 }

func (n *nodes) faults() []choice {
	return []choice{
		{"bus-away", 40, 300 * time.Millisecond, 2 * time.Second},
		{"bus-reconnect", 20, 0, 0},
		{"kick", 40, 0, 0},
		{"sessions-lost", 10, 0, 0},
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
	case "sessions-lost":
		return n.shared.loseSessions()
	case "kick":
		one := n.all[int(f.at)%len(n.all)]
		for app := range one.hub.SessionsByApp() {
			one.hub.KickApp(app, skein.KickReplaced)
			break
		}
	}
	return nil
}

// calm leaves the bus as it is: it loses events to the end.
func (n *nodes) calm() error { return nil }

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
