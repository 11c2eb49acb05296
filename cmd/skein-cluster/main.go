// Command skein-cluster runs several Skein nodes, a PostgreSQL and a balancer on this machine. It is
// for development; docs/operations.md says how to run a cluster for others.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/skein-im/skein/internal/cluster"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // something could not be started, or ended too early
	exitUsage  = 2 // the command line is invalid
)

// clusterCmd is the command line.
type clusterCmd struct {
	Nodes   int    `default:"3" help:"How many nodes, 1 to ${most_nodes}."`
	Port    int    `default:"8080" help:"Port of the balancer on 127.0.0.1. With 8080 the nodes use 8081 and up, their metrics 8091, their buses 8101."`
	Data    string `placeholder:"DIR" help:"Directory of the database, the uploads and the logs, which are kept. Default: ./data-cluster; for root /var/lib/skein-cluster, because PostgreSQL does not run as root and its user must be able to enter it."`
	Program string `placeholder:"FILE" help:"The server's binary. Default: skein beside this one."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	var c clusterCmd
	parser, err := kong.New(&c,
		kong.Name("skein-cluster"),
		kong.Description("Run several Skein nodes, a PostgreSQL and a balancer on this machine, for development. Settings in the environment, such as SKEIN_LANGUAGE, hold for all nodes."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(stdout, stderr),
		kong.Vars{"most_nodes": fmt.Sprint(cluster.MostNodes)},
	)
	if err != nil {
		panic(err) // the struct tags are wrong: every start would panic
	}
	if _, err := parser.Parse(args); err != nil {
		fmt.Fprintf(stderr, "skein-cluster: %v\nTry: skein-cluster --help\n", err)
		return exitUsage
	}
	if err := c.run(stdout); err != nil {
		fmt.Fprintf(stderr, "skein-cluster: %v\n", err)
		return exitFailed
	}
	return exitOK
}

// Validate says which flag cannot work and why. Kong calls it.
func (c *clusterCmd) Validate() error {
	if c.Nodes < 1 || c.Nodes > cluster.MostNodes {
		return fmt.Errorf("--nodes: %d is not 1 to %d", c.Nodes, cluster.MostNodes)
	}
	if c.Port < 1 || c.Port > cluster.MostPort {
		return fmt.Errorf("--port: %d is not 1 to %d", c.Port, cluster.MostPort)
	}
	return nil
}

// run runs the cluster until a signal. A second signal does not wait for the nodes to drain.
func (c *clusterCmd) run(out io.Writer) error {
	opts := cluster.Options{Program: c.Program, Data: c.Data, Nodes: c.Nodes, Port: c.Port, Out: out}
	if opts.Data == "" {
		opts.Data = defaultData()
	}
	if opts.Program == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		opts.Program = filepath.Join(filepath.Dir(self), "skein")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals, hurry := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)
	go func() {
		<-signals
		cancel()
		<-signals
		close(hurry)
	}()
	return cluster.Run(ctx, opts, hurry)
}

func defaultData() string {
	if os.Geteuid() == 0 {
		return "/var/lib/skein-cluster"
	}
	return "data-cluster" // not in ./data, which is the --data of make run
}
