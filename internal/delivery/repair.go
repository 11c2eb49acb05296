package delivery

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
)

// maxRepair bounds how many messages or changes are read to fill a gap. If the gap is
// longer, only the newest is delivered: its number shows the clients what they lack.
const maxRepair = 200

// fill delivers what is missing between what was delivered last and an event: what comes
// before it in its log, and of a change also the messages up to the one it is about. A gap
// that is longer than maxRepair, or whose start is unknown, is left to the clients: the
// event's number shows it to them.
func (l *lane) fill(ctx context.Context, e *bus.Event, last position) error {
	upto := position{seq: e.Seq - 1, change: e.Change - 1}
	if e.Change != 0 {
		upto.seq = e.About
	}
	after := last
	if last.seq == 0 || upto.seq-last.seq > maxRepair {
		after.seq = upto.seq
	}
	if last.change == 0 || upto.change-last.change > maxRepair {
		after.change = upto.change
	}
	return l.repair(ctx, convKey{e.App, e.Conv}, after, upto)
}

// unfilled says that a gap could not be read. What follows it is delivered all the same,
// so that the clients see the gap.
func (l *lane) unfilled(e *bus.Event, err error) {
	if !errors.Is(err, context.Canceled) {
		l.d.opts.Log.Warn("a gap in live events could not be read; clients will fetch it",
			slog.String("app", e.App), slog.String("conv", e.Conv.String()), slog.Any("error", err))
	}
}

// answerDoorbell delivers what is stored up to a position and was not delivered: all of it,
// or of a long gap the newest alone.
func (l *lane) answerDoorbell(ctx context.Context, t task) error {
	at := convKey{t.app, t.conv}
	last, _ := l.positions.Get(at)
	after := position{
		seq:    begin(last.seq, t.first.seq, t.upto.seq),
		change: begin(last.change, t.first.change, t.upto.change),
	}
	return l.repair(ctx, at, after, t.upto)
}

// begin is the number after which a log is delivered up to a doorbell's: what was delivered
// last (zero: nothing is known), or else what comes before the first that was lost.
func begin(last, first, upto int64) int64 {
	if last == 0 && first > 0 {
		last = first - 1
	}
	if upto-last > maxRepair {
		return upto - 1
	}
	return last
}

// repair delivers the messages and changes after one position up to another from the
// store, to those who are here and may see them, and moves the lane's position past what it
// has read.
func (l *lane) repair(ctx context.Context, at convKey, after, upto position) error {
	if after.seq >= upto.seq && after.change >= upto.change {
		return nil
	}
	conv, _, err := l.d.opts.Logs.Conversation(ctx, at.app, at.conv, "")
	if errors.Is(err, skein.ErrUnknownConversation) {
		return nil // deleted meanwhile: nobody sees it any more
	}
	if err != nil {
		return err
	}
	// Who left must not be told what was stored later: a list that memory has may be older.
	members, _, err := l.members(ctx, &bus.Event{App: at.app, Conv: at.conv, RosterRev: conv.RosterRev})
	if err != nil || !slices.ContainsFunc(members, func(m skein.Listener) bool { return l.d.opts.Hub.MayHave(m.Mark) }) {
		return err
	}
	after = l.unlessFollowed(at, conv, after, upto)
	if after.seq < upto.seq {
		err = l.repairMessages(ctx, conv, members, after.seq, upto.seq)
	}
	if err == nil && after.change < upto.change {
		err = l.repairChanges(ctx, conv, members, after.change, upto.change)
	}
	return err
}

// unlessFollowed skips a log of which this lane has delivered nothing, and which goes on
// behind upto: that is no lost tail. What follows shows the clients what they lack.
func (l *lane) unlessFollowed(at convKey, conv skein.Conversation, after, upto position) position {
	last, _ := l.positions.Get(at)
	if last.seq == 0 && conv.LastSeq > upto.seq {
		after.seq = upto.seq
	}
	if last.change == 0 && conv.Changes > upto.change {
		after.change = upto.change
	}
	return after
}

// repairMessages delivers the messages after a seq up to another.
func (l *lane) repairMessages(ctx context.Context, conv skein.Conversation, members []skein.Listener, after, upto int64) error {
	missed, err := l.d.opts.Logs.Messages(ctx, conv.App, conv.ID, skein.SeqRange{After: after, Before: upto + 1, Limit: maxRepair})
	if err != nil {
		return err
	}
	for _, m := range missed {
		l.repaired(ctx, &skein.Committed{Message: m, App: conv.App, ConvType: conv.Type}, members, position{seq: m.Seq})
	}
	return nil
}

// repairChanges delivers the changes after a change_seq up to another.
func (l *lane) repairChanges(ctx context.Context, conv skein.Conversation, members []skein.Listener, after, upto int64) error {
	missed, err := l.d.opts.Logs.Changes(ctx, conv.App, conv.ID, skein.ChangeRange{After: after, Limit: int(min(maxRepair, upto-after))})
	if err != nil {
		return err
	}
	for i := range missed {
		c := &missed[i]
		if c.Kind == skein.ChangeNone {
			continue
		}
		hidden, err := l.hiders(ctx, conv, c.Message.Seq)
		if err != nil {
			return err
		}
		l.repaired(ctx, &skein.Committed{Message: c.Message, App: conv.App, Change: c, Hidden: hidden}, members, position{change: c.Seq})
	}
	return nil
}

// repaired delivers one message or change that was read from the store.
func (l *lane) repaired(ctx context.Context, m *skein.Committed, members []skein.Listener, p position) {
	e := eventOf(m)
	if e.Audience != nil {
		members = e.Audience
	}
	l.deliverTo(ctx, &e, members)
	l.d.metrics.repaired.Inc()
	at := convKey{m.App, m.Conv}
	last, _ := l.positions.Get(at)
	l.positions.Put(at, last.past(p))
}

// hiders are the clients that deleted a message for themselves.
func (l *lane) hiders(ctx context.Context, conv skein.Conversation, seq int64) (clients []string, err error) {
	all, err := l.d.opts.Logs.Hidden(ctx, conv.App, conv.ID, seq-1)
	for _, h := range all {
		if h.Seq == seq {
			clients = append(clients, h.Client)
		}
	}
	return clients, err
}
