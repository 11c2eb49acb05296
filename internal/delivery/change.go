package delivery

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/wire"
)

// changeOf is what became of a message, for those who may see it: who deleted it
// for itself gets it blank, and a deletion is for who did it alone. All devices of
// who did it have it too, the one that asked among them: the change has a number
// that each device counts by.
func changeOf(m *skein.Sent) bus.Event {
	c := *m.Change
	c.Message = m.Message
	e := bus.Event{App: m.App, Conv: m.Conv, Change: c.Seq, About: m.Seq, Kind: changeEvent, Frame: wire.AppendUpdate(nil, m.Conv, &c)}
	switch {
	case c.Kind == skein.ChangeHide:
		e.Audience = []string{c.By}
	case len(m.Hidden) > 0:
		c.Message.Blank(skein.StatusDeleted)
		e.Blind, e.Blank = m.Hidden, wire.AppendUpdate(nil, m.Conv, &c)
	}
	return e
}

// blindOf is those of the audience who are to have the blank frame; nil: nobody.
func blindOf(e bus.Event) map[string]bool {
	if len(e.Blind) == 0 {
		return nil
	}
	blind := make(map[string]bool, len(e.Blind))
	for _, client := range e.Blind {
		blind[client] = true
	}
	return blind
}
