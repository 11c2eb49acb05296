package hub

import (
	"context"
	"time"

	"github.com/skein-im/skein"
)

// sweepUntil looks after the sessions every tick until ctx ends.
func (h *Hub) sweepUntil(ctx context.Context) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			h.sweep(h.now())
		}
	}
}

// sweep pings sessions, drops silent ones, and kicks those whose token has run out. It
// waits for no socket.
func (h *Hub) sweep(now skein.Millis) {
	h.clock.Store(int64(now))
	var due []*Session
	for i := range h.shards {
		sh := &h.shards[i]
		due = sh.turn(now, due[:0])
		for _, s := range due {
			h.attend(s, now)
		}
		clear(due)
	}
	h.relieve()
}

// turn turns the wheel of a shard.
func (sh *shard) turn(now skein.Millis, due []*Session) []*Session {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.wheel.turn(now, due)
}

// attend does what is due for one session, and puts it back into the wheel unless it ended.
func (h *Hub) attend(s *Session, now skein.Millis) {
	switch {
	case s.expires != 0 && now >= s.expires:
		s.leave()
		s.kick(skein.KickTokenExpired)
	case now >= s.silentAt():
		s.leave()
		s.end(nil, ending{code: CloseSilent, reason: "silent for two heartbeats"})
	default:
		if s.reschedule(now) {
			s.ping()
		}
	}
}

// reschedule puts the session back into the wheel and reports whether a ping is
// due now.
func (s *Session) reschedule(now skein.Millis) (ping bool) {
	s.shard.mu.Lock()
	defer s.shard.mu.Unlock()
	if !s.attached {
		return false
	}
	if ping = now >= s.pingAt; ping {
		s.pingAt = now.Add(s.shard.hub.opts.Heartbeat)
	}
	s.shard.wheel.add(s, s.due())
	return ping
}

// due is when the session has to be looked at next. shard.mu is held.
func (s *Session) due() skein.Millis {
	at := min(s.pingAt, s.silentAt())
	if s.expires != 0 {
		at = min(at, s.expires)
	}
	return at
}

// silentAt is when the peer will have been silent for two heartbeats.
func (s *Session) silentAt() skein.Millis {
	return skein.Millis(s.alive.Load()).Add(2 * s.shard.hub.opts.Heartbeat)
}
