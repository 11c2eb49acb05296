package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/portable/leancloud"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
)

// masterKeyEnv holds the master key. It is no flag, because other users can read command
// lines.
const masterKeyEnv = "SKEIN_LEANCLOUD_MASTER_KEY"

type leancloudDump struct {
	AppID  string `name:"app-id" required:"" placeholder:"ID" help:"App ID, as shown in LeanCloud's console."`
	Server string `required:"" placeholder:"URL" help:"API address of the app, as the console shows it, such as https://abcdefgh.api.example.com."`
	Out    string `required:"" placeholder:"DIR" help:"Folder of the dump. Naming an existing one continues it or brings it up to date."`

	MasterKeyFile   string        `placeholder:"FILE" help:"File that holds the master key; default: the environment variable SKEIN_LEANCLOUD_MASTER_KEY."`
	Conversations   string        `placeholder:"FILE" help:"Export of the class _Conversation from the console, instead of a scan."`
	PerConversation bool          `default:"true" negatable:"" help:"Also request the history and roles of each conversation, to check the history of the app: one or two requests each."`
	System          bool          `default:"true" negatable:"" help:"Also request the messages to each subscriber of system conversations: one request each."`
	Files           bool          `help:"Download the files that messages link to."`
	FileHost        string        `placeholder:"URL" help:"URL under which the files are now; tried when a link is dead."`
	Rate            float64       `default:"30" placeholder:"N" help:"Most requests a second."`
	Daily           int           `placeholder:"N" help:"Most requests a day; the dump then waits for the next day. LeanCloud's free plan allows 30000."`
	Timeout         time.Duration `default:"2m" help:"Longest time for one request and its answer."`
	Finish          bool          `help:"Send no more requests: write the folder from what was downloaded and print what is missing."`
}

// Help is shown below the summary by --help.
func (leancloudDump) Help() string {
	return "It may be stopped and killed at any time: the same command goes on. Run again after its end, it fetches only what is newer. " +
		"What was fetched and what is missing is in manifest.json and proof.jsonl of the folder; the exit code is 1 where something is missing. " +
		"docs/leancloud.md has the steps for leaving, with times."
}

// Run writes or continues the dump.
func (c *leancloudDump) Run(ctx context.Context, out io.Writer) (err error) {
	datadir.SetPrivateUmask()
	ctx, stop := untilSignal(ctx)
	defer stop()
	key, err := c.masterKey()
	if err != nil {
		return err
	}
	if c.Rate <= 0 || c.Daily < 0 || c.Timeout <= 0 {
		return errors.New("--rate and --timeout: more than 0; --daily: at least 0")
	}
	if err := os.MkdirAll(c.Out, datadir.PrivateDir); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	unlock, err := lockOut(c.Out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	m, err := leancloud.Dump(ctx, leancloud.Options{
		AppID: c.AppID, MasterKey: key, Server: c.Server, Out: c.Out,
		Conversations: c.Conversations, PerConversation: c.PerConversation, System: c.System,
		Files: c.Files, FileHost: c.FileHost, Rate: c.Rate, Daily: c.Daily, Timeout: c.Timeout, Finish: c.Finish,
		Say: func(line string) { fmt.Fprintln(os.Stderr, line) },
	})
	if err != nil {
		if ctx.Err() != nil {
			return errors.New("stopped: the same command goes on from here")
		}
		return err
	}
	return c.report(out, m)
}

// masterKey reads the master key. With --finish there is none.
func (c *leancloudDump) masterKey() (string, error) {
	key := os.Getenv(masterKeyEnv)
	if c.MasterKeyFile != "" {
		raw, err := os.ReadFile(c.MasterKeyFile)
		if err != nil {
			return "", fmt.Errorf("--master-key-file: %w", err)
		}
		key = string(raw)
	}
	key = strings.TrimSpace(key)
	if key == "" && !c.Finish {
		return "", fmt.Errorf("the master key is missing: set %s, or name a file with --master-key-file", masterKeyEnv)
	}
	if strings.ContainsAny(key, " \t\r\n") {
		return "", errors.New("the master key has white space in it")
	}
	return key, nil
}

// dumpLock is the file that a running dump locks.
const dumpLock = "dump.lock"

// lockOut locks a folder, so that only one dump uses it.
func lockOut(dir string) (release func() error, err error) {
	release, err = datadir.LockFile(filepath.Join(dir, dumpLock))
	if errors.Is(err, datadir.ErrLocked) {
		return nil, fmt.Errorf("--out: another process works in %s", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("--out: lock %s: %w", dir, err)
	}
	return release, nil
}

// report prints what the folder holds and what is missing.
func (c *leancloudDump) report(out io.Writer, m folder.Manifest) error {
	date := func(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05") }
	fmt.Fprintf(out, "%s holds %d messages of %d conversations", c.Out, m.Messages.Count, m.Messages.Conversations)
	if m.Messages.Count > 0 {
		fmt.Fprintf(out, ", from %s to %s UTC", date(m.Messages.Oldest), date(m.Messages.Newest))
	}
	fmt.Fprintf(out, ", %d duplicates; %d conversations, %d clients.\n",
		m.Messages.Duplicates, m.Lists[folder.ConversationsFile].Lines, m.Lists[folder.ClientsFile].Lines)
	if m.Files.Asked {
		fmt.Fprintf(out, "Files: %d with %d bytes; %d links lead nowhere: see %s.\n", m.Files.Kept, m.Files.Bytes, m.Files.Lost, folder.FilesFile)
	}
	const shown = 10
	missing, doubts := 0, 0
	for _, h := range m.Holes {
		kind := "missing"
		if h.Doubt {
			kind = "doubt"
			doubts++
		} else {
			missing++
		}
		if missing <= shown && (!h.Doubt || doubts <= shown) {
			fmt.Fprintf(out, "%s: %s %s\n", kind, h.Conv, h.What)
		}
	}
	if !m.Complete {
		return fmt.Errorf("%d things are missing: see %s; the same command asks for them again", missing, folder.ManifestFile)
	}
	_, err := fmt.Fprintf(out, "Nothing is missing; %d doubts, all in %s.\n", doubts, folder.ManifestFile)
	return err
}
