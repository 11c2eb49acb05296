package chaos

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"
)

var (
	natsFlag   = flag.String("chaos.nats", "embedded", "how the nodes of TestCluster reach each other: embedded, by a NATS server in each node; external, by three servers")
	faultsFlag = flag.String("chaos.faults", "", "the faults of TestCluster, such as nodes-restarted,nats-stopped; empty: all, and a failover in each round")
)

// shortTime is how long the faults of TestCluster go on unless -chaos.duration says so: one round, which
// go test ./chaos plays. On a busy machine it takes longer: all its faults are played.
const shortTime = 12 * time.Second

// TestCluster plays the rounds of TestChaos on three nodes of the built binary, a PostgreSQL primary
// with a synchronous standby and three NATS servers, all of which are killed, stopped and cut off.
// With SKEIN_CHAOS_OLDER=PROGRAM the nodes begin as that older release and are upgraded.
func TestCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("a round takes its time")
	}
	if *historyFlag != "" {
		checkKept(t, *historyFlag)
		return
	}
	short := true
	flag.Visit(func(f *flag.Flag) { short = short && f.Name != "chaos.duration" })
	if short {
		defer func(before time.Duration) { *durationFlag = before }(*durationFlag)
		*durationFlag = shortTime
	}
	dir := keptDir(t)
	program, err := build(dir)
	if err != nil {
		t.Fatal(err)
	}
	var times recoveries
	playRounds(t, dir, func(dir string, _ uint64) (system, error) { return newCluster(program, dir, short, &times) })
	t.Logf("time until a message that was sent afterwards was answered through every node that lives:\n%s", times.report())
}

// cluster is three nodes as processes, and what they need.
type cluster struct {
	network  *namespaces // nil: everything is on this machine, and nothing is cut off
	database *database
	nats     []*nats.Server // external ones
	nodes    []*server
	older    bool // the nodes run the older release
	program  string
	short    bool // see shortTime
	backend  *link
	times    *recoveries

	struck  int      // faults so far
	probes  []*probe // one a node
	stop    context.CancelFunc
	probing sync.WaitGroup
}

func newCluster(program, dir string, short bool, times *recoveries) (_ *cluster, err error) {
	c := &cluster{program: program, short: short, times: times}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	machines := machinesOfDatabase[:]
	for i := range nodeCount {
		machines = append(machines, nodeName(i))
	}
	if c.network, err = newNamespaces(machines...); err != nil {
		return nil, err
	}
	if c.database, err = newDatabase(context.Background(), filepath.Base(dir), c.network); err != nil {
		return nil, err
	}
	if *natsFlag == "external" {
		if err := c.startNATS(); err != nil {
			return nil, err
		}
	}
	if len(c.faults()) == 0 {
		return nil, fmt.Errorf("-chaos.faults %s: there is no such fault", *faultsFlag)
	}
	older := os.Getenv("SKEIN_CHAOS_OLDER")
	c.older = older != ""
	routes := make([]string, nodeCount)
	for i := range routes {
		routes[i] = c.at(i, 6222)
	}
	var public []string
	for i := range nodeCount {
		home := filepath.Join(dir, nodeName(i))
		if err := os.Mkdir(home, 0o700); err != nil {
			return nil, err
		}
		n, err := newServer(program, home)
		if err != nil {
			return nil, err
		}
		if c.older {
			n.program = older
		}
		if c.network != nil {
			n.public, n.enter = c.at(i, 8080), c.network.enter(nodeName(i))
		}
		n.env = []string{"SKEIN_DATABASE=" + c.database.url(), "SKEIN_UPLOADS=" + filepath.Join(dir, "uploads"), "SKEIN_BUS=" + c.bus(routes, i)}
		c.nodes = append(c.nodes, n)
		public = append(public, n.public)
	}
	c.backend, err = newLink(public...)
	return c, err
}

func nodeName(i int) string { return fmt.Sprint("n", i) }

// at is an address of a node.
func (c *cluster) at(node, port int) string {
	if c.network == nil {
		return freeAddr()
	}
	return fmt.Sprintf("%s:%d", c.network.ip(nodeName(node)), port)
}

// bus is --bus of a node.
func (c *cluster) bus(routes []string, node int) string {
	if len(c.nats) == 0 {
		return fmt.Sprintf("nats://embedded?listen=%s&peers=%s&token=%s", routes[node], strings.Join(routes, ","), "one-secret-of-all-nodes")
	}
	var servers []string
	for _, s := range c.nats {
		servers = append(servers, s.Addr().String())
	}
	return "nats://" + strings.Join(servers, ",")
}

// startNATS starts three servers in this process.
func (c *cluster) startNATS() error {
	host := "127.0.0.1"
	if c.network != nil {
		host = c.network.address(1)
	}
	for i := range nodeCount {
		s, err := c.newNATS(i, host, nats.RANDOM_PORT)
		if err != nil {
			return err
		}
		c.nats = append(c.nats, s)
	}
	return nil
}

// newNATS starts a server, which joins those before it.
func (c *cluster) newNATS(i int, host string, port int) (*nats.Server, error) {
	var routes []string
	for _, s := range c.nats {
		routes = append(routes, "nats://"+s.ClusterAddr().String())
	}
	s, err := nats.NewServer(&nats.Options{
		ServerName: fmt.Sprint("nats", i), Host: host, Port: port, NoSigs: true, NoLog: true,
		Cluster: nats.ClusterOpts{Name: "chaos", Host: host, Port: nats.RANDOM_PORT},
		Routes:  nats.RoutesFromStr(strings.Join(routes, ",")),
	})
	if err != nil {
		return nil, err
	}
	s.Start()
	if !s.ReadyForConnections(startWait) {
		return nil, errors.New("a NATS server does not become ready")
	}
	return s, nil
}

// restartNATS starts a server that was stopped, at the address where it was.
func (c *cluster) restartNATS(i int, at net.Addr) (err error) {
	host, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	others := slices.Delete(slices.Clone(c.nats), i, i+1)
	all := c.nats
	c.nats = others
	all[i], err = c.newNATS(i, host, n)
	c.nats = all
	return err
}

func (c *cluster) createApp(id string, private bool) (*app, error) {
	a, err := c.nodes[0].createApp(id, private)
	if err == nil && len(c.probes) == 0 {
		c.probes, err = newProbes(c)
	}
	return a, err
}

// start starts the nodes and begins to probe them.
func (c *cluster) start() error {
	var starting sync.WaitGroup
	errs := make([]error, len(c.nodes))
	for i, n := range c.nodes {
		starting.Go(func() { errs[i] = n.start() })
	}
	starting.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	for _, p := range c.probes {
		if err := p.prepare(); err != nil {
			return err
		}
		c.probing.Go(func() { p.run(ctx) })
	}
	return nil
}

func (c *cluster) addr() string { return c.backend.addr() }

func (c *cluster) addrs(i int) (all []string) {
	for k := range c.nodes {
		all = append(all, c.nodes[(i+k)%len(c.nodes)].public)
	}
	return all
}

// ghosts is above the longest stop of a node and the time until its connections are gone.
func (c *cluster) ghosts() time.Duration { return longestStop + 5*time.Second }

// least makes the short round one that shows something on any machine.
func (c *cluster) least() int64 {
	if c.short {
		return 200
	}
	return 0
}

// calm ends all faults that last: each has ended itself.
func (c *cluster) calm() error { return nil }

// lastWords holds what the probes were answered against what is stored.
func (c *cluster) lastWords(*round) error {
	c.stop()
	c.probing.Wait()
	var errs []error
	for _, p := range c.probes {
		errs = append(errs, p.check(c.backend.addr()))
	}
	return errors.Join(errs...)
}

func (c *cluster) disaster() string {
	for _, n := range c.nodes {
		if line := n.disaster(); line != "" {
			return line
		}
	}
	return ""
}

func (c *cluster) close() {
	if c.stop != nil {
		c.stop()
	}
	c.probing.Wait()
	if c.backend != nil {
		c.backend.close()
	}
	for _, n := range c.nodes {
		_ = n.resume() // it may not be stopped, or not have started
		n.close()
	}
	for _, s := range c.nats {
		s.Shutdown()
		s.WaitForShutdown()
	}
	if c.database != nil {
		c.database.close()
	}
	if c.network != nil {
		c.network.close()
	}
}

// others are the nodes but one.
func (c *cluster) others(node int) []int {
	return slices.DeleteFunc(c.all(), func(i int) bool { return i == node })
}

func (c *cluster) all() (nodes []int) {
	for i := range c.nodes {
		nodes = append(nodes, i)
	}
	return nodes
}
