package rest

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
)

const (
	// formOverhead is what a form may hold beside the file, in bytes.
	formOverhead = 1 << 20
)

// upload runs an op whose body is a form with the field "file". The file streams
// through; it is never held in memory.
func (s *Server) upload(ctx context.Context, w http.ResponseWriter, r *http.Request, by skein.Actor, op *ops.Op) ([]byte, error) {
	if err := checkEncoding(r.Header); err != nil {
		return nil, err
	}
	limit := by.App.Settings.MaxFileBytes
	if r.ContentLength > limit+formOverhead {
		return nil, skein.About(skein.ErrTooLarge, "file")
	}
	patient := &patientReader{http.NewResponseController(w), r.Body}
	r.Body = http.MaxBytesReader(w, patient, limit+formOverhead)
	defer patient.answerSoon()
	file, err := filePart(r)
	if err != nil {
		return nil, err
	}
	return s.opts.Table.Do(ctx, by, op, func(in any) error {
		if req, ok := in.(*wire.UploadFile); ok {
			req.File, req.Base = formReader{file}, s.linkBase(r)
		}
		return nil
	})
}

// filePart is the form's first file in the field "file".
func filePart(r *http.Request) (*multipart.Part, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, &skein.Fault{Err: wire.ErrMediaType, Field: "Content-Type", Detail: "is not multipart/form-data"}
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
	return skein.Malformed("file", "form could not be read")
}

// linkBase is the prefix of links: configured, or as the caller reached us.
func (s *Server) linkBase(r *http.Request) string {
	if s.opts.PublicURL != "" {
		return s.opts.PublicURL
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host
}
