package chaos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"

	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/bus/lossy"
	"github.com/skein-im/skein/internal/bus/natsbus"
)

// TestNodesOverNATS plays a round of TestNodes with a real NATS between the nodes, whose
// server is stopped and started again meanwhile.
func TestNodesOverNATS(t *testing.T) {
	if testing.Short() {
		t.Skip("a round takes its time")
	}
	if *historyFlag != "" {
		t.Skip("TestNodes checks a history")
	}
	const length, seed = 6 * time.Second, 1
	var network *natsNetwork
	playRound(t, filepath.Join(keptDir(t), "nats"), seed, length, func(dir string, _ uint64) (system, error) {
		log := new(logbuffer)
		var err error
		if network, err = newNATS(nodeCount, slog.New(log)); err != nil {
			return nil, err
		}
		return newNodesOn(dir, network, log)
	})
	if network.heard.Load() == 0 {
		t.Error("no event came over NATS")
	}
}

// natsNetwork is a NATS server and the buses of the nodes.
type natsNetwork struct {
	server *nats.Server
	port   int
	log    *slog.Logger
	buses  []*natsbus.Bus
	deaf   atomic.Bool  // every event is lost
	heard  atomic.Int64 // events that came
}

func newNATS(nodes int, log *slog.Logger) (*natsNetwork, error) {
	n := &natsNetwork{port: nats.RANDOM_PORT, log: log}
	if err := n.start(); err != nil {
		return nil, err
	}
	for i := range nodes {
		b, err := natsbus.Connect(context.Background(), natsbus.Options{Servers: []string{n.server.ClientURL()}, Name: fmt.Sprint(i), Log: log})
		if err != nil {
			return nil, err
		}
		n.buses = append(n.buses, b)
	}
	return n, nil
}

func (n *natsNetwork) start() (err error) {
	if n.server, err = nats.NewServer(&nats.Options{Host: "127.0.0.1", Port: n.port, NoSigs: true, NoLog: true}); err != nil {
		return err
	}
	n.server.Start()
	const readyWait = time.Minute
	if !n.server.ReadyForConnections(readyWait) {
		return errors.New("the NATS server does not become ready")
	}
	n.port = n.server.Addr().(*net.TCPAddr).Port
	return nil
}

func (n *natsNetwork) stop() {
	n.server.Shutdown()
	n.server.WaitForShutdown()
}

// Nodes are the buses of the nodes.
func (n *natsNetwork) Nodes() (all []bus.Bus) {
	for _, b := range n.buses {
		all = append(all, &natsNode{b, n})
	}
	return all
}

// Set loses every event, or none.
func (n *natsNetwork) Set(faults lossy.Faults) { n.deaf.Store(faults.Lose == 1) }

// Reconnect stops the server for a moment.
func (n *natsNetwork) Reconnect(int) {
	n.stop()
	if err := n.start(); err != nil {
		n.log.Error("NATS does not start again", slog.Any("error", err))
	}
}

func (n *natsNetwork) Close() {
	for _, b := range n.buses {
		b.Close(context.Background())
	}
	n.stop()
}

// natsNode is the bus of one node.
type natsNode struct {
	*natsbus.Bus

	network *natsNetwork
}

// Subscribe adds a handler that hears nothing while the network loses everything.
func (o *natsNode) Subscribe(handle func(*bus.Event)) (stop func()) {
	return o.Bus.Subscribe(func(e *bus.Event) {
		if e.Resync || !o.network.deaf.Load() {
			o.network.heard.Add(1)
			handle(e)
		}
	})
}
