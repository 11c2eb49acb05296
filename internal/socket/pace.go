package socket

import "time"

// pace meters what comes over one socket: a token bucket holding a second's worth,
// kept as the moment at which it would be full again (GCRA), so that it is a few
// words and needs no refill. A rate of zero or less is no limit.
type pace struct {
	full     int64 // Unix nanoseconds
	overFrom int64 // when it was first refused; Unix nanoseconds
	overLast int64 // when it was last refused
	over     int32 // tokens refused since overFrom
}

// verdict is what pace says of one frame.
type verdict int8

const (
	inPace  verdict = iota
	tooFast         // refuse it
	runaway         // over the rate for patience, or far over it: end the socket
)

const (
	patience = 10 * time.Second
	// calm is how long nothing must be refused for the socket to be within its
	// rate again.
	calm = time.Second
	// mostRefused is how many seconds' worth may be refused within patience: a flood
	// at the speed of the wire ends sooner than one that is a little too fast.
	mostRefused = 30
)

// tokenBytes is how long a frame may be for each token it costs: long ones cost
// more to read.
const tokenBytes = 8 << 10

// costOf is what a frame of a length costs, in tokens.
func costOf(length int) int32 { return int32(1 + length/tokenBytes) }

// malformedCost is what a frame that is no command costs besides, in tokens, beyond the
// rate: who sends such frames at the speed of the wire is cut off sooner than who only
// sends too much.
const malformedCost = 5

// admit takes cost from the bucket if it holds that much. No frame costs more than
// a full bucket.
func (p *pace) admit(now time.Time, perSecond, cost int32) verdict {
	if perSecond <= 0 {
		return inPace
	}
	cost = min(cost, perSecond)
	at := now.UnixNano()
	if p.full-at > int64(time.Second) { // the clock has been put back
		*p = pace{}
	}
	full := max(p.full, at) + int64(cost)*int64(time.Second)/int64(perSecond)
	if full-at > int64(time.Second) {
		return p.refuse(at, perSecond, cost)
	}
	p.full = full
	return inPace
}

func (p *pace) refuse(at int64, perSecond, cost int32) verdict {
	if at-p.overLast > int64(calm) {
		p.overFrom, p.over = at, 0
	}
	p.overLast = at
	p.over += cost
	if at-p.overFrom >= int64(patience) || int64(p.over) > mostRefused*int64(perSecond) {
		return runaway
	}
	return tooFast
}
