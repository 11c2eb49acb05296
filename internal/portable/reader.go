package portable

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/skein-im/skein"
)

// Reader reads a folder. It keeps only one record of each list in memory. One goroutine uses it.
type Reader struct {
	Manifest Manifest
	App      App

	dir  string
	root *os.Root
}

// Record is a record and where it is. Value is a *File, *Client, *Conversation, *Member, *Message
// or *Change, or nil: the previous conversation is complete.
type Record struct {
	List  string
	Line  int64
	Size  int // of the line, in bytes
	Value any
}

// Open reads manifest and app.json of the folder at dir. It fails if the folder is incomplete or
// of a newer version.
func Open(dir string) (*Reader, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	r := &Reader{dir: dir, root: root}
	if err := r.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", dir, err), root.Close())
	}
	return r, nil
}

// Close closes the folder.
func (r *Reader) Close() error { return r.root.Close() }

func (r *Reader) open() error {
	raw, err := r.small(ManifestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("there is no " + ManifestFile + ": it is no portable folder, or what wrote it was cut short")
	}
	if err == nil {
		err = decode(raw, &r.Manifest)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", ManifestFile, err)
	}
	if err := r.Manifest.fault(); err != nil {
		return fmt.Errorf("%s: %w", ManifestFile, err)
	}
	raw, err = r.small(AppFile)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New(AppFile + " is missing")
	}
	if err == nil {
		err = decode(raw, &r.App)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", AppFile, err)
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != r.Manifest.App {
		return fmt.Errorf("%s is not as it was written: its SHA-256 is %x, and %s says %s", AppFile, sum, ManifestFile, r.Manifest.App)
	}
	if r.App.ID != r.Manifest.AppID {
		return fmt.Errorf("%s: app_id: is %q, and %s says %q", AppFile, r.App.ID, ManifestFile, r.Manifest.AppID)
	}
	return nil
}

// small reads a file of at most 1 MiB.
func (r *Reader) small(name string) ([]byte, error) {
	f, err := openRegular(r.root, name)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, MaxLine+1))
	if len(raw) > MaxLine {
		err = errLongLine
	}
	return raw, errors.Join(err, f.Close())
}

func (m *Manifest) fault() error {
	switch {
	case m.Format != Format:
		return malformed("format", "is %q, want %q", m.Format, Format)
	case m.Version > Version:
		return malformed("version", "is %d, and this skein knows none newer than %d; %s made it", m.Version, Version, m.Source)
	case m.Version < 1:
		return malformed("version", "is %d, want %d", m.Version, Version)
	case !skein.ValidAppID(m.AppID):
		return malformed("app_id", "must be 1 to 64 of A-Z a-z 0-9 - _")
	case len(m.Lists) != len(lists):
		return malformed("lists", "must be %q", lists)
	}
	for _, name := range lists {
		l, ok := m.Lists[name]
		sum, err := hex.DecodeString(l.SHA256)
		if !ok || l.Lines < 0 || err != nil || len(sum) != sha256.Size {
			return malformed("lists."+name, "must have lines and sha256")
		}
	}
	return nil
}

// Content opens a file of the folder.
func (r *Reader) Content(f File) (*os.File, error) {
	if err := f.fault(); err != nil {
		return nil, err
	}
	content, err := openRegular(r.root, Files+"/"+f.Name)
	if err != nil {
		return nil, err
	}
	info, err := content.Stat()
	if err == nil && info.Size() != f.Size {
		err = malformed("size", "is %d, and %s has %d bytes", f.Size, f.Name, info.Size())
	}
	if err != nil {
		return nil, errors.Join(err, content.Close())
	}
	return content, nil
}

// Each calls see for every record: files, clients, then each conversation with its records,
// ended by a record without a value. For a faulty line it calls fault instead. If fault or see
// returns an error, Each ends with it. It also fails if a list is missing, truncated or differs
// from the manifest.
func (r *Reader) Each(see func(Record) error, fault func(*LineError) error) error {
	w := walk{see: see, fault: fault}
	for _, name := range lists {
		l, err := openLines(r.root, name, r.Manifest.Lists[name])
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", r.dir, err), w.close())
		}
		w.lists = append(w.lists, l)
	}
	err := w.all(r)
	if err != nil {
		err = fmt.Errorf("%s: %w", r.dir, err)
	}
	return errors.Join(err, w.close())
}
