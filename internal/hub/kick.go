package hub

// Target says which sessions of an app a kick is for.
type Target struct {
	App    string
	Client string // empty: every client of the app
	Device string // empty: every device
	Rev    int64  // only sessions that were allowed by a smaller rev of the client; zero: all

	WithoutToken bool // only sessions that showed no token, whose time has no end
}

// hits reports whether the kick is for s. The lock of its shard is held.
func (t Target) hits(s *Session) bool {
	return t.App == s.app &&
		(t.Client == "" || t.Client == s.client) &&
		(t.Device == "" || t.Device == s.device) &&
		(t.Rev == 0 || s.rev < t.Rev) &&
		(!t.WithoutToken || s.expires == 0)
}

// Kick closes the sessions of a target on this node with a kick frame and
// CloseKicked, and says how many.
func (h *Hub) Kick(t Target, reason string) int {
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

// KickSession closes one session of a client with a kick frame and CloseKicked, if it is
// on this node.
func (h *Hub) KickSession(app, client, id, reason string) {
	who := address{app, client}
	sh := h.shardOf(who)
	sh.mu.Lock()
	var gone departure
	if s := sh.sessionOf(who, id); s != nil {
		gone = sh.remove(s)
		defer s.kick(reason)
	}
	sh.mu.Unlock()
	gone.tell()
}

func (h *Hub) kickIn(sh *shard, t Target, reason string) int {
	hit, gone := sh.takeOut(t)
	for i, s := range hit {
		gone[i].tell()
		s.kick(reason)
	}
	return len(hit)
}

// takeOut removes the sessions of a target.
func (sh *shard) takeOut(t Target) (hit []*Session, gone []departure) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if t.Client == "" {
		for _, first := range sh.sessions {
			hit = appendHits(hit, first, t)
		}
	} else {
		hit = appendHits(hit, sh.sessions[address{t.App, t.Client}], t)
	}
	for _, s := range hit {
		gone = append(gone, sh.remove(s))
	}
	return hit, gone
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

// Entered are the sessions of this node that have entered the store's sessions, in no
// order.
func (h *Hub) Entered() (all []*Session) {
	for i := range h.shards {
		sh := &h.shards[i]
		sh.mu.RLock()
		for _, first := range sh.sessions {
			for s := first; s != nil; s = s.next {
				if s.entered {
					all = append(all, s)
				}
			}
		}
		sh.mu.RUnlock()
	}
	return all
}
