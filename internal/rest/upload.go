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
	// formOverhead is how many bytes a form may have in addition to the file.
	formOverhead = 1 << 20
)

// upload runs an op whose body is a form with the field "file". It streams the file and
// never holds it in memory. It ends the upload if the caller is banned, logged out or
// deleted meanwhile.
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

// receive passes the file of a form to its op.
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

// watch ends the upload when its caller may no longer upload. It returns when ctx ends.
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
			_ = conn.SetReadDeadline(past) // wakes the reader; only test recorders do not support it
			return
		}
	}
}

// filePart returns the first file in the field "file" of a form.
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

// formReader turns the errors of reading a form into errors of the domain.
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
		return err // of patientReader
	}
	return skein.Malformed("file", "the form cannot be read")
}
