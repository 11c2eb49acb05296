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
	// stall is how long a peer may take for the next piece. A large file may take
	// its time, while a peer that stopped, or sends a byte now and then, is let go.
	stall = 30 * time.Second
	// piece is how much must come, or be taken, within one stall, in bytes.
	piece = 64 << 10
)

// patientReader reads a body of any length as long as a piece of it comes within
// each stall. Only the time that it waits for the peer counts.
type patientReader struct {
	io.ReadCloser

	ctx    context.Context //nolint:containedctx // of one upload; its cause ends the reading
	conn   *http.ResponseController
	stall  time.Duration
	came   int           // bytes of the piece at hand
	waited time.Duration // for them
	err    error         // that it ended with
}

// Read fails with skein.ErrTooSlow, or with the cause that ended the context.
func (p *patientReader) Read(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		p.err = err
		// Nor does the HTTP server wait for the rest before it answers.
		_ = p.conn.SetReadDeadline(past) // as below
	}
	return n, err
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

func (p *patientReader) read(b []byte) (int, error) {
	// A body that comes as fast as it is read would keep a core for the ten
	// milliseconds that the scheduler lets it.
	runtime.Gosched()
	started := time.Now()
	_ = p.conn.SetReadDeadline(started.Add(p.stall - p.waited)) // not supported in tests alone
	// Whoever ends the context sets the deadline to the past after that, so one of
	// the two is seen.
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
	case access.Refused(context.Cause(p.ctx)): // net/http cancels it too, when a read fails
		return n, context.Cause(p.ctx)
	case errors.Is(err, os.ErrDeadlineExceeded), err == nil && p.waited >= p.stall:
		return n, &skein.Fault{Err: skein.ErrTooSlow, Field: "file", Detail: "came slower than 64 KiB in " + p.stall.String()}
	}
	return n, err
}

// answerSoon gives the answer behind a long body its time.
func (p *patientReader) answerSoon() {
	_ = p.conn.SetWriteDeadline(time.Now().Add(p.stall)) // as above
}

// patient lets a handler write for as long as the peer takes what it writes: the
// server's own WriteTimeout is for short answers. How many it serves at once is
// bounded, in all and for an address.
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

func (p *patientWriter) wait() { _ = p.conn.SetWriteDeadline(time.Now().Add(p.stall)) } // not supported in tests alone

func (p *patientWriter) Write(b []byte) (int, error) {
	p.wait()
	return p.ResponseWriter.Write(b)
}

// ReadFrom writes a file piece by piece, each of which the kernel can send by
// itself: it knows a file behind one io.LimitedReader, not behind two.
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
