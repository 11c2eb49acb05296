package presence

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

// run takes a turn after the other until ctx ends.
func (p *Presence) run(ctx context.Context) {
	ticker := time.NewTicker(p.opts.Turn)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			p.turn(ctx)
		}
	}
}

// turn takes the news, tells the sessions that asked, and keeps when clients were last
// online.
func (p *Presence) turn(ctx context.Context) {
	clients := p.concerned(p.opts.Grace)
	settings, online := p.settingsOf(ctx, clients), p.look(ctx, clients)
	p.tell(settings, online)
	p.settle(settings, online, p.opts.Grace)
	p.save(ctx)
}

// hear takes the news. mu is held.
func (p *Presence) hear() {
	clients, sessions := p.news.take()
	for _, session := range sessions {
		p.drop(session)
	}
	for who, m := range clients {
		if t := p.watches.targets[who]; t != nil {
			t.left, t.seen = max(t.left, m.left), max(t.seen, m.last)
			p.watches.mark(t)
		}
		if m.here != 0 {
			p.sightings.leave(who, m.here)
		}
	}
}

// concerned takes the news and answers the clients, by app, whose state is needed: those
// that changed and are watched, some that are watched, and those that left longer ago than
// grace. A client may be in it twice.
func (p *Presence) concerned(grace time.Duration) map[string][]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hear()
	p.watches.markSome(p.opts.Recheck)
	clients := make(map[string][]string)
	for _, t := range p.watches.changed {
		clients[t.app] = append(clients[t.app], t.client)
	}
	now := skein.MillisOf(p.opts.Now())
	for who, at := range p.sightings.leaving {
		if now >= at.Add(grace) {
			clients[who.app] = append(clients[who.app], who.client)
		}
	}
	return clients
}

// states is what clients are online with; zero: they are not.
type states map[address]skein.DeviceSet

// lookedAtOnce is how many clients the store is asked for at once.
const lookedAtOnce = 1000

// look reads the states of clients. Those that cannot be read are not in it, and wait for
// the next turn.
func (p *Presence) look(ctx context.Context, clients map[string][]string) states {
	online := make(states)
	for app, all := range clients {
		for some := range slices.Chunk(all, lookedAtOnce) {
			found, err := p.opts.Online(ctx, app, some)
			if err != nil {
				break
			}
			for _, client := range some {
				online[address{app, client}] = found[client]
			}
		}
	}
	return online
}

// settingsOf are the settings of the clients' apps as they are now; an app whose settings
// cannot be read is not in it, and waits for the next turn. A deleted app hides all.
func (p *Presence) settingsOf(ctx context.Context, clients map[string][]string) map[string]skein.Settings {
	settings := make(map[string]skein.Settings, len(clients))
	for id := range clients {
		app, err := p.opts.Apps.App(ctx, id)
		switch {
		case err == nil:
			settings[id] = app.Settings
		case errors.Is(err, skein.ErrUnknownApp):
			settings[id] = skein.Settings{HidePresence: true}
		}
	}
	return settings
}

// tell sends each session one frame with what differs from what it knows. The lock is
// held while the frames are queued, so that none comes behind the answer to a later
// Subscribe with something older.
func (p *Presence) tell(settings map[string]skein.Settings, online states) {
	p.mu.Lock()
	defer p.mu.Unlock()
	due := make(map[*subscription][]skein.Presence)
	for _, t := range p.watches.take() {
		of, known := settings[t.app]
		devices, asked := online[t.address]
		known = known && asked
		if known {
			p.noteLoss(t, devices)
			p.compare(t, devices, of.LastSeen, due)
		}
		if len(t.watchers) > 0 && (!known || t.left != 0) {
			p.watches.mark(t)
		}
	}
	for s, list := range due {
		if settings[s.app].HidePresence {
			p.drop(s.session)
			continue
		}
		if p.opts.Sessions.DeliverTo(s.app, s.client, s.session, wire.AppendPresence(nil, list)) {
			p.metrics.frames.Inc()
		}
	}
}

// noteLoss lets the grace of a client begin if it lost a device and no event said so: the
// event was lost, or is still on its way. When the grace is over the loss is told, and left
// is zero again. mu is held.
func (p *Presence) noteLoss(t *target, online skein.DeviceSet) {
	switch lost := t.lost(online); {
	case !lost || t.left != 0 && !p.inGrace(t):
		t.left = 0
	case t.left == 0:
		t.left = skein.MillisOf(p.opts.Now())
		if online == 0 {
			t.seen = t.left
		}
	}
}

// compare adds the client, which is online so, to what is due to the sessions that were
// told something else. mu is held.
func (p *Presence) compare(t *target, online skein.DeviceSet, lastSeen bool, due map[*subscription][]skein.Presence) {
	for _, w := range t.watchers {
		i := &w.by.interests[w.at]
		now := p.visible(t, i.told, online)
		if now == i.told && !i.stale {
			continue
		}
		i.told, i.stale = now, false
		told := skein.Presence{Client: t.client, Devices: now}
		if lastSeen {
			told.Seen = t.seenIf(now)
		}
		due[w.by] = append(due[w.by], told)
	}
}
