// Package cluster runs several nodes on this machine as one server: a PostgreSQL, the nodes with a
// NATS server in each, and a balancer in front. It is for development: everything listens on loopback
// and ends with this process. It knows the server by its command line and /readyz alone.
package cluster

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/skein-im/skein/internal/cluster/balancer"
)

// Options say what to run.
type Options struct {
	Program string    // the skein binary
	Data    string    // directory of everything that is kept; made when missing
	Nodes   int       // 1 to MostNodes
	Port    int       // of the balancer; the nodes use some of the 30 that follow
	Out     io.Writer // what the user is told
}

// MostNodes is how many nodes there may be. MostPort is the highest port of a balancer.
const (
	MostNodes = 9
	MostPort  = 65535 - 3*(MostNodes+1)
)

// restartAfter is how long a node that ended stays away.
const restartAfter = 3 * time.Second

// cluster is what runs.
type cluster struct {
	opts     Options
	database database
	nodes    []*node
	front    net.Listener
	balancer *balancer.Balancer
	complete atomic.Bool // all nodes were ready once
}

// Run runs a cluster until ctx ends, and returns when all its processes have ended. hurry ends the
// nodes at once.
func Run(ctx context.Context, opts Options, hurry <-chan struct{}) (err error) {
	c := &cluster{opts: opts}
	if err := c.prepare(ctx); err != nil {
		return err
	}
	defer c.front.Close() //nolint:errcheck // Shutdown may have closed it
	started := time.Now()
	if c.database, err = startDatabase(ctx, filepath.Join(opts.Data, "postgres"), opts.Nodes); err != nil {
		return err
	}
	defer c.database.end()

	g, ctx := errgroup.WithContext(ctx)
	secret := rand.Text()
	for _, n := range c.nodes {
		n.env = c.settings(n, secret)
		g.Go(func() error { return n.run(ctx, hurry, &c.complete) })
	}
	g.Go(func() error { c.balancer.Watch(ctx); return nil })
	g.Go(func() error { return c.serve(ctx) })
	g.Go(func() error {
		if c.awaitNodes(ctx) {
			c.complete.Store(true)
			c.announce(time.Since(started))
		}
		<-ctx.Done()
		c.say("Ending the nodes, then the database.")
		return nil
	})
	return g.Wait()
}

// prepare makes the directories and takes the ports.
func (c *cluster) prepare(ctx context.Context) (err error) {
	if c.opts.Data, err = filepath.Abs(c.opts.Data); err != nil {
		return err
	}
	// PostgreSQL may run as another user, who has to enter this directory.
	if err := os.MkdirAll(c.opts.Data, 0o711); err != nil { //nolint:gosec // what is in it is private
		return err
	}
	for _, dir := range c.dirs() {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	var lc net.ListenConfig
	if c.front, err = lc.Listen(ctx, "tcp", c.address(0)); err != nil {
		return fmt.Errorf("the balancer: %w", err)
	}
	var addrs []string
	for i := 1; i <= c.opts.Nodes; i++ {
		n := &node{name: nameOf(i), dir: filepath.Join(c.opts.Data, nameOf(i)), program: c.opts.Program, say: c.say}
		n.addr, n.admin, n.route = c.address(i), c.address(i+MostNodes+1), c.address(i+2*(MostNodes+1))
		c.nodes, addrs = append(c.nodes, n), append(addrs, n.addr)
		// A port that is taken is told before anything runs.
		for _, addr := range []string{n.addr, n.admin, n.route} {
			l, err := lc.Listen(ctx, "tcp", addr)
			if err != nil {
				return errors.Join(fmt.Errorf("node %s: %w", n.name, err), c.front.Close())
			}
			_ = l.Close() // it has accepted nothing
		}
	}
	c.balancer = balancer.New(addrs, slog.New(slog.NewTextHandler(c.opts.Out, nil)))
	return nil
}

func nameOf(i int) string { return "n" + strconv.Itoa(i) }

// address is the one of a port behind the balancer's.
func (c *cluster) address(behind int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.opts.Port+behind))
}

// settings are the environment of a node. What the environment of this process sets besides holds
// for all nodes.
func (c *cluster) settings(n *node, secret string) []string {
	var peers []string
	for _, peer := range c.nodes {
		peers = append(peers, peer.route)
	}
	env := os.Environ()
	if os.Getenv("SKEIN_DRAIN") == "" {
		env = append(env, "SKEIN_DRAIN=1s") // nobody likes to wait after Ctrl-C
	}
	return append(env,
		"SKEIN_CONFIG=", "SKEIN_DEV=true", "SKEIN_NODE="+n.name, "SKEIN_ADDR="+n.addr, "SKEIN_ADMIN_ADDR="+n.admin,
		"SKEIN_DATA="+n.dir, "SKEIN_UPLOADS="+c.uploads(), "SKEIN_DATABASE="+c.database.url,
		"SKEIN_BUS=nats://embedded?listen="+n.route+"&peers="+strings.Join(peers, ",")+"&token="+secret)
}

func (c *cluster) uploads() string { return filepath.Join(c.opts.Data, "uploads") }

func (c *cluster) dirs() (all []string) {
	for i := 1; i <= c.opts.Nodes; i++ {
		all = append(all, filepath.Join(c.opts.Data, nameOf(i)))
	}
	return append(all, c.uploads())
}

// serve runs the balancer.
func (c *cluster) serve(ctx context.Context) error {
	s := &http.Server{Handler: c.balancer, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	if err := s.Serve(c.front); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("balancer: %w", err)
	}
	return nil
}

// awaitNodes waits until all nodes are ready; false: ctx ended before.
func (c *cluster) awaitNodes(ctx context.Context) bool {
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for c.balancer.Ready() < len(c.nodes) {
		select {
		case <-ctx.Done():
			return false
		case <-ticks.C:
		}
	}
	return true
}

func (c *cluster) say(line string) {
	_, _ = fmt.Fprintln(c.opts.Out, line) // the cluster runs even if nobody reads this
}
