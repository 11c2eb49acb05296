package presence

import (
	"slices"

	"github.com/skein-im/skein"
)

// watches is which session watches which clients. Each side lists the other, so that the
// end of a session and a change of a client cost only the watches they are about. It is
// not safe for concurrent use.
type watches struct {
	targets  map[address]*target
	sessions map[string]*subscription // by id
	changed  []*target                // to be looked at in the next turn
	all      []*target                // those of targets, in no order
	next     int                      // where in all the next recheck begins
}

func newWatches() watches {
	return watches{targets: make(map[address]*target), sessions: make(map[string]*subscription)}
}

// target is a client that somebody watches.
type target struct {
	address

	watchers []watcher
	left     skein.Millis // when it last lost a session; zero: all sessions know that
	seen     skein.Millis // when it was last online; zero: not known
	place    int32        // in watches.all
	changed  bool         // it is in watches.changed
}

// watcher is an interest of a subscription.
type watcher struct {
	by *subscription
	at int32 // in by.interests
}

// subscriber is a session that watches.
type subscriber struct{ app, client, session string }

// subscription is the list of one session.
type subscription struct {
	subscriber

	interests []interest
}

// interest is a client on the list of a session.
type interest struct {
	of    *target
	index int32           // in of.watchers
	told  skein.DeviceSet // what the session knows
	stale bool            // it may know something older, and is told again
}

// of counts the clients on the list of a session.
func (w *watches) of(who subscriber) int {
	if s := w.sessions[who.session]; s != nil {
		return len(s.interests)
	}
	return 0
}

// replace gives a session another list, says what is visible of those on it, and how
// many were on the one before.
//
// An event with an older state of a client may be on its way to the session and arrive
// behind the answer. Where the states differ the session is told once more. The next turn
// looks at every client of the list.
func (w *watches) replace(who subscriber, clients []string, visible func(*target, skein.DeviceSet) skein.DeviceSet) (list []skein.Presence, before int) {
	knew := make(map[*target]interest)
	if old := w.sessions[who.session]; old != nil {
		for _, i := range old.interests {
			knew[i.of] = i
		}
	}
	s := &subscription{subscriber: who, interests: make([]interest, 0, len(clients))}
	list = make([]skein.Presence, 0, len(clients))
	for _, client := range clients {
		t := w.target(address{who.app, client})
		was, known := knew[t]
		i := interest{of: t, told: visible(t, was.told)}
		i.stale = known && (was.stale || was.told != i.told)
		w.mark(t)
		w.link(s, i)
		list = append(list, skein.Presence{Client: client, Devices: i.told})
	}
	_, before = w.drop(who.session)
	if len(clients) > 0 {
		w.sessions[who.session] = s
	}
	return list, before
}

// target is the client, watched from now on.
func (w *watches) target(who address) *target {
	t := w.targets[who]
	if t == nil {
		t = &target{address: who, place: int32(len(w.all))}
		w.targets[who], w.all = t, append(w.all, t)
	}
	return t
}

func (w *watches) link(s *subscription, i interest) {
	i.index = int32(len(i.of.watchers))
	i.of.watchers = append(i.of.watchers, watcher{s, int32(len(s.interests))})
	s.interests = append(s.interests, i)
}

// drop forgets the list of a session and says whose it was and how many were on it.
func (w *watches) drop(session string) (app string, n int) {
	s := w.sessions[session]
	if s == nil {
		return "", 0
	}
	delete(w.sessions, session)
	for _, i := range s.interests {
		w.unlink(i)
	}
	return s.app, len(s.interests)
}

// unlink takes an interest off its target: the last watcher takes its place.
func (w *watches) unlink(i interest) {
	t := i.of
	last := len(t.watchers) - 1
	moved := t.watchers[last]
	t.watchers[i.index] = moved
	moved.by.interests[moved.at].index = i.index
	t.watchers[last] = watcher{}
	t.watchers = t.watchers[:last]
	if last == 0 {
		w.forget(t)
	}
}

// forget removes a target that nobody watches: the last of all takes its place.
func (w *watches) forget(t *target) {
	delete(w.targets, t.address)
	last := len(w.all) - 1
	moved := w.all[last]
	w.all[t.place], moved.place = moved, t.place
	w.all[last] = nil
	w.all = w.all[:last]
}

// markSome lets the next turn look at so many clients of whom nothing was heard, at each in
// its turn.
func (w *watches) markSome(n int) {
	for range min(n, len(w.all)) {
		if w.next >= len(w.all) {
			w.next = 0
		}
		w.mark(w.all[w.next])
		w.next++
	}
}

// mark lets the next turn look at a client.
func (w *watches) mark(t *target) {
	if !t.changed {
		t.changed = true
		w.changed = append(w.changed, t)
	}
}

// take is the clients to look at, once.
func (w *watches) take() []*target {
	changed := w.changed
	w.changed = nil
	for _, t := range changed {
		t.changed = false
	}
	return changed
}

// lost reports whether a session was told of a device that is not online any more.
func (t *target) lost(online skein.DeviceSet) bool {
	return slices.ContainsFunc(t.watchers, func(w watcher) bool { return w.by.interests[w.at].told&^online != 0 })
}

// seenIf is when the client was last online, as far as that is known, unless it is.
func (t *target) seenIf(online skein.DeviceSet) skein.Millis {
	if online != 0 {
		return 0
	}
	return t.seen
}
