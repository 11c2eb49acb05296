package hub

import "sync"

// batch is a list of frames; pooled, so that an idle session owns none.
type batch struct{ frames [][]byte }

var batches = sync.Pool{New: func() any { return new(batch) }}

// maxPooled bounds the capacity of a pooled batch, in frames.
const maxPooled = 1024

func recycle(b *batch) {
	clear(b.frames)
	if cap(b.frames) > maxPooled {
		return
	}
	b.frames = b.frames[:0]
	batches.Put(b)
}

// deliver queues an event, or closes the session if that is too much for it. It
// reports whether the event is queued.
func (s *Session) deliver(frame []byte) bool {
	s.mu.Lock()
	if s.ending != nil {
		s.mu.Unlock()
		return false
	}
	if s.bytes+len(frame) > s.shard.hub.opts.OutboxBytes || int(s.frames) >= s.shard.hub.opts.OutboxFrames {
		s.overflow()
		return false
	}
	if s.holding {
		s.push(&s.held, frame)
		s.mu.Unlock()
		return true
	}
	s.push(&s.ready, frame)
	s.startFlush()
	return true
}

// overflow drops the waiting frames and ends the session as too slow. mu is held, and
// released.
func (s *Session) overflow() {
	s.shard.hub.slow.Add(1)
	s.shard.hub.dropped.Add(int64(s.discard() + 1))
	s.ending = &ending{code: CloseSlow, reason: "too slow a reader"}
	s.startFlush()
}

// ping makes the next flush ask the peer for a sign of life.
func (s *Session) ping() {
	s.mu.Lock()
	if s.ending != nil {
		s.mu.Unlock()
		return
	}
	s.pingDue = true
	s.startFlush()
}

// push appends a frame to one of the two batches. mu is held.
func (s *Session) push(to **batch, frame []byte) {
	if *to == nil {
		*to = batches.Get().(*batch)
	}
	(*to).frames = append((*to).frames, frame)
	s.bytes += len(frame)
	s.frames++
	s.shard.waiting.Add(int64(len(frame)))
}

// release makes the held events ready. mu is held.
func (s *Session) release() {
	switch {
	case s.held == nil:
		return
	case s.ready == nil:
		s.ready = s.held
	default:
		s.ready.frames = append(s.ready.frames, s.held.frames...)
		recycle(s.held)
	}
	s.held = nil
}

// discard drops the waiting frames and returns their number. mu is held.
func (s *Session) discard() (n int) {
	for _, b := range []*batch{s.ready, s.held} {
		if b != nil {
			n += len(b.frames)
			s.settle(b)
			recycle(b)
		}
	}
	s.ready, s.held = nil, nil
	return n
}

// settle takes the frames of b off the session's account and says how many bytes
// they are. mu is held.
func (s *Session) settle(b *batch) (bytes int) {
	for _, f := range b.frames {
		bytes += len(f)
	}
	s.bytes -= bytes
	s.shard.waiting.Add(int64(-bytes))
	s.frames -= int32(len(b.frames))
	return bytes
}
