package delivery

import (
	"context"
	"log/slog"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
)

// maxRepair bounds how many messages or changes are read to fill a gap; a longer one is
// left to the clients, who see it and ask for it.
const maxRepair = 200

// changeInOrder delivers a change on the terms of deliverInOrder.
func (l *lane) changeInOrder(ctx context.Context, e bus.Event) {
	at := place{e.App, e.Conv}
	last, known := l.changed.Get(at)
	if known && e.Change <= last {
		return
	}
	if known && e.Change > last+1 && e.Change-last <= maxRepair {
		l.repairChanges(ctx, e, last, e.Change)
	}
	l.changed.Put(at, e.Change)
	l.deliver(ctx, e)
}

// repair delivers the messages between last and e from the store.
func (l *lane) repair(ctx context.Context, e bus.Event, last int64) {
	conv, _, err := l.d.opts.Store.Conversation(ctx, e.App, e.Conv, "")
	if err != nil {
		return // deleted meanwhile: nobody is to see it any more
	}
	l.repairMessages(ctx, e, conv.Type, last, e.Seq)
}

// repairEnd delivers what was lost at the end of a conversation's logs, where nothing
// that follows shows the gap. Of a long gap it delivers the newest alone, which shows
// it to the clients.
func (l *lane) repairEnd(ctx context.Context, e bus.Event) {
	conv, _, err := l.d.opts.Store.Conversation(ctx, e.App, e.Conv, "")
	if err != nil {
		l.cannotRepair(e, err)
		return
	}
	at := place{e.App, e.Conv}
	if last, known := l.seen.Get(at); e.Seq != 0 && (!known || last < conv.LastSeq) {
		l.repairMessages(ctx, e, conv.Type, from(last, known, e.Seq, conv.LastSeq), conv.LastSeq+1)
		l.seen.Put(at, conv.LastSeq)
	}
	if last, known := l.changed.Get(at); e.Change != 0 && (!known || last < conv.Changes) {
		l.repairChanges(ctx, e, from(last, known, e.Change, conv.Changes), conv.Changes+1)
		l.changed.Put(at, conv.Changes)
	}
}

// from is the number after which a log is delivered up to its end.
func from(last int64, known bool, lost, end int64) int64 {
	if !known {
		last = lost - 1
	}
	if end-last > maxRepair {
		return end - 1
	}
	return last
}

// repairMessages delivers the messages after a seq and before another.
func (l *lane) repairMessages(ctx context.Context, e bus.Event, typ skein.ConvType, after, before int64) {
	missed, err := l.d.opts.Store.Messages(ctx, e.App, e.Conv, skein.SeqRange{After: after, Before: before, Limit: maxRepair})
	if err != nil {
		l.cannotRepair(e, err)
		return
	}
	for _, m := range missed {
		l.d.metrics.repaired.Inc()
		l.deliver(ctx, eventOf(&skein.Sent{Message: m, App: e.App, ConvType: typ}))
	}
}

// repairChanges delivers the changes after a change_seq and before another.
func (l *lane) repairChanges(ctx context.Context, e bus.Event, after, before int64) {
	missed, err := l.d.opts.Store.Changes(ctx, e.App, e.Conv, skein.ChangeRange{After: after, Limit: int(min(maxRepair, before-after-1))})
	if err != nil {
		l.cannotRepair(e, err)
		return
	}
	for i := range missed {
		c := &missed[i]
		if c.Kind == skein.ChangeNone {
			continue
		}
		hidden, err := l.hiders(ctx, e, c.Message.Seq)
		if err != nil {
			l.cannotRepair(e, err)
			return
		}
		l.d.metrics.repaired.Inc()
		l.deliver(ctx, eventOf(&skein.Sent{Message: c.Message, App: e.App, Change: c, Hidden: hidden}))
	}
}

// hiders are those who deleted a message for themselves.
func (l *lane) hiders(ctx context.Context, e bus.Event, seq int64) (clients []string, err error) {
	all, err := l.d.opts.Store.Hidden(ctx, e.App, e.Conv, seq-1)
	for _, h := range all {
		if h.Seq == seq {
			clients = append(clients, h.Client)
		}
	}
	return clients, err
}

func (l *lane) cannotRepair(e bus.Event, err error) {
	l.d.opts.Log.Warn("a gap in live events could not be read; clients will fetch it",
		slog.String("app", e.App), slog.String("conv", e.Conv.String()), slog.Any("error", err))
}
