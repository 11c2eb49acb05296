// Command skein runs the messaging server, and has the commands of its operator: apps, keys,
// tokens, backups. Each subcommand has its own file.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/skein-im/skein/internal/config"
)

// program is the command line.
type program struct {
	Serve    serveCmd    `cmd:"" help:"Run the server."`
	Ready    readyCmd    `cmd:"" help:"Ask the server on this machine whether it is ready; the exit code is 1 if it is not."`
	App      appCmd      `cmd:"" help:"Create, list, show, change and delete apps; running servers follow within 2 s."`
	Operator operatorCmd `cmd:"" help:"Create, list and remove the operators of the Admin API, and make their tokens; running servers follow within 2 s."`
	Webhook  webhookCmd  `cmd:"" help:"Add, list, change, test and delete the webhooks of an app, read their log, and replay what failed."`
	Hook     hookCmd     `cmd:"" help:"Set, list and remove the before-hooks of an app; running servers follow within 2 s."`
	Token    tokenCmd    `cmd:"" help:"Print a signed token for one client."`
	Secrets  secretsCmd  `cmd:"" help:"Make keys for --secret-key-file, list which seal what, and seal all secrets with the newest."`
	Backup   backupCmd   `cmd:"" help:"Copy the store and the uploads. A server may run meanwhile."`
	Restore  restoreCmd  `cmd:"" help:"Replace --data with a backup."`
	Export   exportCmd   `cmd:"" help:"Write an app, or the data of one client, to a portable folder. A server may run meanwhile."`
	Import   importCmd   `cmd:"" help:"Import an app from a portable folder. A server may run meanwhile."`

	Migrate migrateCmd `cmd:"" help:"Move the store to PostgreSQL, or back to an embedded store, while servers run."`
	Doctor  doctorCmd  `cmd:"" help:"Check the store, the bus, the machine and the settings, and say what to do."`

	LeanCloud leancloudCmd `cmd:"" name:"leancloud" help:"Move an app from LeanCloud IM."`

	Version versionCmd `cmd:"" help:"Print version, commit and Go release."`
	Help    helpCmd    `cmd:"" help:"Explain a command: skein help app create."`

	ShowVersion kong.VersionFlag `name:"version" help:"Print version, commit and Go release."`
}

// helpCmd makes "skein help" a command; run turns it into --help.
type helpCmd struct {
	Command []string `arg:"" optional:"" help:"The command to explain."`
}

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the command failed
	exitUsage  = 2 // the command line is invalid
)

// newProgram is the command line with the flags that are made from tables.
func newProgram() *program {
	p := &program{}
	p.App.Create.settingFlags, p.App.Update.settingFlags = newSettingFlags(), newSettingFlags()
	p.Webhook.Add.webhookFlags, p.Webhook.Set.webhookFlags = newWebhookFlags(), newWebhookFlags()
	return p
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	parser, err := kong.New(newProgram(), append(config.Options(),
		kong.Name("skein"),
		kong.Description("Skein is a multi-tenant instant-messaging server."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(stdout, stderr),
		kong.Vars{"version": versionLine()},
		kong.BindTo(context.Background(), (*context.Context)(nil)),
		kong.BindTo(stdout, (*io.Writer)(nil)),
	)...)
	if err != nil {
		panic(err) // the struct tags are wrong: every start would panic
	}
	if len(args) > 0 && args[0] == "help" {
		args = append(slices.Clone(args[1:]), "--help")
	}
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "skein: %v\nTry: skein --help\n", err)
		return exitUsage
	}
	if err := command.Run(); err != nil {
		fmt.Fprintf(stderr, "skein: %v\n", err)
		return exitFailed
	}
	return exitOK
}
