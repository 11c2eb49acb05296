package hub

import "sync"

// batch is a list of frames; pooled, so that an idle session owns none.
type batch struct {
	frames [][]byte
	stamps []int64 // of a batch that is held, the commit that each frame is about; zero: none
}

var batches = sync.Pool{New: func() any { return new(batch) }}

// maxPooled bounds the capacity of a pooled batch, in frames.
const maxPooled = 1024

func recycle(b *batch) {
	clear(b.frames)
	if cap(b.frames) > maxPooled {
		return
	}
	b.frames, b.stamps = b.frames[:0], b.stamps[:0]
	batches.Put(b)
}

// deliver queues an event about the commit with a stamp (zero: none), or closes the session if that is too much for it. It
// reports whether the event is queued.
func (s *Session) deliver(frame []byte, stamp int64) bool {
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
		s.held.stamps = append(s.held.stamps, stamp)
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

// dropSeen drops the held events about commits that the session saw. shard.mu is held.
func (s *Session) dropSeen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.held
	if held == nil {
		return
	}
	var drop batch
	kept := 0
	for i, f := range held.frames {
		if s.saw.Has(held.stamps[i]) {
			drop.frames = append(drop.frames, f)
			continue
		}
		held.frames[kept], held.stamps[kept] = f, held.stamps[i]
		kept++
	}
	s.settle(&drop)
	clear(held.frames[kept:])
	held.frames, held.stamps = held.frames[:kept], held.stamps[:kept]
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
