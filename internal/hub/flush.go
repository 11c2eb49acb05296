package hub

import (
	"context"
	"log/slog"
)

// startFlush sees to it that someone writes what waits. mu is held, and released.
func (s *Session) startFlush() {
	idle := !s.flushing && !s.closed
	if idle {
		s.flushing = true
		s.shard.live.Add(1)
	}
	s.mu.Unlock()
	if idle {
		go s.drain()
	}
}

// flush writes what is ready until nothing is, and closes a session that ends.
// Any number may run at once: each takes from the outbox under writer, so frames
// stay in order, and when it returns all that was ready before is written.
func (s *Session) flush() {
	s.writer.Lock()
	defer s.writer.Unlock()
	for s.step() {
	}
}

// step does the next thing there is to do with the socket, or reports false.
// writer is held.
func (s *Session) step() bool {
	frames, ping, over := s.take()
	var err error
	switch {
	case frames != nil:
		err = s.write(frames)
	case ping:
		err = s.conn.Ping()
	case over != nil:
		s.finish(over)
		return false
	default:
		return false
	}
	if err != nil {
		s.fail()
	}
	return true
}

// finish ends the session for good. writer is held.
func (s *Session) finish(over *ending) {
	s.leave()
	s.conn.Close(over.code, over.reason)
	s.hub.opts.Log.LogAttrs(context.Background(), slog.LevelDebug, "session ended by the server",
		slog.String("app", s.app), slog.String("client", s.client), slog.String("session", s.id),
		slog.Int("code", over.code), slog.String("reason", over.reason))
}

// take decides what comes next: frames to write, a ping, or the end. With nothing
// to do whoever brings more has to start a new flush.
func (s *Session) take() (frames *batch, ping bool, over *ending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
	case s.ready != nil:
		frames, s.ready = s.ready, nil
		return frames, false, nil
	case s.pingDue:
		s.pingDue = false
		return nil, true, nil
	case s.ending != nil && !(s.ending.patient && s.holding):
		s.closed = true
		over = s.ending
	}
	s.flushing = false
	return nil, false, over
}

// write writes a batch and takes it off the account. writer is held.
func (s *Session) write(b *batch) error {
	err := s.conn.WriteFrames(b.frames)
	s.mu.Lock()
	before := s.bytes
	s.settle(b)
	written := before - s.bytes
	s.mu.Unlock()
	if err == nil {
		s.shard.framesOut.Add(int64(len(b.frames)))
		s.shard.bytesOut.Add(int64(written))
	}
	recycle(b)
	return err
}

// fail ends a session whose socket cannot be written to.
func (s *Session) fail() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.discard()
	s.pingDue = false
	s.holding = false
	s.ending = &ending{code: CloseAbnormal}
}
