package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/skein-im/skein/internal/bus/lossy"
)

// healWait bounds despair, since the machine may do much else. A lost tail is promised within 2 s.
const healWait = time.Minute

// lastWords holds the nodes to what they promise where the bus loses everything and nothing
// follows.
func (n *nodes) lastWords(r *round) error {
	if err := n.lastMessages(r); err != nil {
		return err
	}
	if err := n.lastNotices(r); err != nil {
		return err
	}
	return n.lastSightings(r)
}

// lastTries is how often the lost tail is tried. On a machine that stands still for a second a
// device may be asked to sync at any time, for what was lost earlier.
const lastTries = 10

// lastMessages is the promise of the lost tail: something happens in every conversation, no
// node hears of it from another, nothing follows, and soon every device that is online
// holds all of it, without a sync of its own. If a device synced meanwhile, that shows nothing,
// and something else happens.
func (n *nodes) lastMessages(r *round) error {
	n.network.Set(lossy.Faults{Lose: 1})
	defer n.network.Set(rough)
	for try := range lastTries {
		synced, err := n.lastMessagesOnce(r, try)
		if err != nil || !synced {
			return errors.Join(err, r.learnSeqs())
		}
		if err := r.learnSeqs(); err != nil {
			return err
		}
	}
	return fmt.Errorf("a device synced in each of %d tries, so that it holds everything shows nothing", lastTries)
}

// learnSeqs lets the devices sync: who said something learns its seq.
func (r *round) learnSeqs() error {
	for _, d := range r.devices {
		d.want()
	}
	return r.rest()
}

// lastMessagesOnce lets something happen in every conversation and waits until all devices hold
// it. It reports whether a device synced meanwhile.
func (n *nodes) lastMessagesOnce(r *round, try int) (synced bool, err error) {
	syncs := r.quiet()
	all := map[string]words{} // by conversation
	for _, d := range r.devices {
		for conv, m := range d.newest() {
			if all[conv].by != nil {
				continue
			}
			all[conv] = words{by: d, about: m.Seq}
			on, text := 1, fmt.Sprintf("the last words in %s, try %d", conv, try)
			if _, err := d.do(context.Background(), "msg.send", args{ConvID: conv, Type: -1, Text: text, ClientMsgID: text}, 0); err != nil {
				return false, err
			}
			if _, err := d.do(context.Background(), "msg.react", args{ConvID: conv, MsgID: m.ID, Emoji: fmt.Sprint("last", try), On: &on}, 0); err != nil {
				return false, err
			}
		}
	}
	err = r.heals("messages", func() error { return n.healed(r, all) })
	return !slices.Equal(syncs, r.syncs()), err
}

// heals waits until nothing is amiss, and notes how long that took.
func (r *round) heals(what string, amiss func() error) (err error) {
	lost := time.Now()
	for ; time.Since(lost) < healWait; pause(context.Background(), 20*time.Millisecond) {
		if err = amiss(); err == nil {
			r.history.add(event{Kind: kindFault, Text: fmt.Sprintf("%s healed %v after the last loss", what, time.Since(lost).Round(time.Millisecond))})
			return nil
		}
	}
	return fmt.Errorf("%s not healed %v after the last loss: %w", what, healWait, err)
}

// syncs is how often each device has synced.
func (r *round) syncs() []int {
	all := make([]int, len(r.devices))
	for i, d := range r.devices {
		all[i], _ = d.resting()
	}
	return all
}

// quiet waits until no device syncs any more, and answers syncs.
func (r *round) quiet() []int {
	for before := r.syncs(); ; {
		pause(context.Background(), resyncOver+200*time.Millisecond)
		now := r.syncs()
		if slices.Equal(now, before) {
			return now
		}
		before = now
	}
}

// words are the last in one conversation: a message, and a reaction to an older one.
type words struct {
	by    *device
	about int64 // seq of what was reacted to
}

// healed is what a device still lacks of the last words. Who said them has their seq from
// the answer, and no copy; who may not see a message is not told of a reaction to it.
func (n *nodes) healed(r *round, all map[string]words) error {
	for _, conv := range slices.Sorted(maps.Keys(all)) {
		seq, change := n.shared.last(conv)
		for _, d := range r.devices {
			d.mu.Lock()
			t := d.talks[conv]
			lacks := t != nil && (t.change < change && all[conv].about > t.floor || t.last < seq && d.client != all[conv].by.client)
			d.mu.Unlock()
			if lacks {
				return fmt.Errorf("%s/%s does not hold seq %d and change %d of %s", d.client, d.id, seq, change, conv)
			}
		}
	}
	return nil
}

// lastNotices is the same promise of members and conversations: those whom it concerns learn
// that they were added or removed, and that a conversation is there or gone.
func (n *nodes) lastNotices(r *round) error {
	n.network.Set(lossy.Faults{Lose: 1})
	defer n.network.Set(rough)
	r.quiet()
	is := map[string]map[string]bool{} // by conversation and client: whether it is a member
	for _, door := range r.doors {
		for _, p := range door.places {
			guest := p.guests[0]
			p.in[guest] = !p.in[guest]
			if err := door.carry(context.Background(), p, guest); err != nil {
				return err
			}
			is[p.id] = map[string]bool{guest: p.in[guest]}
		}
	}
	door, all := r.doors[0], map[string]bool{}
	fresh := &place{kind: group}
	if err := r.found(door.app, fresh, slices.Sorted(maps.Keys(door.devices))); err != nil {
		return err
	}
	for client := range door.devices {
		all[client] = true
	}
	is[fresh.id] = all
	if err := r.heals("members", func() error { return r.holdWhere(is) }); err != nil {
		return err
	}
	r.quiet()
	if err := door.remove(context.Background(), fresh.id); err != nil {
		return err
	}
	for client := range all {
		all[client] = false
	}
	return r.heals("a deletion", func() error { return r.holdWhere(is) })
}

// holdWhere is a device that holds a conversation of which its client is no member, or does
// not hold one of which it is.
func (r *round) holdWhere(is map[string]map[string]bool) error {
	for conv, members := range is {
		for _, d := range r.devices {
			want, known := members[d.client]
			d.mu.Lock()
			holds := d.talks[conv] != nil
			d.mu.Unlock()
			if known && holds != want {
				return fmt.Errorf("%s/%s holds %s: %v, want %v", d.client, d.id, conv, holds, want)
			}
		}
	}
	return nil
}

// lastSightings is the promise of presence: a session on one node learns who came and left on
// another, and nobody is told offline when the store loses the sessions of all.
func (n *nodes) lastSightings(r *round) error {
	n.network.Set(lossy.Faults{Lose: 1})
	defer n.network.Set(rough)
	a, client := r.apps[0], "visitor"
	if err := a.must(nil, "POST", "/im/users", map[string]string{"client_id": client}); err != nil {
		return err
	}
	watching, err := a.visit(r.devices[0].client, n.all[0].addr())
	if err != nil {
		return err
	}
	defer watching.Drop()
	watched := append(slices.Collect(maps.Keys(r.doors[0].devices)), client)
	if _, err := watching.ask("presence.subscribe", map[string]any{"client_ids": watched}); err != nil {
		return err
	}
	visitor, err := a.visit(client, n.all[1].addr())
	if err != nil {
		return err
	}
	online := map[string]bool{}
	if err := r.heals("a login", func() error { return watching.learn(online, client, true) }); err != nil {
		return err
	}
	if err := n.shared.loseSessions(); err != nil {
		return err
	}
	const grace, turns = 2 * time.Second, 3 * time.Second // of presence
	pause(context.Background(), lease+grace+turns)
	if err := watching.learn(online, client, true); err != nil {
		return fmt.Errorf("after the sessions were lost: %w", err)
	}
	visitor.Drop()
	return r.heals("a logout", func() error { return watching.learn(online, client, false) })
}

// visit logs in a client that keeps nothing.
func (a *app) visit(client, addr string) (*socket, error) {
	s, err := dial(context.Background(), addr, healWait)
	if err != nil {
		return nil, err
	}
	f, err := s.ask("login", map[string]any{"app_id": a.id, "client_id": client, "device_id": "visit", "token": a.token(client)})
	if err == nil && f.Code != 0 {
		err = fmt.Errorf("login of %s: %d %s", client, f.Code, f.Msg)
	}
	return s, err
}

// learn takes what a session was told of presence. Its error tells who else was told to be
// offline, or that a client is not known to be as it is.
func (s *socket) learn(online map[string]bool, client string, want bool) error {
	for {
		f, ok, err := s.next(time.Millisecond)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if f.Type != "presence" {
			continue
		}
		var in struct {
			Clients []struct {
				ClientID string `json:"client_id"`
				Online   int    `json:"online"`
			} `json:"clients"`
		}
		if err := json.Unmarshal(f.Data, &in); err != nil {
			return err
		}
		for _, c := range in.Clients {
			if online[c.ClientID] = c.Online == 1; c.Online == 0 && (c.ClientID != client || want) {
				return fmt.Errorf("%s is said to be offline", c.ClientID)
			}
		}
	}
	if online[client] != want {
		return fmt.Errorf("%s is said to be online: %v, want %v", client, online[client], want)
	}
	return nil
}
