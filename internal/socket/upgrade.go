package socket

import (
	"bufio"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/gobwas/ws"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/rest/httpx"
	"github.com/skein-im/skein/internal/share"
	"github.com/skein-im/skein/internal/socket/frame"
	"github.com/skein-im/skein/internal/wire"
)

// ServeHTTP serves GET /im/socket. It refuses a handshake with a REST answer. When it
// accepts one, it takes the connection from the HTTP server, starts the goroutine of
// the socket, and returns.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from := s.opts.Trust.From(r)
	addr := from.Counted()
	var pass share.Pass
	pass.Enter(s.opts.Work, addr)
	defer pass.Leave()
	if err := checkUpgrade(r); err != nil {
		if r.ProtoMajor == 1 { // HTTP/2 has no such headers
			w.Header().Set("Upgrade", "websocket")
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Sec-WebSocket-Version", "13")
		}
		httpx.WriteError(w, r, err)
		return
	}
	if from.Origin != "" && !s.opts.Gate.AllowsOrigin(r.Context(), "", from.Origin) {
		httpx.WriteError(w, r, &skein.Fault{Err: skein.ErrForbidden, Field: "Origin", Detail: "not in any app's allowed_origins"})
		return
	}
	if err := s.reserve(addr); err != nil {
		httpx.WriteError(w, r, err)
		return
	}
	if !s.accept(w, r, addr, from) {
		s.admission.Release(addr)
	}
}

// accept ends the handshake and starts the socket. It reports whether it did.
func (s *Server) accept(w http.ResponseWriter, r *http.Request, addr string, from httpx.From) bool {
	upgrader := ws.HTTPUpgrader{Timeout: s.opts.WriteWait}
	nc, rw, _, err := upgrader.Upgrade(r, w)
	if err != nil {
		if nc != nil {
			_ = nc.Close() // the handshake failed already; an error here changes nothing
		}
		return false
	}
	c := newConn(s, nc, addr, wire.LangOf(r.Header.Get("Accept-Language")))
	*c.source = access.Source{Origin: from.Origin, Proxied: from.Proxied}
	early := buffered(rw.Reader)
	started := s.open.add(c, func() {
		s.running.Go(func() { c.serve(early) })
	})
	if !started { // the server was shut down during the handshake
		c.Close(frame.GoingAway, goingAway)
		_ = nc.Close() // as above
	}
	return started
}

// buffered copies the first frames that the HTTP server has read already, so that its
// buffer can be freed.
func buffered(r *bufio.Reader) []byte {
	if r.Buffered() == 0 {
		return nil
	}
	early, _ := r.Peek(r.Buffered()) // cannot fail: the bytes are buffered
	return append([]byte(nil), early...)
}

// checkUpgrade checks a request by RFC 6455, 4.2.1, before the connection is taken from
// the HTTP server, so that an error can be a REST answer.
func checkUpgrade(r *http.Request) error {
	switch {
	case r.Method != http.MethodGet:
		return wire.ErrMethod
	case !hasToken(r.Header, "Connection", "upgrade"), !hasToken(r.Header, "Upgrade", "websocket"), !r.ProtoAtLeast(1, 1), r.ProtoMajor != 1:
		return &skein.Fault{Err: wire.ErrUpgrade, Detail: "this is a WebSocket endpoint"}
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return &skein.Fault{Err: wire.ErrUpgrade, Field: "Sec-WebSocket-Version", Detail: "must be 13"}
	}
	nonce, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-WebSocket-Key"))
	if err != nil || len(nonce) != 16 {
		return skein.Malformed("Sec-WebSocket-Key", "must be 16 bytes in base64")
	}
	return nil
}

// hasToken reports whether a header lists a token; case does not matter.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}
