package portable

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// Writer writes a folder. It keeps only the line of one conversation in memory. It is for one
// goroutine.
//
// Clients and files may come at any time. The records of a conversation come after its Conversation
// and before the next one: members in order of joining, messages by seq, changes by change_seq
// after the messages that they change. A Writer refuses records that break this order or are
// invalid with a *skein.Fault. It does not write a refused record, and can go on.
type Writer struct {
	dir      string
	manifest Manifest
	lists    map[string]*list
	order    order
	partial  bool // one client's data: seqs have gaps
	bytes    int64
	appSet   bool
}

// Create begins a folder at dir, which must be empty or not exist, or contain an unfinished folder of
// another Writer, which it removes. It uses Source, AppID and ClientID of the manifest; with a
// ClientID messages and changes may have gaps.
func Create(dir string, m Manifest) (*Writer, error) {
	if err := prepare(dir); err != nil {
		return nil, fmt.Errorf("create %s: %w", dir, err)
	}
	m.Format, m.Version, m.Lists = Format, Version, map[string]List{}
	w := &Writer{dir: dir, manifest: m, lists: map[string]*list{}, partial: m.ClientID != ""}
	for _, name := range lists {
		l, err := createList(dir, name)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("create %s: %w", dir, err), w.Abandon())
		}
		w.lists[name] = l
	}
	return w, nil
}

// prepare creates dir, or removes an unfinished folder of another Writer from it.
func prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	ours := map[string]bool{Files: true, AppFile: true, ManifestFile + unfinished: true}
	for _, name := range lists {
		ours[name+".jsonl.gz"] = true
	}
	for _, e := range entries {
		if e.Name() == ManifestFile {
			return errors.New("it holds a whole folder already")
		}
		if !ours[e.Name()] {
			return fmt.Errorf("it is not empty: it holds %s", e.Name())
		}
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return os.Mkdir(filepath.Join(dir, Files), 0o700)
}

// unfinished ends the name of a file that is being written.
const unfinished = ".new"

// App writes app.json. Without it Close writes one with the id alone.
func (w *Writer) App(a App) error {
	if a.ID != w.manifest.AppID || !skein.ValidAppID(a.ID) {
		return malformed("app_id", "%q is not the app of the manifest, or none that can be", a.ID)
	}
	raw, err := json.Marshal(a, encoding, jsontext.WithIndent("  "))
	if err == nil {
		err = withoutNUL(raw)
	}
	if err != nil {
		return err
	}
	raw = append(raw, '\n')
	sum := sha256.Sum256(raw)
	w.manifest.App, w.appSet = hex.EncodeToString(sum[:]), true
	return writeDurable(w.dir, AppFile, raw)
}

// Client adds a client, in order of creation.
func (w *Writer) Client(c Client) error { return w.add(Clients, &c, c.fault(), nil) }

// Conversation begins a conversation, in order of creation. It counts LastSeq and LastChange if they
// are zero. An error may be about a missing record of the conversation before.
func (w *Writer) Conversation(c Conversation) error {
	err := c.fault()
	if err == nil {
		_, err = encode(&c) // written later, but refused now
	}
	if err != nil {
		return at(Conversations, w.lists[Conversations].lines+1, err)
	}
	if err := w.endConversation(); err != nil {
		return err
	}
	w.order.conversation(&c)
	return nil
}

// endConversation writes the line of the current conversation.
func (w *Writer) endConversation() error {
	c := w.order.conv
	if c == nil {
		return nil
	}
	if c.LastSeq == 0 {
		c.LastSeq = w.order.messages
	}
	if c.LastChange == 0 {
		c.LastChange = w.order.changes
	}
	var err error
	if !w.partial {
		err = w.order.end()
	}
	if err == nil {
		w.order.conv = nil
	}
	return w.add(Conversations, c, err, nil)
}

// Member adds a member of the current conversation.
func (w *Writer) Member(m Member) error {
	return w.add(Members, &m, m.fault(), func() error { return w.order.member(&m) })
}

// Message adds a message to the current conversation.
func (w *Writer) Message(m Message) error {
	return w.add(Messages, &m, m.fault(), func() error {
		if w.partial {
			w.order.messages = m.Seq - 1
		}
		return w.order.message(&m)
	})
}

// Change adds a change to the current conversation.
func (w *Writer) Change(c Change) error {
	return w.add(Changes, &c, c.fault(), func() error {
		if w.partial {
			w.order.changes, w.order.messages = c.Seq-1, max(w.order.messages, c.MsgSeq)
		}
		return w.order.change(&c)
	})
}

// File adds a file and copies its content. It sets Size and SHA256 if they are not set, and checks
// them otherwise.
func (w *Writer) File(f File, content io.Reader) error {
	if !namePattern.MatchString(f.Name) {
		return w.add(Files, &f, f.fault(), nil)
	}
	path := filepath.Join(w.dir, Files, f.Name)
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the name has a pattern
	if err != nil {
		return at(Files, w.lists[Files].lines+1, err)
	}
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(out, sum), content)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return errors.Join(at(Files, w.lists[Files].lines+1, err), os.Remove(path))
	}
	have := hex.EncodeToString(sum.Sum(nil))
	if f.SHA256 == "" {
		f.Size, f.SHA256 = size, have
	}
	err = f.fault()
	if err == nil && (f.Size != size || f.SHA256 != have) {
		err = malformed("sha256", "the content has %d bytes of %s", size, have)
	}
	if err != nil {
		return errors.Join(w.add(Files, &f, err, nil), os.Remove(path))
	}
	w.bytes += size
	return w.add(Files, &f, nil, nil)
}

// add writes a record if it is valid and in order.
func (w *Writer) add(name string, record any, fault error, inOrder func() error) error {
	l := w.lists[name]
	if fault != nil {
		return at(name, l.lines+1, fault)
	}
	line, err := encode(record)
	if err == nil && inOrder != nil {
		err = inOrder()
	}
	if err != nil {
		return at(name, l.lines+1, err)
	}
	return l.write(line)
}

// encode writes a record as a line. Errors: skein.ErrMalformed for U+0000 in a text.
func encode(record any) ([]byte, error) {
	line, err := Encode(record)
	if err == nil {
		err = withoutNUL(line)
	}
	return line, err
}

// Close completes the folder, which shows the data as of now: it writes the manifest last, in one
// step. Without Close, or after an error, the folder is incomplete.
func (w *Writer) Close(now time.Time) error {
	if err := w.close(now); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", w.dir, err), w.Abandon())
	}
	return nil
}

func (w *Writer) close(now time.Time) error {
	if err := w.endConversation(); err != nil {
		return err
	}
	if !w.appSet {
		if err := w.App(App{ID: w.manifest.AppID}); err != nil {
			return err
		}
	}
	for _, name := range lists {
		l := w.lists[name]
		delete(w.lists, name)
		said, err := l.close()
		if err != nil {
			return err
		}
		w.manifest.Lists[name] = said
	}
	w.manifest.Time, w.manifest.Bytes = now.UnixMilli(), w.bytes
	raw, err := json.Marshal(w.manifest, encoding, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	if err := syncDir(filepath.Join(w.dir, Files)); err != nil {
		return err
	}
	return writeDurable(w.dir, ManifestFile, append(raw, '\n'))
}

// Abandon closes the files. The folder has no manifest then.
func (w *Writer) Abandon() (err error) {
	for name, l := range w.lists {
		err = errors.Join(err, l.file.Close())
		delete(w.lists, name)
	}
	return err
}

// writeDurable writes and syncs a file in one step: it has the whole content or does not exist.
func writeDurable(dir, name string, content []byte) error {
	path := filepath.Join(dir, name)
	f, err := os.OpenFile(path+unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // the operator's own
	if err != nil {
		return err
	}
	_, err = io.Copy(f, bytes.NewReader(content))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+unfinished, path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator's own
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
