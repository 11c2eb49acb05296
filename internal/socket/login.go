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

// maxTries is after how many failed logins the server closes a socket.
const maxTries = 3

var (
	// errAppFull answers a login to an app that has as many sockets as it may have.
	errAppFull = &skein.Fault{Err: skein.ErrUnavailable, Detail: "too many sockets of this app"}
	// errLoggedIn answers a login on a logged-in socket.
	errLoggedIn = &skein.Fault{Err: skein.ErrConflict, Detail: "this socket is already logged in"}
	// errNewerLogin answers a resume if a newer login uses the device. The socket stays
	// open, so that the user may log in again without resume.
	errNewerLogin = &skein.Fault{Err: skein.ErrConflict, Field: "generation", Detail: "a newer login holds this device"}
)

// login runs the command login.
func (c *conn) login(frame wire.Frame) error {
	if c.session != nil {
		return c.refuse(frame, errLoggedIn)
	}
	session, err := c.enter(frame)
	if superseded, ok := errors.AsType[*store.Superseded](err); ok {
		return c.kick(superseded.Reason)
	}
	if errors.Is(err, errAppFull) {
		if err := c.refuse(frame, err); err != nil {
			return err
		}
		return errAppSockets
	}
	if err != nil {
		return c.failLogin(frame, err)
	}
	c.session, c.source = session, nil
	c.ranCommand = false // so that receive continues with a small stack: most sockets are idle now
	return c.welcome(frame)
}

// enter checks the login and attaches its session. The hub holds the session's events
// until the login is answered. enter makes the session id before any check, so that of
// two logins on this node the one that arrived later wins.
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
	if err := s.opts.Registrar.Register(c.context(), actor, in.Ext, c.addr); err != nil {
		return nil, err
	}
	if !s.admitLogin(c, actor.App) {
		return nil, errAppFull
	}
	session, err := c.attach(actor, in)
	if err != nil {
		s.admission.UndoLogIn(c.addr, actor.App.ID)
	}
	if _, superseded := errors.AsType[*store.Superseded](err); superseded && bool(in.Resume) {
		return nil, errNewerLogin
	}
	return session, err
}

// identify authenticates the login at the gate.
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

// attach adds the session to the hub, checks the client again, and enters the session
// into the store. The second check sees a cut (a ban, a revoked token) from before the
// session was attached; a later cut finds the session in the hub. attach first clears
// the login deadline, because an attached session may be closed by the hub, which then
// sets its own deadline.
func (c *conn) attach(actor skein.Actor, in request.Login) (*hub.Session, error) {
	_ = c.nc.SetReadDeadline(time.Time{})                 // fails only on a dead socket: the next read reports that
	deviceType, _ := skein.ParseDeviceType(in.DeviceType) // cannot fail: DecodeLogin checked it
	session, err := c.server.opts.Hub.Attach(hub.Login{
		App:        actor.App.ID,
		Client:     actor.Client,
		Device:     actor.Device,
		DeviceType: deviceType,
		ID:         actor.Session,
		Rev:        actor.Rev,
		Expires:    actor.Expires,
		Withheld:   rows.Withheld(actor.Actions),
		Conn:       c,
		Waits:      c.waits,
	})
	if errors.Is(err, hub.ErrClosed) {
		err = skein.ErrUnavailable
	}
	if err == nil {
		if err = c.enterNode(session, &actor, in); err != nil {
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

// enterNode enters an attached session into the sessions of all nodes, if its client may
// still log in. It does so even if the session was kicked meanwhile: the hub then sends
// the kick instead of the answer.
func (c *conn) enterNode(session *hub.Session, actor *skein.Actor, in request.Login) error {
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

// formatGeneration writes a generation as clients receive it. To them it is opaque.
func formatGeneration(generation int64) string { return fmt.Sprintf("%032x", generation) }

// parseGeneration reads a generation that a client sends. An empty text is older than
// every login. A text that no login received counts as newer than every login.
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

// welcome answers the login. The hub then sends the events it held since attach.
func (c *conn) welcome(frame wire.Frame) error {
	answer := wire.LoginAnswer{
		Time:       int64(skein.MillisOf(c.server.opts.Now())),
		SessionID:  c.session.ID(),
		Generation: formatGeneration(c.session.Generation()),
		HeartbeatS: int(c.server.opts.Hub.Heartbeat().Seconds()),
		Limits:     wire.LimitsOf(c.app.Settings, c.MaxMessage(), c.server.opts.FileTypes),
	}
	if name := c.server.opts.NodeName; name != "" {
		answer.Node = &name
	}
	return c.accept(frame, answer.Append(nil))
}

// failLogin answers a login that failed. After maxTries of them it ends the socket.
func (c *conn) failLogin(frame wire.Frame, err error) error {
	if err := c.refuse(frame, err); err != nil {
		return err
	}
	if c.failed++; c.failed == maxTries {
		return errNoTries
	}
	return nil
}

// kick ends the socket of a login that a newer login superseded before it had entered.
// The client sees the same as if the newer login had come a moment later.
func (c *conn) kick(reason string) error {
	kick := wire.AppendKick(nil, skein.MillisOf(c.server.opts.Now()), reason)
	if err := c.WriteFrames([][]byte{kick}, c.waits); err != nil {
		return err
	}
	return &frame.End{Code: wire.CloseKicked, Reason: reason}
}
