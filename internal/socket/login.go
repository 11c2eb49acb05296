package socket

import (
	"errors"
	"github.com/skein-im/skein/internal/socket/frame"
	"math"
	"time"

	"github.com/google/uuid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/ops"
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
	// errNewerLogin answers a resume of what a newer login has replaced. It is no
	// goodbye: whoever sits at the device may log in anew.
	errNewerLogin = &skein.Fault{Err: skein.ErrConflict, Field: "generation", Detail: "a newer login holds this device"}
)

// login makes a session of the socket.
func (c *conn) login(frame wire.Frame) error {
	if c.session != nil {
		return c.refuse(frame, errLoggedIn)
	}
	session, err := c.enter(frame)
	if superseded, ok := errors.AsType[*hub.Superseded](err); ok {
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

// enter checks the login and attaches the session; its events are held until the
// answer. The id is taken and the time noted before anything is checked: of two
// logins the later asked wins, and a kick during the checks is not missed.
func (c *conn) enter(frame wire.Frame) (*hub.Session, error) {
	s := c.server
	started := skein.MillisOf(s.opts.Now())
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
	session, err := c.attach(actor, in, started)
	if err != nil {
		s.unsettle(c, actor.App)
	}
	if _, superseded := errors.AsType[*hub.Superseded](err); superseded && bool(in.Resume) {
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

// attach adds the session to the hub. The login deadline goes first: once attached
// the hub may close the socket, and sets its own.
func (c *conn) attach(actor skein.Actor, in request.Login, started skein.Millis) (*hub.Session, error) {
	_ = c.nc.SetReadDeadline(time.Time{}) // fails on a dead socket only: reading says so
	settings := actor.App.Settings.WithDefaults()
	deviceType, _ := skein.ParseDeviceType(in.DeviceType) // known since it was decoded
	session, err := c.server.opts.Hub.Attach(hub.Login{
		App:        actor.App.ID,
		Client:     actor.Client,
		Device:     actor.Device,
		DeviceType: deviceType,
		ID:         actor.Session,
		Generation: generation(in, actor.Session),
		Started:    started,
		Expires:    actor.Expires,
		Deaf:       ops.Deaf(actor.Actions),
		MaxDevices: settings.MaxDevices,
		OnePerType: settings.OnePerDeviceType,
		Conn:       c,
		Waits:      c.waits,
	})
	if err != nil {
		left := c.loginBy.Time().Sub(c.server.opts.Now())
		_ = c.nc.SetReadDeadline(time.Now().Add(left)) // as above
		return nil, translate(err)
	}
	c.app, c.actions = actor.App, actor.Actions
	c.pace, c.rate = pace{}, int32(min(settings.CommandRate, math.MaxInt32))
	return session, nil
}

// oldest is the generation of a resume that names none.
const oldest = "00000000000000000000000000000000"

// generation is how new a login is. Its own id is made now, so it says how new one
// can be: what claims to come from the future would never give way.
func generation(in request.Login, id string) string {
	switch {
	case !bool(in.Resume):
		return id
	case in.Generation == "":
		return oldest
	default:
		return min(in.Generation, id)
	}
}

// translate says a refusal of the hub in words of the code table; a superseded
// login stays what it is.
func translate(err error) error {
	switch {
	case errors.Is(err, hub.ErrClosed):
		return skein.ErrUnavailable
	case errors.Is(err, hub.ErrCut):
		return skein.ErrUnauthenticated
	default:
		return err
	}
}

// welcome answers the login; the events that came since it was attached follow.
func (c *conn) welcome(frame wire.Frame) error {
	answer := wire.LoginAnswer{
		Time:       int64(skein.MillisOf(c.server.opts.Now())),
		SessionID:  c.session.ID(),
		Generation: c.session.Generation(),
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

// giveWay ends the socket of a login that a newer one of the same device overtook,
// as if it had been attached and then replaced.
func (c *conn) giveWay(reason string) error {
	kick := wire.AppendKick(nil, skein.MillisOf(c.server.opts.Now()), reason)
	if err := c.WriteFrames([][]byte{kick}, c.waits); err != nil {
		return err
	}
	return &frame.End{Code: wire.CloseKicked, Reason: reason}
}
