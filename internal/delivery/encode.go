package delivery

import (
	"bytes"
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/wire"
)

var messageEvent, changeEvent = skein.EventSetOf(skein.EventMessage), skein.EventSetOf(skein.EventMessageUpdated)

// eventOf encodes a message, or a change of one. A client that deleted the message for itself
// gets it blank.
func eventOf(m *skein.Committed) bus.Event {
	if m.Change != nil {
		return changeOf(m)
	}
	e := bus.Event{
		App: m.App, Conv: m.Conv, Seq: m.Seq, Stamp: m.Stamp, RosterRev: m.RosterRev,
		Frame:  wire.NewMessageFrame(m),
		Kind:   messageEvent,
		Sender: m.Sender, ToSender: m.NoSync, Device: m.Device, Trace: m.Trace,
	}
	if len(m.Hidden) > 0 {
		blank := *m
		blank.Blank(skein.StatusDeleted)
		e.Blind, e.Blank = m.Hidden, wire.NewMessageFrame(&blank)
	}
	return e
}

// changeOf encodes a change for those who may see it: a deletion for oneself goes to that
// client alone. All devices of the client that made the change get it, the one that asked too:
// devices count changes by their numbers.
func changeOf(m *skein.Committed) bus.Event {
	c := *m.Change
	c.Message = m.Message
	if c.Kind == skein.ChangeHide {
		c.Message.Blank(skein.StatusDeleted)
	}
	e := bus.Event{
		App: m.App, Conv: m.Conv, Change: c.Seq, About: m.Seq, Stamp: m.Stamp, RosterRev: m.RosterRev,
		Kind: changeEvent, Frame: wire.AppendUpdate(nil, m.Conv, &c),
	}
	switch {
	case c.Kind == skein.ChangeHide:
		e.Audience = listeners([]string{c.By})
	case len(m.Hidden) > 0:
		c.Message.Blank(skein.StatusDeleted)
		e.Blind, e.Blank = m.Hidden, wire.AppendUpdate(nil, m.Conv, &c)
	}
	return e
}

// sign signs the links to uploads in an event that this node has encoded; see Options.SignLinks.
// Other nodes deliver what the bus brings as it is.
func (l *lane) sign(ctx context.Context, e *bus.Event) {
	if sign := l.d.opts.SignLinks; sign != nil && bytes.Contains(e.Frame, uploadsPath) {
		e.Frame = sign(ctx, e.App, e.Frame)
	}
}

var uploadsPath = []byte(skein.UploadsPath)

// blindOf is those of the audience who get the blank frame; nil: nobody.
func blindOf(e *bus.Event) map[string]bool {
	if len(e.Blind) == 0 {
		return nil
	}
	blind := make(map[string]bool, len(e.Blind))
	for _, client := range e.Blind {
		blind[client] = true
	}
	return blind
}
