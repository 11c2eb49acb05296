// Package leancloud converts a dump of LeanCloud IM. It maps rows to records. What is the same
// for every source is in package convert.
package leancloud

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/portable/convert"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
)

// Options are the settings of one conversion.
type Options struct {
	From     string            // the folder of the dump
	Out      string            // the portable folder to make
	Rename   map[string]string // client ids to replace
	MarkRead bool              // every member has read everything
	Progress func(stage string, now int64)
	Memory   int // see convert.Options

	// PublicURL precedes the links to files that the dump has. Empty: a link begins with
	// skein.UploadsPath.
	PublicURL string
	// Extension returns the extension that Skein gives a file, or skein.ErrFileType if it
	// does not store such files. If nil, no files are taken.
	Extension func(path string) (string, error)
}

// facts are true of every dump.
var facts = []string{
	"LeanCloud does not export read positions: unless --mark-read was given, all that others said is unread.",
	"LeanCloud does not export when a member joined: every member has joined with its conversation, and sees all of its history.",
	"LeanCloud does not export the edits of a message: an edited one has its last text alone.",
	"A recalled message keeps its place; LeanCloud has erased what it said.",
	"IP addresses (from-ip) are in the dump and are not taken over.",
}

// Convert makes a portable folder from a dump.
func Convert(ctx context.Context, o Options) (convert.Summary, error) {
	m, err := readManifest(o.From)
	if err != nil {
		return convert.Summary{}, err
	}
	app := m.AppID
	if !skein.ValidAppID(app) {
		app = clientName
	}
	known := facts
	if !m.Complete {
		known = append([]string{"The dump is not complete. " + folder.ManifestFile + " of the dump says what is missing; run skein leancloud dump again to fetch it."}, facts...)
	}
	d := &dump{Options: o, manifest: m, links: map[string]string{}}
	return convert.Run(ctx, convert.Options{
		Out: o.Out, App: app, Source: "LeanCloud IM", Name: clientName, Time: time.UnixMilli(m.Time), Facts: known,
		Rename: o.Rename, MarkRead: o.MarkRead, Memory: o.Memory, Progress: o.Progress,
	}, d.read)
}

// clientName is the creator of conversations for which LeanCloud names no creator.
const clientName = "leancloud"

func readManifest(dir string) (m folder.Manifest, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, folder.ManifestFile)) //nolint:gosec // the operator's own
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("%s has no %s: the dump is not whole; run skein leancloud dump again, it goes on where it stopped", dir, folder.ManifestFile)
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fmt.Errorf("%s: %w", folder.ManifestFile, err)
	}
	if m.Format != folder.Format || m.Version != folder.Version {
		return m, fmt.Errorf("%s: format %q of version %d, want %q of version %d", folder.ManifestFile, m.Format, m.Version, folder.Format, folder.Version)
	}
	return m, nil
}

// dump is the folder being read.
type dump struct {
	Options

	manifest folder.Manifest
	links    map[string]string // links to files of the folder, by the hash of LeanCloud's link
	messages int64             // lines read
}

// read passes everything in the folder on, in the order that convert.Input requires.
func (d *dump) read(ctx context.Context, in *convert.Input) error {
	for _, hole := range d.manifest.Holes {
		if err := in.Tell(convert.Line{Kind: convert.OfRow, Why: "the dump has a hole", Detail: hole.What, ID: hole.Conv, At: folder.ManifestFile}); err != nil {
			return err
		}
	}
	steps := []struct {
		list string
		take func(*convert.Input, row) error
		skip string // reason why no row of the list becomes a record
	}{
		{list: folder.ConversationsFile, take: d.conversation},
		{list: folder.MemberInfosFile, take: d.memberInfo},
		{list: folder.ClientsFile, take: d.client},
		{list: folder.FilesFile, take: d.file},
		{list: folder.UsersFile, skip: "rows of _User: the accounts of your app; Skein keeps none"},
		{list: folder.SubscribersFile, take: subscriber, skip: "subscribers of system conversations; Skein has none"},
		{list: folder.InboundFile, skip: "messages from clients to system conversations; Skein has none"},
		{list: folder.BroadcastsFile, skip: "broadcasts of system conversations; Skein has none"},
	}
	for _, step := range steps {
		lines, err := d.list(ctx, step.list, func(r row) error {
			if step.take == nil {
				return nil
			}
			return step.take(in, r)
		})
		if err == nil {
			err = d.whole(step.list, lines)
		}
		if err == nil && step.skip != "" && lines > 0 {
			err = in.Left(convert.Line{Kind: convert.OfRow, Outcome: convert.Skipped, Why: step.skip, At: step.list, Count: lines})
		}
		if err != nil {
			return err
		}
	}
	for _, dir := range []string{filepath.Join(folder.SystemDir, "messages"), folder.MessagesDir} {
		if err := d.messageLists(ctx, in, dir); err != nil {
			return err
		}
	}
	if want := d.manifest.Messages.Count; d.messages != want {
		return fmt.Errorf("the lists hold %d messages, and %s says %d: the dump is damaged", d.messages, folder.ManifestFile, want)
	}
	return nil
}

// row is one line of a list.
type row struct {
	raw  []byte
	at   string
	conv string // of a message: the conversation of its list, if the list's name says it
}

func (r row) origin(id string) convert.Origin { return convert.Origin{At: r.at, ID: id, Raw: r.raw} }

// list calls its function for every line of a list.
func (d *dump) list(ctx context.Context, name string, take func(row) error) (lines int64, err error) {
	for raw, err := range folder.Lines(filepath.Join(d.From, name)) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return lines, err
		}
		lines++
		if err := take(row{raw: raw, at: fmt.Sprintf("%s:%d", filepath.ToSlash(name), lines)}); err != nil {
			return lines, err
		}
	}
	return lines, nil
}

// whole compares a list with its entry in the manifest.
func (d *dump) whole(name string, lines int64) error {
	if said, ok := d.manifest.Lists[name]; ok && said.Lines != lines {
		return fmt.Errorf("%s has %d lines, and %s says %d: the dump is damaged", name, lines, folder.ManifestFile, said.Lines)
	}
	return nil
}

// messageLists calls its function for every message of the lists below a folder.
func (d *dump) messageLists(ctx context.Context, in *convert.Input, below string) error {
	root := filepath.Join(d.From, below)
	if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".jsonl") {
			return err
		}
		name, err := filepath.Rel(d.From, path)
		if err != nil {
			return err
		}
		conv := strings.TrimSuffix(entry.Name(), ".jsonl")
		lines, err := d.list(ctx, name, func(r row) error {
			if below != folder.MessagesDir {
				return nil
			}
			r.conv = conv
			return d.message(in, r)
		})
		d.messages += lines
		if err == nil && below != folder.MessagesDir && lines > 0 {
			return in.Left(convert.Line{Kind: convert.OfMessage, Outcome: convert.Skipped, Why: "of a system conversation; Skein has none", ID: conv, At: filepath.ToSlash(name), Count: lines})
		}
		return err
	})
}

func (d *dump) conversation(in *convert.Input, r row) error {
	mapped, system, err := conversationOf(r)
	switch {
	case err != nil:
		return in.Left(convert.Line{Kind: convert.OfConversation, Outcome: convert.Refused, Why: err.Error(), At: r.at, Raw: r.raw})
	case system:
		return in.Skip(mapped.Record.ID, convert.Line{Why: "a system conversation; Skein has none", ID: mapped.ID, At: r.at, Raw: r.raw})
	}
	if n := len(mapped.Members); mapped.Record.Type == int(skein.Room) && n > 0 {
		for _, m := range mapped.Members { // they are clients, even if not members
			if err := in.Saw(m.Client, mapped.Record.Created); err != nil {
				return err
			}
		}
		mapped.Members = nil
		err := in.Left(convert.Line{
			Kind: convert.OfMember, Outcome: convert.Skipped, Why: "m of a chat room; LeanCloud ignores it, members of a room come and go",
			ID: mapped.ID, Conv: mapped.Record.ID.String(), At: r.at, Count: int64(n), Raw: r.raw,
		})
		if err != nil {
			return err
		}
	}
	if len(mapped.Members) > servedMembers {
		in.Note(convert.OfConversation, "m has more than 500 members, of which LeanCloud served the first 500; all are taken")
	}
	if err := in.Conversation(mapped); err != nil {
		return err
	}
	for _, s := range mutesOf(&mapped, r) {
		if err := in.Standing(s); err != nil {
			return err
		}
	}
	return nil
}

// servedMembers is how many entries of m LeanCloud serves.
const servedMembers = 500

func (d *dump) memberInfo(in *convert.Input, r row) error {
	s, err := standingOf(r)
	if err != nil {
		return in.Left(convert.Line{Kind: convert.OfRow, Outcome: convert.Refused, Why: err.Error(), At: r.at, Raw: r.raw})
	}
	if s.Role == "" {
		return in.Left(convert.Line{Kind: convert.OfRow, Outcome: convert.Merged, Why: "the role Member, as every member has it", At: r.at})
	}
	return in.Standing(s)
}

// subscriber records the client, which perhaps appears nowhere else.
func subscriber(in *convert.Input, r row) error {
	fields, err := convert.ReadObject(r.raw)
	if err != nil {
		return nil //nolint:nilerr // the row is accounted for with its list
	}
	return in.Saw(convert.ClientID(jsontext.Value(fields.Get("subscriber"))), convert.Moment(fields.Get("timestamp")))
}

func (d *dump) client(in *convert.Input, r row) error {
	var c folder.Client
	if err := json.Unmarshal(r.raw, &c, jsontext.AllowInvalidUTF8(true)); err != nil {
		return in.Left(convert.Line{Kind: convert.OfClient, Outcome: convert.Refused, Why: convert.ErrNoObject.Error(), At: r.at, Raw: r.raw})
	}
	return in.Client(c.ID, bornAt(c.ID), r.origin(c.ID))
}

func (d *dump) message(in *convert.Input, r row) error {
	m, notes, err := messageOf(r, d.link)
	for _, note := range notes {
		in.Note(convert.OfMessage, note)
	}
	if err != nil {
		outcome := convert.Refused
		if errors.Is(err, errTemporary) {
			outcome = convert.Skipped
		}
		return in.Left(convert.Line{Kind: convert.OfMessage, Outcome: outcome, Why: err.Error(), ID: m.ID, At: r.at, Raw: r.raw})
	}
	return in.Message(m)
}
