package rest

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/rest/httpx"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/strict"
)

// errPanicked is answered as code 1. Callers never see its text.
var errPanicked = errors.New("a handler panicked")

// credentials reads the headers that say who calls. Errors: skein.ErrMissingHeader,
// skein.ErrMalformed.
func (s *Server) credentials(r *http.Request) (access.Credentials, error) {
	if s.opts.Operators != nil {
		return access.Credentials{Authorization: headerOf(r.Header, "Authorization")}, nil
	}
	app, err := appOf(r.Header)
	from := s.opts.Trust.From(r)
	return access.Credentials{
		Source:        access.Source{Origin: from.Origin, Proxied: from.Proxied},
		App:           app,
		Key:           headerOf(r.Header, "App-Key"),
		Authorization: headerOf(r.Header, "Authorization"),
	}, err
}

// caller tells who calls. Errors: those of access.Gate.Caller or access.Operators.Caller.
func (s *Server) caller(ctx context.Context, w http.ResponseWriter, r *http.Request, shown access.Credentials) (skein.Actor, error) {
	if s.opts.Operators == nil {
		return s.opts.Gate.Caller(ctx, shown)
	}
	call, err := s.opts.Operators.Caller(ctx, shown.Authorization)
	call.Addr, call.RequestID = s.opts.Trust.From(r).Addr.String(), httpx.EnsureRequestID(w, r)
	return skein.Actor{Operator: &call}, err
}

// appOf returns the app of the request, from IM-APP-ID or app-id. If both are present,
// they must be equal.
func appOf(h http.Header) (string, error) {
	app := ""
	for _, name := range [...]string{"Im-App-Id", "App-Id"} {
		for _, v := range h[name] {
			if app != "" && v != app {
				return "", skein.Malformed("IM-APP-ID", "differs from app-id")
			}
			app = v
		}
	}
	if app == "" {
		return "", skein.About(skein.ErrMissingHeader, "IM-APP-ID")
	}
	return app, nil
}

// headerOf returns the value of a header; nil if it is absent. It joins several values
// with commas, so that the later check of the value refuses them.
func headerOf(h http.Header, name string) *string {
	values := h[name]
	switch len(values) {
	case 0:
		return nil
	case 1:
		return &values[0]
	default:
		joined := strings.Join(values, ", ")
		return &joined
	}
}

// readBody reads a body into a pooled buffer. Errors: skein.ErrTooLarge,
// wire.ErrMediaType.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, op *ops.Op) (*[]byte, error) {
	buf := strict.GetBuffer()
	if r.ContentLength == 0 {
		return buf, nil
	}
	if err := s.readInto(buf, w, r, s.maxBody(op)); err != nil {
		strict.PutBuffer(buf)
		return nil, err
	}
	return buf, nil
}

func (s *Server) readInto(buf *[]byte, w http.ResponseWriter, r *http.Request, most int64) error {
	if err := checkEncoding(r.Header); err != nil {
		return err
	}
	if r.ContentLength > most {
		return skein.ErrTooLarge
	}
	body := http.MaxBytesReader(w, r.Body, most)
	if err := readAll(buf, body); err != nil {
		return bodyError(err)
	}
	if len(*buf) > 0 && (r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch) && !isJSON(r.Header) {
		return &skein.Fault{Err: wire.ErrMediaType, Field: "Content-Type", Detail: "must be application/json"}
	}
	return nil
}

// bodyRoom is how many bytes of memory the body of a request may need.
func (s *Server) bodyRoom(r *http.Request, op *ops.Op) int64 {
	if r.ContentLength < 0 {
		return s.maxBody(op)
	}
	return min(r.ContentLength, s.maxBody(op))
}

// maxBody bounds the body of a call of an op.
func (s *Server) maxBody(op *ops.Op) int64 { return max(s.opts.MaxBody, op.Policy.MaxBody) }

// checkEncoding refuses a compressed body: its decompressed size has no bound.
func checkEncoding(h http.Header) error {
	if h.Get("Content-Encoding") != "" {
		return &skein.Fault{Err: wire.ErrMediaType, Field: "Content-Encoding", Detail: "not supported"}
	}
	return nil
}

// readAll is io.ReadAll into an existing buffer.
func readAll(buf *[]byte, from io.Reader) error {
	for {
		if len(*buf) == cap(*buf) {
			*buf = append(*buf, 0)[:len(*buf)]
		}
		n, err := from.Read((*buf)[len(*buf):cap(*buf)])
		*buf = (*buf)[:len(*buf)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func bodyError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return skein.ErrTooLarge
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return skein.ErrTooSlow
	}
	return skein.Malformed("", "the body cannot be read")
}

func isJSON(h http.Header) bool {
	v := h["Content-Type"]
	if len(v) != 1 {
		return false
	}
	if v[0] == "application/json" {
		return true
	}
	media, _, err := mime.ParseMediaType(v[0])
	return err == nil && media == "application/json"
}
