package hub

import (
	"cmp"
	"log/slog"
	"slices"
)

// load is a session and the bytes that wait for it.
type load struct {
	session *Session
	bytes   int64
}

// relieve closes sessions as slow while more than MaxWaiting waits for all of them
// together. It takes the app with the most waiting bytes, and of that the session with
// the most, so that an app with thousands of slow readers pays for them itself. Owned by
// the sweeper.
func (h *Hub) relieve() {
	for _, s := range h.relieved {
		s.cut() // it had a tick to read the reason; a write that still waits ends now
	}
	clear(h.relieved)
	h.relieved = h.relieved[:0]
	if h.opts.MaxWaiting < 0 || h.waiting() <= h.opts.MaxWaiting {
		return
	}
	apps, total := h.loads()
	for target := h.opts.MaxWaiting / 4 * 3; total > target; {
		app, most := "", int64(0)
		for name, of := range apps {
			if of.bytes > most {
				app, most = name, of.bytes
			}
		}
		if most == 0 {
			break // the rest is being written to sessions that are ending
		}
		fattest := apps[app].pop()
		total -= fattest.bytes
		if fattest.session.relieve() {
			h.relieved = append(h.relieved, fattest.session)
			h.pressure.Log(h.opts.Log, h.opts.Now(), "sessions are closed as slow: too much waits for them",
				slog.String("app", app), slog.Int64("app_bytes", most))
		}
	}
}

// waiting is what waits for all sessions, in bytes.
func (h *Hub) waiting() (bytes int64) {
	for i := range h.shards {
		bytes += h.shards[i].waiting.Load()
	}
	return bytes
}

// appLoad is what waits for the sessions of an app.
type appLoad struct {
	bytes    int64
	sessions []load // the lightest first
}

func (a *appLoad) pop() load {
	last := a.sessions[len(a.sessions)-1]
	a.sessions = a.sessions[:len(a.sessions)-1]
	a.bytes -= last.bytes
	return last
}

// loads is what waits for sessions that are not ending, by app and in all.
func (h *Hub) loads() (apps map[string]*appLoad, total int64) {
	apps = make(map[string]*appLoad)
	for _, s := range h.all() {
		n := s.load()
		if n == 0 {
			continue
		}
		if apps[s.app] == nil {
			apps[s.app] = new(appLoad)
		}
		of := apps[s.app]
		of.bytes += n
		of.sessions = append(of.sessions, load{s, n})
		total += n
	}
	for _, of := range apps {
		slices.SortFunc(of.sessions, func(a, b load) int { return cmp.Compare(a.bytes, b.bytes) })
	}
	return apps, total
}

// load is what waits for the session, in bytes; zero if it ends.
func (s *Session) load() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending != nil {
		return 0
	}
	return int64(s.bytes)
}

// relieve ends the session as too slow, and reports whether it was not ending.
func (s *Session) relieve() bool {
	s.mu.Lock()
	if s.ending != nil {
		s.mu.Unlock()
		return false
	}
	s.overflow()
	return true
}

// cut closes the socket of a session that is not over yet.
func (s *Session) cut() {
	s.mu.Lock()
	over := s.closed
	s.mu.Unlock()
	if !over {
		s.conn.Close(CloseAbnormal, "")
	}
}
