package leancloud

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// beforeFile is the manifest of the run before, while the lists are written anew.
const beforeFile = "manifest.before.json"

// folder is what the run before left.
type folder struct {
	manifest Manifest // zero: there is none
	proofs   map[string]before
}

// before is what a later run has to know of a Proof.
type before struct {
	newest  int64
	checked bool
}

// openFolder reads what the run before left, and refuses a folder of another app.
func openFolder(dir string, r run) (*folder, error) {
	f := &folder{proofs: map[string]before{}}
	raw, err := os.ReadFile(filepath.Join(dir, ManifestFile)) //nolint:gosec // the operator's own directory
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = os.ReadFile(filepath.Join(dir, beforeFile)) //nolint:gosec // the operator's own directory
	}
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &f.manifest); err != nil {
		return nil, fmt.Errorf("%s: %w", ManifestFile, err)
	}
	switch m := f.manifest; {
	case m.Format != Format:
		return nil, fmt.Errorf("%s is no dump of LeanCloud IM", dir)
	case m.Version > Version:
		return nil, fmt.Errorf("%s was written by a newer version of this command", dir)
	case m.AppID != r.AppID:
		return nil, fmt.Errorf("%s is of app %s: give another folder", dir, m.AppID)
	}
	for line, err := range Lines(filepath.Join(dir, ProofFile)) {
		var p Proof
		if err == nil {
			err = json.Unmarshal(line, &p)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ProofFile, err)
		}
		f.proofs[p.Conv] = before{p.Newest, p.Checked}
	}
	return f, nil
}

// since is the time before which the folder has the history of the whole app.
func (f *folder) since() int64 {
	m := f.manifest
	if !m.Messages.WholeApp {
		return 0
	}
	return max(0, min(m.Time, m.Messages.Newest)-overlap.Milliseconds())
}

// fold makes the lists of what they are and what the journal has, then the manifest, and
// removes the journal. Killed anywhere, it can be begun again.
func (d *dump) fold(ctx context.Context) (Manifest, error) {
	m := Manifest{
		Format: Format, Version: Version, AppID: d.run.AppID, Server: d.run.Server, Time: d.run.Began, Lists: map[string]List{},
	}
	err := os.Rename(d.path(ManifestFile), d.path(beforeFile))
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
		err = d.files(ctx, &m)
	}
	if err != nil {
		return m, err
	}
	if err := syncFolder(d.Out); err != nil {
		return m, fmt.Errorf("wait for the disk: %w", err)
	}
	m.Holes = tidy(d.holes)
	m.Complete = !slices.ContainsFunc(m.Holes, func(h Hole) bool { return !h.Doubt })
	raw, err := json.Marshal(m, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return m, err
	}
	if err := replaceFile(d.path(ManifestFile), append(raw, '\n')); err != nil {
		return m, err
	}
	err = os.Remove(d.path(beforeFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return m, errors.Join(err, os.Remove(d.path(journalFile)))
}

func (d *dump) path(name string) string { return filepath.Join(d.Out, filepath.FromSlash(name)) }

// doubtsListed is how many doubts a manifest lists.
const doubtsListed = 1000

// tidy sorts holes, failures first, and leaves out doubts beyond doubtsListed.
func tidy(holes []Hole) []Hole {
	slices.SortFunc(holes, func(a, b Hole) int {
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
		holes = append(holes[:sure+doubtsListed], Hole{What: fmt.Sprintf("%d more doubts of this kind", more), Doubt: true})
	}
	return holes
}

// sorting holds everything that the journal has, on its way to the lists.
type sorting struct {
	d        *dump
	tables   map[string]*table // by file name
	messages *parts
	clients  map[string]uint8 // bits of places
}

// places are where a client id can appear: the bits of sorting.clients.
var places = []string{"m", "mu", "c", "info", "from", "subscriber"}

// rowTables are the lists that are made of single rows.
var rowTables = []string{ConversationsFile, MemberInfosFile, UsersFile, SubscribersFile, InboundFile, BroadcastsFile}

// sort reads the lists that are there and then the journal.
func (d *dump) sort(work string) (*sorting, error) {
	s := &sorting{d: d, tables: map[string]*table{}, clients: map[string]uint8{}}
	for _, name := range rowTables {
		t, err := newTable(work)
		if err != nil {
			return s, err
		}
		s.tables[name] = t
		if name == MemberInfosFile && d.done[stepInfos] {
			continue // read anew as a whole
		}
		for line, err := range Lines(d.path(name)) {
			if err == nil {
				err = t.add(keyOf(name, line), line)
			}
			if err != nil {
				return s, err
			}
		}
	}
	if err := s.oldClients(); err != nil {
		return s, fmt.Errorf("%s: %w", ClientsFile, err)
	}
	info, err := os.Stat(d.path(journalFile))
	if err != nil {
		return s, err
	}
	if s.messages, err = newParts(work, info.Size()); err != nil {
		return s, err
	}
	_, err = replay(d.path(journalFile), s.take)
	return s, err
}

// oldClients takes the client ids that are there.
func (s *sorting) oldClients() error {
	for line, err := range Lines(s.d.path(ClientsFile)) {
		var c Client
		if err == nil {
			err = json.Unmarshal(line, &c, lenient)
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
func (s *sorting) take(e entry) error {
	name := map[string]string{
		stepConversations: ConversationsFile, stepInfos: MemberInfosFile, stepUsers: UsersFile,
		stepSubscribers: SubscribersFile, stepInbound: InboundFile, stepBroadcasts: BroadcastsFile,
	}[e.Step]
	for _, raw := range e.Rows {
		if name == "" {
			if err := s.message(e, raw); err != nil {
				return err
			}
			continue
		}
		line := raw
		if name == MemberInfosFile || name == BroadcastsFile {
			conv := e.Key
			if conv == "" {
				conv = field(raw, "cid")
			}
			line = withConv(conv, raw)
		}
		if err := s.tables[name].add(keyOf(name, line), line); err != nil {
			return err
		}
	}
	return nil
}

// withConv writes {"conv_id": conv, "row": raw} with the row as it is.
func withConv(conv string, raw jsontext.Value) jsontext.Value {
	line, _ := jsontext.AppendQuote([]byte(`{"conv_id":`), conv) // it came out of JSON
	return append(append(append(line, `,"row":`...), raw...), '}')
}

// keyOf orders the lines of a list and says which are of the same thing.
func keyOf(name string, line jsontext.Value) string {
	switch name {
	case MemberInfosFile, BroadcastsFile:
		var of struct {
			Conv text           `json:"conv_id"`
			Row  jsontext.Value `json:"row"`
		}
		_ = json.Unmarshal(line, &of, lenient) // we wrote it
		if name == BroadcastsFile {
			return string(of.Conv) + "\x00" + string(of.Row)
		}
		return string(of.Conv) + "\x00" + field(of.Row, "clientId") + "\x00" + field(of.Row, "objectId")
	case SubscribersFile:
		return field(line, "conv_id") + "\x00" + field(line, "subscriber")
	default:
		if id := field(line, "objectId"); id != "" {
			return id
		}
		return "\xff" + string(line)
	}
}

func (s *sorting) message(e entry, raw jsontext.Value) error {
	r, err := readRow(raw)
	if err != nil {
		return err
	}
	source := fromConv
	conv := e.Key
	switch e.Step {
	case stepWalk:
		source = fromApp
		conv = r.convOf(s.d.known)
	case stepTold:
		conv, _ = cutKey(e.Key)
	case stepHistory:
	default:
		return nil
	}
	s.client(r.from, "from")
	return s.messages.add(conv, source, raw)
}

func (s *sorting) client(id, in string) {
	if i := slices.Index(places, in); id != "" && i >= 0 {
		s.clients[id] |= 1 << i
	}
}

// write makes the lists.
func (s *sorting) write(ctx context.Context, m *Manifest) error {
	for _, name := range rowTables {
		if err := s.writeTable(name, m); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := s.writeClients(m); err != nil {
		return fmt.Errorf("%s: %w", ClientsFile, err)
	}
	proofs, err := s.writeMessages(ctx)
	if err != nil {
		return err
	}
	return s.d.prove(proofs, m)
}

func (s *sorting) writeTable(name string, m *Manifest) error {
	if len(s.tables[name].at) == 0 {
		return nil
	}
	w, err := writeList(s.d.path(name))
	if err != nil {
		return err
	}
	for line, err := range s.tables[name].sorted() {
		if err == nil {
			err = w.line(line)
		}
		if err != nil {
			w.drop()
			return err
		}
		s.clientsOf(name, line)
	}
	m.Lists[name], err = w.end()
	return err
}

// clientsOf notes the client ids in a row: members, muted ones and the creator of a
// conversation (overview, conversation), and those of roles and subscribers.
func (s *sorting) clientsOf(name string, line jsontext.Value) {
	switch name {
	case ConversationsFile:
		var r struct {
			Members jsontext.Value `json:"m"`
			Muted   jsontext.Value `json:"mu"`
			Creator text           `json:"c"`
		}
		_ = json.Unmarshal(line, &r, lenient) // a row that is no object has no clients
		s.client(string(r.Creator), "c")
		for in, list := range map[string]jsontext.Value{"m": r.Members, "mu": r.Muted} {
			var ids []text
			_ = json.Unmarshal(list, &ids, lenient) // it may be anything
			for _, id := range ids {
				s.client(string(id), in)
			}
		}
	case MemberInfosFile:
		var of MemberInfo
		_ = json.Unmarshal(line, &of, lenient) // we wrote it
		s.client(field(of.Row, "clientId"), "info")
	case SubscribersFile:
		s.client(field(line, "subscriber"), "subscriber")
	}
}

func (s *sorting) writeClients(m *Manifest) error {
	w, err := writeList(s.d.path(ClientsFile))
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(s.clients)) {
		c := Client{ID: id}
		for i, in := range places {
			if s.clients[id]&(1<<i) != 0 {
				c.In = append(c.In, in)
			}
		}
		if err := w.value(c); err != nil {
			w.drop()
			return err
		}
	}
	m.Lists[ClientsFile], err = w.end()
	return err
}

func (s *sorting) close() error {
	var all []error
	for _, t := range s.tables {
		all = append(all, t.close())
	}
	if s.messages != nil {
		all = append(all, s.messages.close())
	}
	return errors.Join(all...)
}
