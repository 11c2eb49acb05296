package request

import (
	"time"

	"github.com/skein-im/skein"
)

// secondsOf is the seconds in which the clocks of zone show what wall shows in UTC:
// one; two, in order, where the clocks are put back over it; one without any time in
// it, at the leap, where they are put forward over it.
func secondsOf(wall time.Time, zone *time.Location) []skein.Span {
	const farther = 26 * time.Hour // than any clock is put at once
	_, before := wall.Add(-farther).In(zone).Zone()
	_, after := wall.Add(farther).In(zone).Zone()
	var seconds []skein.Span
	for _, offset := range [...]int{max(before, after), min(before, after)} {
		t := wall.Add(-time.Duration(offset) * time.Second)
		if _, shown := t.In(zone).Zone(); shown != offset {
			continue
		}
		span := skein.Span{From: skein.MillisOf(t), Until: skein.MillisOf(t.Add(time.Second))}
		if len(seconds) == 0 || seconds[0] != span {
			seconds = append(seconds, span)
		}
	}
	if seconds == nil {
		late := wall.Add(-time.Duration(before) * time.Second)
		leap, _ := late.In(zone).ZoneBounds()
		seconds = []skein.Span{{From: skein.MillisOf(leap), Until: skein.MillisOf(leap)}}
	}
	return seconds
}

// addSeconds adds the seconds that one value of a condition means: a moment equals
// the value in any of them, is less before the first, and greater after the last.
func addSeconds(c *skein.Condition, seconds []skein.Span) {
	first, last := seconds[0], seconds[len(seconds)-1]
	switch c.Op {
	case skein.Lt, skein.Ge:
		c.Values = append(c.Values, first)
	case skein.Gt, skein.Le:
		c.Values = append(c.Values, last)
	default:
		for _, s := range seconds {
			c.Values = append(c.Values, s)
		}
		if len(c.Values) > 1 && c.Op == skein.Eq {
			c.Op = skein.In
		}
		if len(c.Values) > 1 && c.Op == skein.Ne {
			c.Op = skein.NotIn
		}
	}
}
