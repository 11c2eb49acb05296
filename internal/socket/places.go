package socket

import (
	"errors"
	"log/slog"

	"github.com/skein-im/skein"
)

// appWeight is an app's share of all sockets against what is free: a node may well
// have one app alone, which gets four fifths of them.
const appWeight = 4

// maxEarly is what the frames of a socket may cost before its login, in tokens: a
// login is one or two.
const maxEarly = 100

// reserve takes a place for a socket that is not logged in. Errors: as
// roster.reserve.
func (s *Server) reserve(addr string) error {
	if !s.strangers.sockets.Take(addr, 1, 0) {
		s.refused(errFull, addr)
		return errFull
	}
	err := s.roster.reserve(addr, s.opts.Now())
	if err != nil {
		s.strangers.sockets.Give(addr, 1)
		s.refused(err, addr)
	}
	return err
}

// refused counts a socket that finds no place, and tells the operator.
func (s *Server) refused(err error, addr string) {
	var reason string
	switch {
	case errors.Is(err, errManySockets):
		reason = "address"
	case errors.Is(err, errManyHandshakes):
		reason = "handshakes"
	case errors.Is(err, errFull):
		reason = "full"
	default:
		return // it shuts down
	}
	s.metrics.refused.WithLabelValues(reason).Inc()
	s.crowds.Log(s.opts.Log, s.opts.Now(), "a socket is refused: "+err.Error(), slog.String("addr", addr))
}

// settle gives a socket that logs in its place among those of its app, and reports
// whether there is one. unsettle takes it back.
func (s *Server) settle(c *conn, app *skein.App) bool {
	if !s.sockets.Take(app.ID, 1, int64(app.Settings.MaxSockets)) {
		s.metrics.refused.WithLabelValues("app").Inc()
		s.crowds.Log(s.opts.Log, s.opts.Now(), "a login is refused: too many sockets of its app", slog.String("app", app.ID))
		return false
	}
	s.strangers.sockets.Give(c.addr, 1)
	return true
}

// unsettle makes a socket whose login failed in the end a stranger's again, even if
// they are too many by now.
func (s *Server) unsettle(c *conn, app *skein.App) {
	s.sockets.Give(app.ID, 1)
	s.strangers.sockets.Force(c.addr, 1)
}

// crowded counts a socket that is closed for lack of room, and tells the operator.
func (s *Server) crowded(what string, c *conn) {
	app := ""
	if c.app != nil {
		app = c.app.ID
	}
	s.metrics.refused.WithLabelValues("unfinished").Inc()
	s.crowds.Log(s.opts.Log, s.opts.Now(), "a socket is closed: too many "+what, slog.String("app", app), slog.String("addr", c.addr))
}

// depart gives back the place of a socket that ended.
func (s *Server) depart(c *conn, strikes int) {
	if c.app != nil {
		s.sockets.Give(c.app.ID, 1)
	} else {
		s.strangers.sockets.Give(c.addr, 1)
	}
	s.roster.leave(c, strikes, s.opts.Now())
}
