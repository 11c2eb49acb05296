package cluster

import (
	"fmt"
	"strings"
	"time"
)

// announce tells where everything is.
func (c *cluster) announce(took time.Duration) {
	var b strings.Builder
	at := "http://" + c.front.Addr().String()
	fmt.Fprintf(&b, "\nSkein runs on %d nodes, started in %.1f s. Ctrl-C ends all of it.\n\n", len(c.nodes), took.Seconds())
	fmt.Fprintf(&b, "  chat      %s/ in two tabs; each shows the node it is connected to\n", at)
	fmt.Fprintf(&b, "  REST      %s, app-id 666666, app-key master; socket %s/im/socket\n", at, "ws"+at[len("http"):])
	fmt.Fprintf(&b, "  database  %s\n", c.database.url)
	fmt.Fprintf(&b, "  data      %s (kept; remove it to begin anew)\n\n", c.opts.Data)
	fmt.Fprintf(&b, "  node  pid      address                  metrics\n")
	for _, n := range c.nodes {
		fmt.Fprintf(&b, "  %-4s  %-7d  %-23s  %s\n", n.name, n.pid.Load(), "http://"+n.addr+"/", "http://"+n.admin+"/metrics")
	}
	last := c.nodes[len(c.nodes)-1]
	fmt.Fprintf(&b, "\nLogs: %s, and of the database %s\n", strings.Replace(last.log(), last.name, "NODE", 1), c.database.log)
	fmt.Fprintf(&b, "See that a lost node loses nothing: kill -9 %d\n", last.pid.Load())
	fmt.Fprintf(&b, "Its tabs go on at another node. %s starts again after %v.", last.name, restartAfter)
	c.say(b.String())
}
