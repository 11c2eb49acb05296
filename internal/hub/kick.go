package hub

import (
	"time"

	"github.com/skein-im/skein"
)

// Target says which sessions of an app a kick is for.
type Target struct {
	App    string
	Client string       // empty: every client of the app
	Device string       // empty: every device
	Before skein.Millis // only logins that began at or before it; zero: now

	WithoutToken bool // only sessions that showed no token, whose time has no end
}

func (t Target) hits(s *Session) bool {
	return t.App == s.app &&
		(t.Client == "" || t.Client == s.client) &&
		(t.Device == "" || t.Device == s.device) &&
		s.started <= t.Before &&
		(!t.WithoutToken || s.expires == 0)
}

// Kick closes the sessions of a target on this node with a kick frame and
// CloseKicked, and says how many. A login that began before the kick and attaches
// only after it is refused: whatever let it in may have been true no longer.
func (h *Hub) Kick(t Target, reason string) int {
	if t.Before == 0 {
		t.Before = h.now()
	}
	if t.Client == "" {
		n := 0
		for i := range h.shards {
			n += h.kickIn(&h.shards[i], t, reason)
		}
		return n
	}
	return h.kickIn(h.shardOf(address{t.App, t.Client}), t, reason)
}

// KickApp closes all sessions of an app on this node.
func (h *Hub) KickApp(app, reason string) int {
	return h.Kick(Target{App: app}, reason)
}

func (h *Hub) kickIn(sh *shard, t Target, reason string) int {
	hit := sh.takeOut(t, h.now())
	for _, d := range hit {
		d.tell()
		d.session.kick(reason)
	}
	return len(hit)
}

// takeOut removes the sessions of a target and remembers the target for the
// logins under way.
func (sh *shard) takeOut(t Target, now skein.Millis) []departure {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.cuts = append(sh.cuts, cut{t, now.Add(cutMemory)})
	var hit []*Session
	if t.Client == "" {
		for _, first := range sh.sessions {
			hit = appendHits(hit, first, t)
		}
	} else {
		hit = appendHits(hit, sh.sessions[address{t.App, t.Client}], t)
	}
	gone := make([]departure, 0, len(hit))
	for _, s := range hit {
		gone = append(gone, sh.remove(s))
	}
	return gone
}

func appendHits(hit []*Session, first *Session, t Target) []*Session {
	for s := first; s != nil; s = s.next {
		if t.hits(s) {
			hit = append(hit, s)
		}
	}
	return hit
}

// kick ends a session with a kick frame.
func (s *Session) kick(reason string) {
	s.end(s.shard.hub.opts.KickFrame(reason), ending{code: CloseKicked, reason: reason})
}

// cut is a kick remembered for logins that began before it and are not attached
// yet.
type cut struct {
	target Target
	until  skein.Millis
}

// cutMemory is longer than a login can take.
const cutMemory = time.Minute

// wasCut reports whether the login of s began before a kick that was meant for it.
// mu is held.
func (sh *shard) wasCut(s *Session) bool {
	for _, c := range sh.cuts {
		if c.target.hits(s) {
			return true
		}
	}
	return false
}

// forgetCuts drops the kicks that no login can have begun before. mu is held.
func (sh *shard) forgetCuts(now skein.Millis) {
	old := 0
	for old < len(sh.cuts) && sh.cuts[old].until <= now {
		old++
	}
	if sh.cuts = sh.cuts[old:]; len(sh.cuts) == 0 {
		sh.cuts = nil
	}
}
