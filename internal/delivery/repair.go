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

// repairing is a repair of one conversation, and what it read of it.
type repairing struct {
	conv     skein.Conversation
	members  []skein.Listener
	sessions int64 // it delivers to the sessions up to this number
}

// repair delivers the messages and changes after one position up to another from the
// store, to those who are here and may see them, and moves the lane's position past what it
// has read.
//
// The store may answer late. A session that began meanwhile must not get what was read before:
// its client may have left by then, or deleted the message for itself. It is asked to sync
// instead, as it may have synced before the messages were stored.
func (l *lane) repair(ctx context.Context, at convKey, after, upto position) error {
	if after.seq >= upto.seq && after.change >= upto.change {
		return nil
	}
	r := repairing{sessions: l.d.opts.Hub.Newest()}
	var err error
	r.conv, _, err = l.d.opts.Logs.Conversation(ctx, at.app, at.conv, "")
	if errors.Is(err, skein.ErrUnknownConversation) {
		return nil // deleted meanwhile: nobody sees it any more
	}
	if err != nil {
		return err
	}
	// Who left must not be told what was stored later: a list that memory has may be older.
	r.members, _, err = l.members(ctx, &bus.Event{App: at.app, Conv: at.conv, RosterRev: r.conv.RosterRev})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(r.members, func(m skein.Listener) bool { return l.d.opts.Hub.MayHave(m.Mark) }) {
		// Members that come later read it when they sync.
		l.moveTo(at, position{min(upto.seq, r.conv.LastSeq), min(upto.change, r.conv.Changes)})
		return nil
	}
	after = l.unlessFollowed(at, r.conv, after, upto)
	if after.seq < upto.seq {
		err = l.repairMessages(ctx, r, after.seq, upto.seq)
	}
	if err == nil && after.change < upto.change {
		err = l.repairChanges(ctx, r, after.change, upto.change)
	}
	if l.d.opts.Hub.Newest() > r.sessions {
		l.askToSync(at.app, r.members, nil, r.sessions)
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
func (l *lane) repairMessages(ctx context.Context, r repairing, after, upto int64) error {
	missed, err := l.d.opts.Logs.Messages(ctx, r.conv.App, r.conv.ID, skein.SeqRange{After: after, Before: upto + 1, Limit: maxRepair})
	if err != nil {
		return err
	}
	hidden, err := l.hiders(ctx, r, after)
	if err != nil {
		return err
	}
	for _, m := range missed {
		l.repaired(ctx, r, &skein.Committed{Message: m, App: r.conv.App, ConvType: r.conv.Type, Hidden: hidden[m.Seq]}, position{seq: m.Seq})
	}
	return nil
}

// repairChanges delivers the changes after a change_seq up to another.
func (l *lane) repairChanges(ctx context.Context, r repairing, after, upto int64) error {
	missed, err := l.d.opts.Logs.Changes(ctx, r.conv.App, r.conv.ID, skein.ChangeRange{After: after, Limit: int(min(maxRepair, upto-after))})
	if err != nil {
		return err
	}
	for i := range missed {
		c := &missed[i]
		if c.Kind == skein.ChangeNone {
			continue
		}
		hidden, err := l.hiders(ctx, r, c.Message.Seq-1)
		if err != nil {
			return err
		}
		l.repaired(ctx, r, &skein.Committed{Message: c.Message, App: r.conv.App, Change: c, Hidden: hidden[c.Message.Seq]}, position{change: c.Seq})
	}
	return nil
}

// repaired delivers one message or change that was read from the store.
func (l *lane) repaired(ctx context.Context, r repairing, m *skein.Committed, p position) {
	e := eventOf(m)
	l.sign(ctx, &e)
	l.deliverTo(ctx, &e, among(r.members, e.Audience), r.sessions)
	l.d.metrics.repaired.Inc()
	l.moveTo(convKey{m.App, m.Conv}, p)
}

// among is the members that an event names; nil: it is for all of them. Whoever it names may have left
// since it happened.
func among(members, named []skein.Listener) (still []skein.Listener) {
	if named == nil {
		return members
	}
	for _, m := range members {
		if slices.ContainsFunc(named, func(n skein.Listener) bool { return n.Client == m.Client }) {
			still = append(still, m)
		}
	}
	return still
}

// moveTo notes that a conversation was delivered up to a position.
func (l *lane) moveTo(at convKey, p position) {
	last, _ := l.positions.Get(at)
	l.positions.Put(at, last.past(p))
}

// hiders are the clients that deleted messages after a seq for themselves, by the seq of the
// message.
func (l *lane) hiders(ctx context.Context, r repairing, after int64) (map[int64][]string, error) {
	all, err := l.d.opts.Logs.Hidden(ctx, r.conv.App, r.conv.ID, after)
	if err != nil {
		return nil, err
	}
	clients := make(map[int64][]string)
	for _, h := range all {
		clients[h.Seq] = append(clients[h.Seq], h.Client)
	}
	return clients, nil
}
