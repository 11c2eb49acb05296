package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
)

const (
	// stall is how long a caller may take for the next piece. A large file may take
	// long, but a caller that stops or sends a byte now and then is ended.
	stall = 30 * time.Second
	// piece is how many bytes a caller must send or receive within one stall.
	piece = 64 << 10
)

// patientReader reads a body of any length, if each piece of it arrives within stall. Only
// the time that it waits for the caller counts.
type patientReader struct {
	io.ReadCloser

	ctx    context.Context //nolint:containedctx // of one upload; when it ends, Read fails with its cause
	conn   *http.ResponseController
	stall  time.Duration
	came   int           // bytes of the current piece
	waited time.Duration // for the bytes of the current piece
	err    error         // the first error of Read
}

// Read fails with skein.ErrTooSlow, or with the cause that ended the context.
func (p *patientReader) Read(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		p.err = err
		// net/http must not wait for the rest of the body either before it answers.
		_ = p.conn.SetReadDeadline(past) // as below
	}
	return n, err
}

// past is a deadline that has expired.
var past = time.Unix(1, 0)

func (p *patientReader) read(b []byte) (int, error) {
	// Without this, a body that arrives as fast as it is read keeps a core for the 10 ms
	// that the scheduler allows.
	runtime.Gosched()
	started := time.Now()
	_ = p.conn.SetReadDeadline(started.Add(p.stall - p.waited)) // only test recorders do not support it
	// watch ends the context first and then sets the deadline to the past, so Read sees
	// one of the two.
	if p.ctx.Err() != nil {
		return 0, context.Cause(p.ctx)
	}
	n, err := p.ReadCloser.Read(b)
	p.waited += time.Since(started)
	if p.came += n; p.came >= piece {
		p.came, p.waited = 0, 0
	}
	switch {
	case err == io.EOF:
		return n, err
	case access.Refused(context.Cause(p.ctx)): // net/http also cancels it when a read fails: that is no refusal
		return n, context.Cause(p.ctx)
	case errors.Is(err, os.ErrDeadlineExceeded), err == nil && p.waited >= p.stall:
		return n, &skein.Fault{Err: skein.ErrTooSlow, Field: "file", Detail: "came slower than 64 KiB in " + p.stall.String()}
	}
	return n, err
}

// answerSoon sets a new write deadline: a long body may have used up the old one.
func (p *patientReader) answerSoon() {
	_ = p.conn.SetWriteDeadline(time.Now().Add(p.stall)) // as above
}

// patient lets a handler write for as long as the caller keeps receiving; the server's
// WriteTimeout is for short answers. It bounds how many downloads run at a time, in all
// and for an address.
func (s *Server) patient(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addr := s.opts.Trust.From(r).Counted()
		if !s.held.downloads.Take(addr, 1, 0) {
			s.busy("", "downloads")
			w.Header().Set("Retry-After", "1")
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
			return
		}
		defer s.held.downloads.Give(addr, 1)
		h.ServeHTTP(&patientWriter{w, http.NewResponseController(w), s.opts.Limits.Stall}, r)
	})
}

type patientWriter struct {
	http.ResponseWriter

	conn  *http.ResponseController
	stall time.Duration
}

// Unwrap is for http.ResponseController.
func (p *patientWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }

func (p *patientWriter) wait() { _ = p.conn.SetWriteDeadline(time.Now().Add(p.stall)) } // only test recorders do not support it

func (p *patientWriter) Write(b []byte) (int, error) {
	p.wait()
	return p.ResponseWriter.Write(b)
}

// ReadFrom sends a file in pieces. It unwraps the caller's io.LimitedReader and makes its
// own, because net/http uses sendfile only for a file behind a single one.
func (p *patientWriter) ReadFrom(src io.Reader) (total int64, err error) {
	whole, ok := src.(*io.LimitedReader)
	if !ok {
		return io.Copy(struct{ io.Writer }{p}, src)
	}
	for whole.N > 0 {
		p.wait()
		part := &io.LimitedReader{R: whole.R, N: min(whole.N, piece)}
		n, err := io.Copy(p.ResponseWriter, part)
		total += n
		whole.N -= n
		if err != nil || part.N > 0 {
			return total, err
		}
	}
	return total, nil
}
