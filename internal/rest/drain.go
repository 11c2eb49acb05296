package rest

import (
	"io"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/share"
)

// What is read of a body that nobody wants any more. A proxy that is still sending
// when its connection is closed never sees the answer and makes up a 502.
const (
	drainBytes = 128 << 20 // above the largest upload by default
	drainTime  = 5 * time.Second
	drainSelf  = 256 << 10 // up to here the HTTP server reads the rest by itself
)

var drainBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// drain sends the answer and then reads what is left of the request's body, within
// bounds, before the connection is closed. It does so for a bounded number of requests
// of an address at a time. A caller that waits for 100 Continue has sent nothing and is
// not asked to; what comes on a socket is the socket's.
func (s *Server) drain(w http.ResponseWriter, r *http.Request, body io.Reader) {
	if 0 <= r.ContentLength && r.ContentLength <= drainSelf || r.Header.Get("Expect") != "" || r.Header.Get("Upgrade") != "" {
		return
	}
	addr := s.opts.Trust.From(r).Counted()
	if !s.held.drains.Take(addr, 1, 0) {
		s.metrics.refused.WithLabelValues("drains").Inc()
		return
	}
	defer s.held.drains.Give(addr, 1)
	conn := http.NewResponseController(w)
	var pass share.Pass
	pass.Enter(s.opts.Work, addr)
	_ = conn.Flush() // a caller that is gone is seen below
	pass.Leave()
	_ = conn.SetReadDeadline(time.Now().Add(drainTime))
	buf := drainBuffers.Get().(*[32 << 10]byte)
	defer drainBuffers.Put(buf)
	for left := drainBytes; left > 0; {
		n, err := body.Read(buf[:])
		if err != nil {
			return // it is read, or nothing more comes
		}
		left -= n
		runtime.Gosched() // as in patientReader
	}
}
