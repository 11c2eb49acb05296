package portable

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/skein-im/skein/internal/store"
)

// Exporting says what to export and from where.
type Exporting struct {
	Store  store.Transfer
	App    string
	Client string // the data of this client alone; empty: all
	Dir    string
	Source string // see Manifest

	Open     func(name string) (io.ReadCloser, error) // content of a file
	Progress func(done, all int64)                    // messages; may be nil
}

// Export writes an app, or the data of one client, to a folder. It returns the manifest, and the
// names of files that were deleted while it ran.
func Export(ctx context.Context, e Exporting) (Manifest, []string, error) {
	s := &exportSink{Exporting: e, ctx: ctx}
	at, err := e.Store.Export(ctx, e.App, e.Client, s)
	if s.writer == nil {
		return Manifest{}, nil, err
	}
	if err != nil {
		return Manifest{}, nil, errors.Join(err, s.writer.Abandon())
	}
	err = s.writer.Close(time.UnixMilli(int64(at)))
	return s.writer.manifest, s.missing, err
}

// exportSink writes the records that the store passes to it.
type exportSink struct {
	Exporting

	ctx       context.Context //nolint:containedctx // lives for one Export
	writer    *Writer
	missing   []string
	done, all int64
}

// Begin creates the folder.
func (s *exportSink) Begin(app store.AppRecord, messages int64) (err error) {
	s.all = messages
	if s.writer, err = Create(s.Dir, Manifest{Source: s.Source, AppID: s.App, ClientID: s.Client}); err != nil {
		return err
	}
	a := AppOf(app.App)
	a.Unknown = app.Unknown
	return s.writer.App(a)
}

// Record writes one record.
func (s *exportSink) Record(record any) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	r, err := RecordOf(record)
	if err != nil {
		return err
	}
	switch r := r.(type) {
	case *Client:
		return s.writer.Client(*r)
	case *Conversation:
		return s.writer.Conversation(*r)
	case *Member:
		return s.writer.Member(*r)
	case *Message:
		if s.done++; s.Progress != nil {
			s.Progress(s.done, s.all)
		}
		return s.writer.Message(*r)
	case *Change:
		return s.writer.Change(*r)
	case *File:
		return s.file(*r)
	}
	return nil
}

// file copies the content of a file. A file that was deleted meanwhile is noted as missing.
func (s *exportSink) file(f File) error {
	content, err := s.Open(f.Name)
	if errors.Is(err, fs.ErrNotExist) {
		s.missing = append(s.missing, f.Name)
		return nil
	}
	if err != nil {
		return fmt.Errorf("file %s: %w", f.Name, err)
	}
	return errors.Join(s.writer.File(f, content), content.Close())
}
