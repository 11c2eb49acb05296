package socket

import (
	"log/slog"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/socket/admission"
)

// reserve counts a socket of the address before its handshake. Errors: those of
// admission.Control.Reserve; skein.ErrUnavailable while the server shuts down.
func (s *Server) reserve(addr string) error {
	if s.draining.Load() {
		return skein.ErrUnavailable
	}
	err := s.admission.Reserve(addr, s.opts.Now())
	if err != nil {
		s.metrics.refused.WithLabelValues(admission.Reason(err)).Inc()
		s.warning.Log(s.opts.Log, s.opts.Now(), "socket refused: "+err.Error(), slog.String("addr", addr))
	}
	return err
}

// admitLogin counts the socket for an app, and reports whether the app may have one
// more.
func (s *Server) admitLogin(c *conn, app *skein.App) bool {
	if s.admission.LogIn(c.addr, app.ID, app.Settings.MaxSockets) {
		return true
	}
	s.metrics.refused.WithLabelValues("app").Inc()
	s.warning.Log(s.opts.Log, s.opts.Now(), "login refused: the app has too many sockets", slog.String("app", app.ID))
	return false
}

// reportNoMemory counts and logs a socket that is closed because too much memory is held
// by unfinished messages.
func (s *Server) reportNoMemory(c *conn) {
	s.metrics.refused.WithLabelValues("unfinished").Inc()
	s.warning.Log(s.opts.Log, s.opts.Now(), "socket closed: too many unfinished messages",
		slog.String("app", c.appID()), slog.String("addr", c.addr))
}
