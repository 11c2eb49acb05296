package rest

import (
	"io"
	"net/http"
	"time"
)

// stall is how long a peer may bring, or take, nothing. A large file may take its
// time while a peer that stopped is let go.
const stall = 30 * time.Second

// patientReader gives a body a new deadline with every read.
type patientReader struct {
	conn *http.ResponseController
	io.ReadCloser
}

func (p *patientReader) Read(b []byte) (int, error) {
	_ = p.conn.SetReadDeadline(time.Now().Add(stall)) // not supported in tests alone
	return p.ReadCloser.Read(b)
}

// answerSoon gives the answer behind a long body its time.
func (p *patientReader) answerSoon() {
	_ = p.conn.SetWriteDeadline(time.Now().Add(stall)) // as above
}

// Patient lets a handler write for as long as the peer takes what it writes: the
// server's own WriteTimeout is for short answers.
func Patient(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&patientWriter{w, http.NewResponseController(w)}, r)
	})
}

type patientWriter struct {
	http.ResponseWriter

	conn *http.ResponseController
}

// Unwrap is for http.ResponseController.
func (p *patientWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }

func (p *patientWriter) wait() { _ = p.conn.SetWriteDeadline(time.Now().Add(stall)) } // not supported in tests alone

func (p *patientWriter) Write(b []byte) (int, error) {
	p.wait()
	return p.ResponseWriter.Write(b)
}

// piece is how much may be taken within one stall, in bytes: it bounds how slow a
// peer may be.
const piece = 64 << 10

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
