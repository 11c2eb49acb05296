package skein

import "time"

// Millis is a moment as Unix milliseconds, the unit of the protocol and of the
// stores. Zero means "never".
type Millis int64

// Forever is the end of what has no end, such as a ban without a term.
const Forever Millis = 1<<53 - 1

// MillisOf truncates t to milliseconds.
func MillisOf(t time.Time) Millis { return Millis(t.UnixMilli()) }

// Time is the moment in UTC.
func (m Millis) Time() time.Time { return time.UnixMilli(int64(m)).UTC() }

// Add moves the moment by d, truncated to milliseconds.
func (m Millis) Add(d time.Duration) Millis { return m + Millis(d.Milliseconds()) }
