package socket

import "time"

// pace limits the rate of frames on one socket. It is a token bucket of one second's
// worth, stored as the time at which the bucket is full again (GCRA), so that it needs
// no refill. A rate of zero or less is no limit. Times are Unix nanoseconds.
type pace struct {
	full     int64 // when the bucket is full again
	overFrom int64 // the first refusal of the current series
	overLast int64 // the last refusal
	over     int32 // tokens refused since overFrom
}

// verdict is what the server does with one frame.
type verdict int8

const (
	inPace  verdict = iota
	tooFast         // refuse the frame
	runaway         // end the socket: it was over its rate for patience, or far over it
)

const (
	patience = 10 * time.Second
	// calm without a refusal ends a series of refusals.
	calm = time.Second
	// mostRefused is how many seconds' worth of tokens may be refused in one series.
	// It ends a fast flood before patience does.
	mostRefused = 30
)

// tokenBytes is how many bytes of a frame one more token pays for.
const tokenBytes = 8 << 10

// costOf is how many tokens a frame of that many bytes costs.
func costOf(length int) int32 { return int32(1 + length/tokenBytes) }

// malformedCost is how many more tokens a frame over the rate costs if it is no command.
// A client that floods with garbage is closed sooner than one that floods with commands.
const malformedCost = 5

// admit takes cost tokens from the bucket if it has as many. No frame costs more than a
// full bucket.
func (p *pace) admit(now time.Time, perSecond, cost int32) verdict {
	if perSecond <= 0 {
		return inPace
	}
	cost = min(cost, perSecond)
	at := now.UnixNano()
	if p.full-at > int64(time.Second) { // the clock was set back
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
