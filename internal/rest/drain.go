package rest

import (
	"io"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/share"
)

// Bounds of how much of a refused body the server reads and drops. A proxy that is still
// sending when its connection is closed never sees the answer and reports a 502.
const (
	drainBytes = 128 << 20 // more than the default limit of an upload
	drainTime  = 5 * time.Second
	drainSelf  = 256 << 10 // net/http itself reads a rest of up to this size
)

var drainBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// drain sends the answer, then reads and drops the rest of the request's body, before the
// connection is closed. The number of requests of an address that it does this for at a
// time is bounded. It does nothing for a caller that waits for 100 Continue, which has
// sent no body, and for a connection that became a socket.
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
	_ = conn.Flush() // if the caller has gone, the read below fails
	pass.Leave()
	_ = conn.SetReadDeadline(time.Now().Add(drainTime))
	buf := drainBuffers.Get().(*[32 << 10]byte)
	defer drainBuffers.Put(buf)
	for left := drainBytes; left > 0; {
		n, err := body.Read(buf[:])
		if err != nil {
			return // the body is read, or the caller sends no more
		}
		left -= n
		runtime.Gosched() // as in patientReader
	}
}
