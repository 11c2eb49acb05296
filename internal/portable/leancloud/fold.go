package leancloud

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein/internal/portable/leancloud/files"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
	"github.com/skein-im/skein/internal/portable/leancloud/journal"
	"github.com/skein-im/skein/internal/portable/leancloud/sorting"
)

// fold merges the journal into the lists, writes the manifest, and removes the journal. After a
// kill it can start again.
func (d *dump) fold(ctx context.Context) (folder.Manifest, error) {
	m := folder.Manifest{
		Format: folder.Format, Version: folder.Version, AppID: d.run.AppID, Server: d.run.Server, Time: d.run.Began, Lists: map[string]folder.List{},
	}
	err := os.Rename(d.path(folder.ManifestFile), d.path(beforeFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, err
	}
	work := d.path("sort")
	if err := errors.Join(os.RemoveAll(work), os.MkdirAll(work, 0o700)); err != nil {
		return m, err
	}
	f, err := d.sort(work)
	if err == nil {
		err = f.write(ctx, &m)
	}
	err = errors.Join(err, f.close(), os.RemoveAll(work))
	if err == nil && (d.Files || d.before.manifest.Files.Asked) {
		err = files.Files{
			Dir: d.Out, Fetch: d.Files && !d.Finish, Host: d.FileHost, Private: d.private, API: d.api, Clock: d.Clock, Fatal: d.fatal,
			Begin: func(total int) { d.ledger.Step("files", total) }, Done: d.ledger.One,
		}.Write(ctx, &m)
	}
	if err != nil {
		return m, err
	}
	if err := folder.Sync(d.Out); err != nil {
		return m, fmt.Errorf("wait for the disk: %w", err)
	}
	m.Holes = tidy(d.holes)
	m.Complete = !slices.ContainsFunc(m.Holes, func(h folder.Hole) bool { return !h.Doubt })
	raw, err := json.Marshal(m, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return m, err
	}
	if err := folder.ReplaceFile(d.path(folder.ManifestFile), append(raw, '\n')); err != nil {
		return m, err
	}
	err = os.Remove(d.path(beforeFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return m, errors.Join(err, os.Remove(d.path(journal.File)))
}

func (d *dump) path(name string) string { return folder.Path(d.Out, name) }

// doubtsListed is how many doubts a manifest lists.
const doubtsListed = 1000

// tidy sorts holes, failures first, and leaves out doubts beyond doubtsListed.
func tidy(holes []folder.Hole) []folder.Hole {
	slices.SortFunc(holes, func(a, b folder.Hole) int {
		if a.Doubt != b.Doubt {
			if b.Doubt {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Conv+"\x00"+a.What, b.Conv+"\x00"+b.What)
	})
	sure := len(holes)
	for sure > 0 && holes[sure-1].Doubt {
		sure--
	}
	if more := len(holes) - sure - doubtsListed; more > 0 {
		holes = append(holes[:sure+doubtsListed], folder.Hole{What: fmt.Sprintf("%d more doubts of this kind", more), Doubt: true})
	}
	return holes
}

// folding sorts what the journal has into the lists.
type folding struct {
	d        *dump
	tables   map[string]*sorting.Table // by file name
	messages *sorting.Parts
	clients  map[string]uint8 // bits of clientFields
}

// clientFields are the fields where a client id can appear: the bits of folding.clients.
var clientFields = []string{"m", "mu", "c", "info", "from", "subscriber"}

// rowTables are the lists that are sorted as tables.
var rowTables = []string{folder.ConversationsFile, folder.MemberInfosFile, folder.UsersFile, folder.SubscribersFile, folder.InboundFile, folder.BroadcastsFile}

// sort reads the existing lists, then the journal.
func (d *dump) sort(work string) (*folding, error) {
	s := &folding{d: d, tables: map[string]*sorting.Table{}, clients: map[string]uint8{}}
	for _, name := range rowTables {
		t, err := sorting.NewTable(work)
		if err != nil {
			return s, err
		}
		s.tables[name] = t
		if name == folder.MemberInfosFile && d.done[journal.StepInfos] {
			continue // read anew as a whole
		}
		for line, err := range folder.Lines(d.path(name)) {
			if err == nil {
				err = t.Add(keyOf(name, line), line)
			}
			if err != nil {
				return s, err
			}
		}
	}
	if err := s.oldClients(); err != nil {
		return s, fmt.Errorf("%s: %w", folder.ClientsFile, err)
	}
	info, err := os.Stat(d.path(journal.File))
	if err != nil {
		return s, err
	}
	if s.messages, err = sorting.NewParts(work, info.Size()); err != nil {
		return s, err
	}
	_, err = journal.Replay(d.path(journal.File), s.take)
	return s, err
}

// oldClients reads the existing list of client ids.
func (s *folding) oldClients() error {
	for line, err := range folder.Lines(s.d.path(folder.ClientsFile)) {
		var c folder.Client
		if err == nil {
			err = json.Unmarshal(line, &c, folder.Lenient)
		}
		if err != nil {
			return err
		}
		for _, in := range c.In {
			s.client(c.ID, in)
		}
	}
	return nil
}

// take sorts one entry of the journal.
func (s *folding) take(e journal.Entry) error {
	name := map[string]string{
		journal.StepConversations: folder.ConversationsFile, journal.StepInfos: folder.MemberInfosFile, journal.StepUsers: folder.UsersFile,
		journal.StepSubscribers: folder.SubscribersFile, journal.StepInbound: folder.InboundFile, journal.StepBroadcasts: folder.BroadcastsFile,
	}[e.Step]
	for _, raw := range e.Rows {
		if name == "" {
			if err := s.message(e, raw); err != nil {
				return err
			}
			continue
		}
		line := raw
		if name == folder.MemberInfosFile || name == folder.BroadcastsFile {
			conv := e.Key
			if conv == "" {
				conv = folder.Field(raw, "cid")
			}
			line = withConv(conv, raw)
		}
		if err := s.tables[name].Add(keyOf(name, line), line); err != nil {
			return err
		}
	}
	return nil
}

// withConv writes {"conv_id": conv, "row": raw} with the row as it is.
func withConv(conv string, raw jsontext.Value) jsontext.Value {
	line, _ := jsontext.AppendQuote([]byte(`{"conv_id":`), conv) // conv was read from JSON
	return append(append(append(line, `,"row":`...), raw...), '}')
}

// keyOf is the key by which a list is sorted. Lines with the same key are versions of one row.
func keyOf(name string, line jsontext.Value) string {
	switch name {
	case folder.MemberInfosFile, folder.BroadcastsFile:
		var of struct {
			Conv folder.Text    `json:"conv_id"`
			Row  jsontext.Value `json:"row"`
		}
		_ = json.Unmarshal(line, &of, folder.Lenient) // we wrote it
		if name == folder.BroadcastsFile {
			return string(of.Conv) + "\x00" + string(of.Row)
		}
		return string(of.Conv) + "\x00" + folder.Field(of.Row, "clientId") + "\x00" + folder.Field(of.Row, "objectId")
	case folder.SubscribersFile:
		return folder.Field(line, "conv_id") + "\x00" + folder.Field(line, "subscriber")
	default:
		if id := folder.Field(line, "objectId"); id != "" {
			return id
		}
		return "\xff" + string(line)
	}
}

func (s *folding) message(e journal.Entry, raw jsontext.Value) error {
	r, err := folder.ReadRow(raw)
	if err != nil {
		return err
	}
	source := sorting.FromConv
	conv := e.Key
	switch e.Step {
	case journal.StepWalk:
		source = sorting.FromApp
		conv = r.ConvOf(s.d.known)
	case journal.StepTold:
		conv, _ = cutKey(e.Key)
	case journal.StepHistory:
	default:
		return nil
	}
	s.client(r.From, "from")
	return s.messages.Add(conv, source, raw)
}

func (s *folding) client(id, in string) {
	if i := slices.Index(clientFields, in); id != "" && i >= 0 {
		s.clients[id] |= 1 << i
	}
}

// write makes the lists.
func (s *folding) write(ctx context.Context, m *folder.Manifest) error {
	for _, name := range rowTables {
		if err := s.writeTable(name, m); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := s.writeClients(m); err != nil {
		return fmt.Errorf("%s: %w", folder.ClientsFile, err)
	}
	proofs, err := s.writeMessages(ctx)
	if err != nil {
		return err
	}
	return s.d.prove(proofs, m)
}

func (s *folding) writeTable(name string, m *folder.Manifest) error {
	if len(s.tables[name].At) == 0 {
		return nil
	}
	w, err := folder.WriteList(s.d.path(name))
	if err != nil {
		return err
	}
	for line, err := range s.tables[name].Sorted() {
		if err == nil {
			err = w.Line(line)
		}
		if err != nil {
			w.Drop()
			return err
		}
		s.clientsOf(name, line)
	}
	m.Lists[name], err = w.End()
	return err
}

// clientsOf records the client ids in a row: the members, the muted members and the creator of a
// conversation (overview, conversation), and the clients of roles and subscribers.
func (s *folding) clientsOf(name string, line jsontext.Value) {
	switch name {
	case folder.ConversationsFile:
		var r struct {
			Members jsontext.Value `json:"m"`
			Muted   jsontext.Value `json:"mu"`
			Creator folder.Text    `json:"c"`
		}
		_ = json.Unmarshal(line, &r, folder.Lenient) // a row that is no object has no clients
		s.client(string(r.Creator), "c")
		for in, list := range map[string]jsontext.Value{"m": r.Members, "mu": r.Muted} {
			var ids []folder.Text
			_ = json.Unmarshal(list, &ids, folder.Lenient) // the field may hold anything
			for _, id := range ids {
				s.client(string(id), in)
			}
		}
	case folder.MemberInfosFile:
		var of folder.MemberInfo
		_ = json.Unmarshal(line, &of, folder.Lenient) // we wrote it
		s.client(folder.Field(of.Row, "clientId"), "info")
	case folder.SubscribersFile:
		s.client(folder.Field(line, "subscriber"), "subscriber")
	}
}

func (s *folding) writeClients(m *folder.Manifest) error {
	w, err := folder.WriteList(s.d.path(folder.ClientsFile))
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(s.clients)) {
		c := folder.Client{ID: id}
		for i, in := range clientFields {
			if s.clients[id]&(1<<i) != 0 {
				c.In = append(c.In, in)
			}
		}
		if err := w.Value(c); err != nil {
			w.Drop()
			return err
		}
	}
	m.Lists[folder.ClientsFile], err = w.End()
	return err
}

func (s *folding) close() error {
	var all []error
	for _, t := range s.tables {
		all = append(all, t.Close())
	}
	if s.messages != nil {
		all = append(all, s.messages.Close())
	}
	return errors.Join(all...)
}
