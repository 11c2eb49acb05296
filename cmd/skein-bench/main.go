// Command skein-bench measures what a Skein server costs under load. It knows the
// server by its command line and its documented protocol alone.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // a run failed, or broke a promise
	exitUsage  = 2 // the command line is invalid
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	parser, err := kong.New(&benchCmd{},
		kong.Name("skein-bench"),
		kong.Description("Measure what a Skein server costs under load."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.ExplicitGroups([]kong.Group{{Key: "target", Title: "A server that already runs:"}}),
		kong.Writers(stdout, stderr),
	)
	if err != nil {
		panic(err) // the struct tags are wrong: every start would panic
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "skein-bench: %v\nTry: skein-bench --help\n", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	command.BindTo(ctx, (*context.Context)(nil))
	command.BindTo(stdout, (*io.Writer)(nil))
	if err := command.Run(); err != nil {
		fmt.Fprintf(stderr, "skein-bench: %v\n", err)
		return exitFailed
	}
	return exitOK
}
