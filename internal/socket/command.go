package socket

import (
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/gobwas/ws"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/socket/frame"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/strict"
)

// maxEarly is how many tokens the frames of a socket may cost before its login. A login
// costs one or two.
const maxEarly = 100

// Text runs and answers one command, or keeps it for runBatch. Answers come in the
// order of the commands.
func (c *conn) Text(message []byte) error {
	c.ranCommand = true
	c.server.metrics.framesIn.Inc()
	over, err := c.admit(costOf(len(message)))
	if err != nil {
		return err
	}
	frame, err := wire.ParseFrame(message)
	if err != nil && over && c.session != nil {
		if _, runaway := c.admit(malformedCost); runaway != nil {
			return runaway
		}
	}
	if over {
		err = skein.ErrRateLimited
	}
	sends := c.session != nil && c.server.opts.Ops.Batches(frame.Type)
	if sends && err == nil {
		if err = c.order.admit(frame, c.server.opts.Now()); err == nil {
			return c.gather(frame)
		}
	}
	if err := c.runBatch(); err != nil {
		return err
	}
	if err == nil {
		return c.dispatch(frame)
	}
	if sends {
		c.order.answered(frame, err, c.server.opts.Now())
	}
	return c.refuse(frame, err)
}

func (c *conn) MaxMessage() int64 { return c.server.opts.MaxMessage }

// admit takes cost tokens from the socket's rate limit and reports whether the frame is
// over it. Before the login the tokens are also bounded in total. An error ends the
// socket.
func (c *conn) admit(cost int32) (over bool, err error) {
	if c.session == nil {
		if c.early += cost; c.early > maxEarly {
			return true, errTooEarly
		}
	}
	verdict := c.pace.admit(c.server.opts.Now(), c.rate, cost)
	if verdict == runaway {
		return true, errTooFast
	}
	return verdict == tooFast, nil
}

// dispatch runs one command that is not batched.
func (c *conn) dispatch(frame wire.Frame) error {
	switch frame.Type {
	case "login":
		return c.login(frame)
	case "ping":
		return c.pong(frame)
	}
	if c.session == nil {
		return c.refuse(frame, skein.ErrUnauthenticated)
	}
	if frame.Type == "logout" {
		return c.logout(frame)
	}
	return c.call(frame)
}

// Pinged answers a ping frame, unless the socket is over its rate limit.
func (c *conn) Pinged(payload []byte) error {
	if over, err := c.admit(costOf(len(payload))); over {
		return err
	}
	return c.writeControl(ws.OpPong, payload, c.waits)
}

// Idle charges for a frame without content.
func (c *conn) Idle() error {
	_, err := c.admit(costOf(0))
	return err
}

// call runs and answers a command of the op table. The hub holds events meanwhile, so
// that the answer comes before the events that the command causes.
func (c *conn) call(frame wire.Frame) error {
	if !c.session.Begin() {
		return errOver
	}
	answer, err := c.run(frame)
	return c.reply(frame, answer, err)
}

// run calls the op. If it panics, only this command fails.
func (c *conn) run(frame wire.Frame) (answer []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	ctx, end := c.begin()
	defer end()
	if c.server.opts.Tracer == nil {
		return c.server.opts.Ops.Call(ctx, c.actor(), frame.Type, frame.Data)
	}
	ctx, span := c.server.opts.Tracer.Call(ctx, frame.Type, "")
	answer, err = c.server.opts.Ops.Call(ctx, c.actor(), frame.Type, frame.Data)
	if err != nil {
		span.End(wire.CodeOf(err).Code)
		return nil, err
	}
	span.End(0)
	return answer, nil
}

// pong answers the command ping.
func (c *conn) pong(frame wire.Frame) error {
	out := strict.GetBuffer()
	defer strict.PutBuffer(out)
	*out = wire.AppendPong(*out, frame.ID, skein.MillisOf(c.server.opts.Now()))
	return c.answer(*out)
}

// logout answers the command and closes the socket, which ends the session.
func (c *conn) logout(command wire.Frame) error {
	if !c.session.Begin() {
		return errOver
	}
	out := strict.GetBuffer()
	defer strict.PutBuffer(out)
	*out = wire.AppendSuccess(*out, command.Type, command.ID, nil)
	c.session.Finish(*out, frame.Normal, "logout")
	return nil
}

// accept answers a command with success.
func (c *conn) accept(frame wire.Frame, data []byte) error { return c.reply(frame, data, nil) }

// refuse answers a command, or a message that is no command, with an error.
func (c *conn) refuse(frame wire.Frame, err error) error { return c.reply(frame, nil, err) }

// reply answers a command with err, or with success if err is nil.
func (c *conn) reply(frame wire.Frame, data []byte, err error) error {
	out := strict.GetBuffer()
	defer strict.PutBuffer(out)
	*out = c.appendAnswer(*out, frame, data, err)
	return c.answer(*out)
}

func (c *conn) appendAnswer(dst []byte, frame wire.Frame, data []byte, err error) []byte {
	if err == nil {
		return wire.AppendSuccess(dst, frame.Type, frame.ID, data)
	}
	c.logInternal(frame, err)
	return wire.AppendFailure(dst, frame.Type, frame.ID, err, c.lang)
}

// answer sends the answer to the current command. After the login the hub then sends
// the events it held. answer does not keep the frame.
func (c *conn) answer(frame []byte) error {
	if c.session == nil {
		return c.WriteFrames([][]byte{frame}, c.waits)
	}
	c.session.Answer(frame)
	return nil
}

// logInternal logs an internal error, whose text the client does not receive.
func (c *conn) logInternal(frame wire.Frame, err error) {
	if wire.CodeOf(err).Code != 1 {
		return
	}
	by := c.actor()
	c.server.opts.Log.LogAttrs(c.server.ctx, slog.LevelError, "command failed",
		slog.String("type", frame.Type), slog.String("app", c.appID()), slog.String("client", by.Client),
		slog.String("session", by.Session), slog.Any("error", err))
}

// appID is the app that the socket is logged in to; empty before the login.
func (c *conn) appID() string {
	if c.app == nil {
		return ""
	}
	return c.app.ID
}
