package hub

import (
	"context"
	"log/slog"
)

// startFlush queues the session to be written, unless it is already. mu is held, and
// released.
func (s *Session) startFlush() {
	idle := !s.flushing && !s.closed
	if idle {
		s.flushing = true
	}
	s.mu.Unlock()
	if idle {
		s.shard.queue.push(s)
	}
}

// flush writes the ready frames until there are none, and closes a session that is ending.
// Several may run at once: each takes from the outbox under writer, so frames stay in
// order. When it returns all frames that were ready before are written. It calls told
// before it waits for the socket; nil: nobody needs to know.
func (s *Session) flush(told func()) {
	if !s.writer.TryLock() {
		tell(told)
		s.writer.Lock()
	}
	defer s.writer.Unlock()
	written, more := s.step(nil, told)
	for more {
		written, more = s.step(written, told)
	}
}

func tell(told func()) {
	if told != nil {
		told()
	}
}

// step writes frames, pings, or ends the session, and reports false if there was nothing to
// do. The next step takes what it wrote off the session's account. writer is held.
func (s *Session) step(before *batch, told func()) (written *batch, more bool) {
	frames, ping, over := s.take(before)
	if before != nil {
		recycle(before)
	}
	var err error
	switch {
	case frames != nil:
		err = s.conn.WriteFrames(frames.frames, told)
	case ping:
		err = s.conn.Ping(told)
	case over != nil:
		tell(told)
		s.finish(over)
		return nil, false
	default:
		return nil, false
	}
	if err != nil {
		s.fail(frames)
		return nil, true
	}
	return frames, true
}

// finish ends the session for good. writer is held.
func (s *Session) finish(over *ending) {
	s.leave()
	s.conn.Close(over.code, over.reason)
	s.shard.hub.opts.Log.LogAttrs(context.Background(), slog.LevelDebug, "session ended by the server",
		slog.String("app", s.app), slog.String("client", s.client), slog.String("session", s.id),
		slog.Int("code", over.code), slog.String("reason", over.reason))
}

// take takes the written frames off the session's account and decides what comes next:
// frames to write, a ping, or the end. If there is nothing to do, the next caller with a
// frame has to start a new flush.
func (s *Session) take(written *batch) (frames *batch, ping bool, over *ending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if written != nil {
		s.shard.framesOut.Add(int64(len(written.frames)))
		s.shard.bytesOut.Add(int64(s.settle(written)))
	}
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

// fail ends a session whose socket could not be written to; frames is what was to
// be written, nil: a ping.
func (s *Session) fail(frames *batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if frames != nil {
		s.settle(frames)
		recycle(frames)
	}
	s.discard()
	s.pingDue = false
	s.holding = false
	s.ending = &ending{code: CloseAbnormal}
}
