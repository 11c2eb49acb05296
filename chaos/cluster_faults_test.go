package chaos

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"
)

// longestStop is for how long a node is stopped or cut off at most. It is longer than a lease.
const longestStop = 8 * time.Second

// What was promised.
const (
	nodeLost     = 5 * time.Second
	databaseBack = 15 * time.Second
)

// limit is what a machine may take that does much else. The short round is part of every run of the
// tests, however busy the machine: it measures how long the nodes take and wants only that they serve.
func (c *cluster) limit(promised time.Duration) time.Duration {
	const despair = 4
	if c.short {
		return restWait
	}
	return despair * promised
}

var clusterFaults = []choice{
	{"node-killed", 15, 0, 2 * time.Second},
	{"node-stopped", 10, time.Second, longestStop},
	{"nodes-restarted", 8, 0, 0},
	{"database-killed", 8, 0, 2 * time.Second},
	{"database-stopped", 8, time.Second, longestStop},
	{"database-crashed", 12, 0, 0},
	{"standby-killed", 8, time.Second, 4 * time.Second},
	{"standby-stopped", 8, time.Second, 4 * time.Second},
}

// cuts are the faults of a network.
var cuts = []choice{
	{"node-from-database", 12, time.Second, longestStop},
	{"node-from-node", 10, time.Second, longestStop},
}

// failovers are how the primary is lost. One of them is the second fault of each round, and the first of the short one.
var failovers = []string{"killed", "stopped", "cut off"}

// chosen reports whether -chaos.faults allows a fault.
func chosen(what string) bool {
	return *faultsFlag == "" || slices.Contains(strings.Split(*faultsFlag, ","), what)
}

func (c *cluster) faults() []choice {
	of := clusterFaults
	if c.network != nil {
		of = append(slices.Clip(of), cuts...)
	}
	if len(c.nats) > 0 {
		of = append(slices.Clip(of), choice{"nats-stopped", 10, time.Second, longestStop})
	}
	return slices.DeleteFunc(slices.Clone(of), func(f choice) bool { return !chosen(f.what) })
}

// strike does a fault, waits for its end, and for the cluster to serve again.
func (c *cluster) strike(ctx context.Context, f fault) error {
	failoverIs := 2
	if c.short { // what comes first comes on any machine
		failoverIs = 1
	}
	if c.struck++; c.struck == failoverIs && chosen("failover") {
		return c.failOver(ctx, failovers[int(f.at)%len(failovers)])
	}
	node := int(f.at) % len(c.nodes)
	switch f.what {
	case "node-killed":
		return c.killNode(ctx, node, f)
	case "node-stopped":
		return c.during(ctx, f, c.nodes[node].pause, c.nodes[node].resume, c.others(node), nodeLost)
	case "nodes-restarted":
		return c.restartNodes()
	case "node-from-database":
		cut := func() error {
			for _, m := range machinesOfDatabase {
				if err := c.network.cut(nodeName(node), m); err != nil {
					return err
				}
			}
			return nil
		}
		return c.during(ctx, f, cut, c.network.heal, c.others(node), nodeLost)
	case "node-from-node":
		other := (node + 1) % len(c.nodes)
		return c.during(ctx, f, func() error { return c.network.cut(nodeName(node), nodeName(other)) }, c.network.heal, c.all(), nodeLost)
	case "nats-stopped":
		return c.stopNATS(ctx, node, f)
	}
	return c.strikeDatabase(ctx, f)
}

// strikeDatabase does a fault of the database without a failover.
func (c *cluster) strikeDatabase(ctx context.Context, f fault) error {
	d := c.database
	whole := context.WithoutCancel(ctx) // a restart goes on where the time of the round ends
	if d.alone && (f.what == "standby-killed" || f.what == "standby-stopped") {
		f.what = "database-crashed"
	}
	signal := func(s syscall.Signal) func() error { return func() error { return d.standby().Signal(s) } }
	switch f.what {
	case "database-killed":
		return c.during(ctx, f, d.first().Kill, func() error { return d.first().Restart(whole) }, nil, databaseBack)
	case "database-stopped":
		stop := func() error { return d.first().Signal(syscall.SIGSTOP) }
		return c.during(ctx, f, stop, func() error { return d.first().Signal(syscall.SIGCONT) }, nil, databaseBack)
	case "database-crashed":
		return c.during(ctx, f, d.crash, func() error { return nil }, nil, databaseBack)
	case "standby-killed":
		return c.during(ctx, f, d.standby().Kill, func() error { return d.standby().Restart(whole) }, nil, databaseBack)
	case "standby-stopped":
		return c.during(ctx, f, signal(syscall.SIGSTOP), signal(syscall.SIGCONT), nil, databaseBack)
	}
	return fmt.Errorf("unknown fault %s", f.what)
}

// during begins a fault, measures how long the nodes that it leaves alone take to serve, ends it,
// and measures that of all.
func (c *cluster) during(ctx context.Context, f fault, begin, end func() error, alive []int, promised time.Duration) error {
	if err := begin(); err != nil {
		return err
	}
	began := time.Now()
	if len(alive) > 0 {
		if err := c.serve(f.what, alive, began, promised); err != nil {
			return err
		}
	}
	pause(ctx, time.Until(began.Add(f.lasts)))
	ended := time.Now()
	if err := end(); err != nil {
		return err
	}
	return c.serve(f.what+" is over", c.all(), ended, databaseBack)
}

func (c *cluster) killNode(ctx context.Context, node int, f fault) error {
	kill := func() error { c.nodes[node].kill(); return nil }
	return c.during(ctx, f, kill, c.nodes[node].start, c.others(node), nodeLost)
}

// restartNodes drains and starts one node after the other. Those of an older release become new.
func (c *cluster) restartNodes() error {
	what := "rolling restart"
	if c.older {
		what = "rolling upgrade"
	}
	for i, n := range c.nodes {
		began := time.Now()
		if err := n.term(); err != nil {
			return err
		}
		if err := c.serve(what, c.others(i), began, nodeLost); err != nil {
			return err
		}
		n.program = c.program
		if err := n.start(); err != nil {
			return err
		}
	}
	c.older = false
	return c.serve(what+" is over", c.all(), time.Now(), nodeLost)
}

// failOver loses the primary and promotes the standby. What was lost does not come back.
func (c *cluster) failOver(ctx context.Context, how string) error {
	d := c.database
	switch {
	case how == "killed", how == "cut off" && c.network == nil:
		if err := d.first().Kill(); err != nil {
			return err
		}
	case how == "stopped":
		if err := d.first().Signal(syscall.SIGSTOP); err != nil {
			return err
		}
	default:
		if err := c.cutOffPrimary(); err != nil {
			return err
		}
	}
	promoted := time.Now()
	if err := d.promote(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	return c.serve("failover, the primary "+how, c.all(), promoted, databaseBack)
}

// cutOffPrimary takes the primary from the network. It still runs, and can answer no write, since
// its standby is gone.
func (c *cluster) cutOffPrimary() error {
	lost := machinesOfDatabase[c.database.primary]
	return c.network.run("-n", c.network.namespace(lost), "link", "set", "eth0", "down")
}

// stopNATS stops one of the external servers for a while.
func (c *cluster) stopNATS(ctx context.Context, i int, f fault) error {
	s, at := c.nats[i], c.nats[i].Addr() // a server that is stopped has none
	stop := func() error {
		s.Shutdown()
		s.WaitForShutdown()
		return nil
	}
	return c.during(ctx, f, stop, func() error { return c.restartNATS(i, at) }, c.all(), nodeLost)
}
