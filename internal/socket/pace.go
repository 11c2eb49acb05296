package socket

import "time"

// pace meters what comes over one socket: a token bucket holding a second's worth,
// kept as the moment at which it would be full again (GCRA), so that it is three
// words and needs no refill. A rate of zero or less is no limit.
type pace struct {
	full     int64 // Unix nanoseconds
	overFrom int64 // when it was first refused; Unix nanoseconds
	overLast int64 // when it was last refused
}

// verdict is what pace says of one command.
type verdict int8

const (
	inPace  verdict = iota
	tooFast         // refuse it
	runaway         // over the rate for patience: end the socket
)

const (
	patience = 10 * time.Second
	// calm is how long nothing must be refused for the socket to be within its
	// rate again.
	calm = time.Second
)

// admit takes one from the bucket if it holds one.
func (p *pace) admit(now time.Time, perSecond int32) verdict {
	if perSecond <= 0 {
		return inPace
	}
	at := now.UnixNano()
	if p.full-at > int64(time.Second) { // the clock has been put back
		*p = pace{}
	}
	full := max(p.full, at) + int64(time.Second)/int64(perSecond)
	if full-at > int64(time.Second) {
		return p.refuse(at)
	}
	p.full = full
	return inPace
}

func (p *pace) refuse(at int64) verdict {
	if at-p.overLast > int64(calm) {
		p.overFrom = at
	}
	p.overLast = at
	if at-p.overFrom >= int64(patience) {
		return runaway
	}
	return tooFast
}
