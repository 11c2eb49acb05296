package presence

import (
	"context"
	"errors"
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

// turn hears the news, tells who wants to know, and keeps who was seen.
func (p *Presence) turn(ctx context.Context) {
	settings := p.settingsOf(ctx, p.concerned())
	p.tell(settings)
	p.settle(settings, p.opts.Grace)
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
		if m.last != 0 {
			p.sightings.leave(who, m.last)
		}
	}
}

// concerned takes the news and answers the apps that something is to be done for.
func (p *Presence) concerned() map[string]struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hear()
	apps := make(map[string]struct{})
	for _, t := range p.watches.changed {
		apps[t.app] = struct{}{}
	}
	for who := range p.sightings.leaving {
		apps[who.app] = struct{}{}
	}
	return apps
}

// settingsOf are the settings of apps as they are now; one whose settings cannot be
// read is not among them, and waits for the next turn. A deleted app hides all.
func (p *Presence) settingsOf(ctx context.Context, apps map[string]struct{}) map[string]skein.Settings {
	settings := make(map[string]skein.Settings, len(apps))
	for id := range apps {
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
func (p *Presence) tell(settings map[string]skein.Settings) {
	p.mu.Lock()
	defer p.mu.Unlock()
	due := make(map[*subscription][]skein.Presence)
	for _, t := range p.watches.take() {
		of, known := settings[t.app]
		if known {
			p.compare(t, of.LastSeen, due)
		}
		if len(t.watchers) > 0 && (!known || p.inGrace(t)) {
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

// compare adds the client to what is due to those who know something else of it. mu
// is held.
func (p *Presence) compare(t *target, lastSeen bool, due map[*subscription][]skein.Presence) {
	for _, w := range t.watchers {
		i := &w.by.interests[w.at]
		now := p.visible(t, i.told)
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
