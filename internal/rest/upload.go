package rest

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
)

const (
	// formOverhead is what a form may hold beside the file, in bytes.
	formOverhead = 1 << 20
)

// upload runs an op whose body is a form with the field "file". The file streams
// through; it is never held in memory. The upload ends when its caller is banned,
// logged out or deleted meanwhile.
func (s *Server) upload(w http.ResponseWriter, r *http.Request, by skein.Actor, shown access.Credentials, op *ops.Op) ([]byte, error) {
	if err := checkEncoding(r.Header); err != nil {
		return nil, err
	}
	limit := by.App.Settings.MaxFileBytes
	if r.ContentLength > limit+formOverhead {
		return nil, skein.About(skein.ErrTooLarge, "file")
	}
	if err := s.takeUpload(by); err != nil {
		return nil, err
	}
	defer s.giveUpload(by)

	ctx, end := context.WithCancelCause(r.Context())
	conn := http.NewResponseController(w)
	var watching sync.WaitGroup
	watching.Go(func() { s.watch(ctx, shown, end, conn) })
	defer watching.Wait()
	defer end(nil)

	patient := &patientReader{ReadCloser: r.Body, ctx: ctx, conn: conn, stall: s.opts.Limits.Stall}
	r.Body = http.MaxBytesReader(w, patient, limit+formOverhead)
	defer patient.answerSoon()
	answer, err := s.receive(ctx, r, by, op)
	s.metrics.uploaded(err, context.Cause(ctx))
	return answer, err
}

// receive hands the file of a form to its op.
func (s *Server) receive(ctx context.Context, r *http.Request, by skein.Actor, op *ops.Op) ([]byte, error) {
	file, err := filePart(r)
	if err != nil {
		return nil, err
	}
	return s.opts.Table.Do(ctx, by, op, func(in any) error {
		if req, ok := in.(*request.UploadFile); ok {
			req.File, req.Title, req.Base = formReader{file}, file.FileName(), s.opts.Trust.Base(r)
		}
		return nil
	})
}

// watch ends an upload whose caller may upload no more, and returns with ctx.
func (s *Server) watch(ctx context.Context, shown access.Credentials, end context.CancelCauseFunc, conn *http.ResponseController) {
	tick := time.NewTicker(s.opts.Limits.Recheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.opts.Gate.Revoked(ctx, shown); err != nil {
			end(err)
			_ = conn.SetReadDeadline(past) // wakes the reader; not supported in tests alone
			return
		}
	}
}

// filePart is the form's first file in the field "file".
func filePart(r *http.Request) (*multipart.Part, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, &skein.Fault{Err: wire.ErrMediaType, Field: "Content-Type", Detail: "must be multipart/form-data"}
	}
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			return nil, skein.Missing("file")
		}
		if err != nil {
			return nil, formError(err)
		}
		if part.FormName() == "file" && part.FileName() != "" {
			return part, nil
		}
	}
}

// formReader says in the domain's words why a form could not be read.
type formReader struct{ from io.Reader }

func (f formReader) Read(p []byte) (int, error) {
	n, err := f.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = formError(err)
	}
	return n, err
}

func formError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return skein.About(skein.ErrTooLarge, "file")
	}
	if errors.Is(err, skein.ErrTooSlow) || access.Refused(err) {
		return err // patientReader's
	}
	return skein.Malformed("file", "the form cannot be read")
}
