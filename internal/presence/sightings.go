package presence

import (
	"context"
	"time"

	"github.com/skein-im/skein"
)

// sightings are when clients were last online, until the store has it. It is not safe
// for concurrent use.
type sightings struct {
	leaving map[address]skein.Millis // clients whose last session left a moment ago
	unsaved map[address]skein.Millis // at most maxUnsaved
}

const (
	maxUnsaved = 100_000 // while the store is away; more are dropped and counted
	maxSaved   = 5_000   // in one transaction
)

func (s *sightings) leave(who address, at skein.Millis) {
	if s.leaving == nil {
		s.leaving = make(map[address]skein.Millis)
	}
	s.leaving[who] = max(s.leaving[who], at)
}

// settle makes sightings of the clients that left and did not come back within grace,
// where their app keeps them.
func (p *Presence) settle(settings map[string]skein.Settings, online states, grace time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.sightings
	now := skein.MillisOf(p.opts.Now())
	for who, at := range s.leaving {
		of, known := settings[who.app]
		devices, asked := online[who]
		if !known || !asked || now < at.Add(grace) {
			continue
		}
		if devices == 0 && grace > 0 && p.inDoubt() {
			continue // it may have another session
		}
		delete(s.leaving, who)
		if of.LastSeen && devices == 0 {
			p.keep(who, at)
		}
	}
	if len(s.leaving) == 0 {
		s.leaving = nil // a map does not shrink
	}
}

// keep adds a sighting to those that the store is to have. mu is held.
func (p *Presence) keep(who address, at skein.Millis) {
	s := &p.sightings
	if s.unsaved == nil {
		s.unsaved = make(map[address]skein.Millis)
	}
	if _, there := s.unsaved[who]; !there && len(s.unsaved) >= maxUnsaved {
		p.metrics.lost.Inc()
		return
	}
	s.unsaved[who] = at
}

// save writes sightings, and keeps for the next turn what the store does not take.
func (p *Presence) save(ctx context.Context) (left int) {
	batch := p.batch()
	if len(batch) == 0 || p.opts.Store.MarkSeen(ctx, batch) != nil {
		return len(batch)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.sightings
	for _, at := range batch {
		if who := (address{at.App, at.Client}); s.unsaved[who] == at.At {
			delete(s.unsaved, who)
		}
	}
	if len(s.unsaved) == 0 {
		s.unsaved = nil
	}
	return len(s.unsaved)
}

// batch is some of the sightings that the store has not.
func (p *Presence) batch() []skein.Sighting {
	p.mu.Lock()
	defer p.mu.Unlock()
	batch := make([]skein.Sighting, 0, min(len(p.sightings.unsaved), maxSaved))
	for who, at := range p.sightings.unsaved {
		if len(batch) == maxSaved {
			break
		}
		batch = append(batch, skein.Sighting{App: who.app, Client: who.client, At: at})
	}
	return batch
}

// keepAll writes all sightings at once, since nobody comes back to a node that stops.
func (p *Presence) keepAll(ctx context.Context) {
	clients := p.concerned(0)
	p.settle(p.settingsOf(ctx, clients), p.look(ctx, clients), 0)
	for before := -1; ; {
		left := p.save(ctx)
		if left == 0 || left == before {
			return // the store has all, or takes no more
		}
		before = left
	}
}

// lastSeen adds to who is not online when it was, where the app keeps that.
func (p *Presence) lastSeen(ctx context.Context, by skein.Actor, list []skein.Presence) error {
	away := make(map[string]skein.Millis)
	for _, p := range list {
		if p.Devices == 0 {
			away[p.Client] = 0
		}
	}
	if !by.App.Settings.LastSeen || len(away) == 0 {
		return nil
	}
	p.remembered(by.App.ID, away) // before the look at the store: what leaves memory meanwhile is there
	if err := p.stored(ctx, by.App.ID, away); err != nil {
		return err
	}
	for i := range list {
		list[i].Seen = away[list[i].Client]
	}
	return nil
}

// remembered looks up what the store does not have yet.
func (p *Presence) remembered(app string, seen map[string]skein.Millis) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for client := range seen {
		who := address{app, client}
		seen[client] = max(p.sightings.leaving[who], p.sightings.unsaved[who])
	}
	p.news.lastOf(app, seen)
}

// stored adds what the store has.
func (p *Presence) stored(ctx context.Context, app string, seen map[string]skein.Millis) error {
	ids := make([]string, 0, len(seen))
	for client := range seen {
		ids = append(ids, client)
	}
	page, err := p.opts.Store.Clients(ctx, app, skein.ClientQuery{IDs: ids, Limit: len(ids)})
	for _, c := range page.Clients {
		seen[c.ID] = max(seen[c.ID], c.Seen)
	}
	return err
}

// noteSeen lets later events say what the answer said.
func (p *Presence) noteSeen(app string, list []skein.Presence) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range list {
		if t := p.watches.targets[address{app, l.Client}]; t != nil {
			t.seen = max(t.seen, l.Seen)
		}
	}
}
