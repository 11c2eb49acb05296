package socket

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/node"
	"github.com/skein-im/skein/internal/ops/rows"
	"github.com/skein-im/skein/internal/socket/frame"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
)

// maxTries is how many logins a socket may fail.
const maxTries = 3

var (
	// errAppFull answers a login of an app that has all the sockets it may have.
	errAppFull = &skein.Fault{Err: skein.ErrUnavailable, Detail: "too many sockets of this app"}
	// errLoggedIn answers a login on a logged-in socket.
	errLoggedIn = &skein.Fault{Err: skein.ErrConflict, Detail: "this socket is already logged in"}
	// errNewerLogin answers a resume of a login that a newer one has displaced. The socket
	// stays open, so that the person at the device may log in anew.
	errNewerLogin = &skein.Fault{Err: skein.ErrConflict, Field: "generation", Detail: "a newer login holds this device"}
)

// login makes a session of the socket.
func (c *conn) login(frame wire.Frame) error {
	if c.session != nil {
		return c.refuse(frame, errLoggedIn)
	}
	session, err := c.enter(frame)
	if superseded, ok := errors.AsType[*store.Superseded](err); ok {
		return c.giveWay(superseded.Reason)
	}
	if errors.Is(err, errAppFull) {
		if err := c.refuse(frame, err); err != nil {
			return err
		}
		return errCrowded
	}
	if err != nil {
		return c.failLogin(frame, err)
	}
	c.session, c.source = session, nil
	c.deep = false // most sockets now wait, and most of those for long
	return c.welcome(frame)
}

// enter checks the login and makes a session of it; its events are held until the answer.
// The id is taken before anything is checked: of two logins on this node the later asked
// wins.
func (c *conn) enter(frame wire.Frame) (*hub.Session, error) {
	s := c.server
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	in, err := request.DecodeLogin(frame.Data)
	if err != nil {
		return nil, err
	}
	if wire.SpeaksEither(in.Lang) {
		c.lang = wire.LangOf(in.Lang)
	}
	if s.draining.Load() {
		return nil, skein.ErrUnavailable
	}
	actor, err := c.identify(in, skein.ID(id).String())
	if err != nil {
		return nil, err
	}
	if err := s.opts.Registrar.Register(c.context(), actor, in.Ext); err != nil {
		return nil, err
	}
	if !s.settle(c, actor.App) {
		return nil, errAppFull
	}
	session, err := c.attach(actor, in)
	if err != nil {
		s.unsettle(c, actor.App)
	}
	if _, superseded := errors.AsType[*store.Superseded](err); superseded && bool(in.Resume) {
		return nil, errNewerLogin
	}
	return session, err
}

// identify asks the gate who logs in.
func (c *conn) identify(in request.Login, session string) (skein.Actor, error) {
	actor, err := c.server.opts.Gate.Login(c.context(), access.Login{
		App:    string(in.AppID),
		Token:  in.Token,
		Client: string(in.ClientID),
		Device: string(in.DeviceID),
		Addr:   c.addr,
		Source: *c.source,
	})
	actor.Device = string(in.DeviceID)
	actor.Session = session
	return actor, err
}

// attach adds the session to the hub, checks once more what let it in, and enters it into
// the store's sessions. A cut that came before the session was attached shows in the
// second check; one that comes later finds the session in the hub. The login deadline
// goes first: once attached the hub may close the socket, and sets its own.
func (c *conn) attach(actor skein.Actor, in request.Login) (*hub.Session, error) {
	_ = c.nc.SetReadDeadline(time.Time{})                 // fails on a dead socket only: reading says so
	deviceType, _ := skein.ParseDeviceType(in.DeviceType) // known since it was decoded
	session, err := c.server.opts.Hub.Attach(hub.Login{
		App:        actor.App.ID,
		Client:     actor.Client,
		Device:     actor.Device,
		DeviceType: deviceType,
		ID:         actor.Session,
		Rev:        actor.Rev,
		Expires:    actor.Expires,
		Deaf:       rows.Withheld(actor.Actions),
		Conn:       c,
		Waits:      c.waits,
	})
	if errors.Is(err, hub.ErrClosed) {
		err = skein.ErrUnavailable
	}
	if err == nil {
		if err = c.letIn(session, &actor, in); err != nil {
			session.Detach()
		}
	}
	if err != nil {
		left := c.loginBy.Time().Sub(c.server.opts.Now())
		_ = c.nc.SetReadDeadline(time.Now().Add(left)) // as above
		return nil, err
	}
	c.app, c.actions = actor.App, actor.Actions
	c.pace, c.rate = pace{}, int32(min(actor.App.Settings.WithDefaults().CommandRate, math.MaxInt32))
	return session, nil
}

// letIn lets an attached session in, if what allowed its login still holds. One that was
// kicked meanwhile is let in too: the hub tells it so instead of the answer.
func (c *conn) letIn(session *hub.Session, actor *skein.Actor, in request.Login) error {
	gate := c.server.opts.Gate
	current, err := gate.Current(c.context(), *actor)
	if err != nil {
		return err
	}
	if !current {
		again, err := c.identify(in, actor.Session)
		if err != nil {
			return err
		}
		session.Judged(again.Rev)
		*actor = again
	}
	settings := actor.App.Settings.WithDefaults()
	return c.server.opts.Node.Enter(c.context(), session, node.Login{
		Resume: bool(in.Resume), Generation: parseGeneration(in.Generation),
		MaxDevices: settings.MaxDevices, OnePerType: settings.OnePerDeviceType,
	})
}

// formatGeneration is a generation as clients are given it, who hand it back unread.
func formatGeneration(generation int64) string { return fmt.Sprintf("%032x", generation) }

// parseGeneration reads a generation that a client hands back: none is older than any
// other, and what no login was given is greater than any.
func parseGeneration(text string) int64 {
	if text == "" {
		return 0
	}
	generation, err := strconv.ParseInt(text, 16, 64)
	if err != nil {
		return math.MaxInt64
	}
	return generation
}

// welcome answers the login; the events that came since it was attached follow.
func (c *conn) welcome(frame wire.Frame) error {
	answer := wire.LoginAnswer{
		Time:       int64(skein.MillisOf(c.server.opts.Now())),
		SessionID:  c.session.ID(),
		Generation: formatGeneration(c.session.Generation()),
		HeartbeatS: int(c.server.opts.Hub.Heartbeat().Seconds()),
		Limits:     wire.LimitsOf(c.app.Settings, c.MaxMessage(), c.server.opts.FileTypes),
	}
	return c.accept(frame, answer.Append(nil))
}

// failLogin answers a login that failed, and ends the socket with the last one.
func (c *conn) failLogin(frame wire.Frame, err error) error {
	if err := c.refuse(frame, err); err != nil {
		return err
	}
	if c.failed++; c.failed == maxTries {
		return errNoTries
	}
	return nil
}

// giveWay ends the socket of a login that came when a newer one had entered already, as if
// it had entered first and been displaced.
func (c *conn) giveWay(reason string) error {
	kick := wire.AppendKick(nil, skein.MillisOf(c.server.opts.Now()), reason)
	if err := c.WriteFrames([][]byte{kick}, c.waits); err != nil {
		return err
	}
	return &frame.End{Code: wire.CloseKicked, Reason: reason}
}
