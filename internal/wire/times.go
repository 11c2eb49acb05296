package wire

import (
	"time"

	"github.com/skein-im/skein"
)

func clock(m skein.Millis, zone *time.Location) string {
	return m.Time().In(zone).Format(TimeLayout)
}

func optionalClock(m skein.Millis, zone *time.Location) (*string, *int64) {
	if m == 0 {
		return nil, nil
	}
	text, ms := clock(m, zone), int64(m)
	return &text, &ms
}

// moment is nil for none.
func moment(m skein.Millis) *int64 {
	if m == 0 {
		return nil
	}
	ms := int64(m)
	return &ms
}

// TimeLayout is how ctime and mtime of conversations and users are written, in
// the zone of the server's --timezone.
const TimeLayout = "2006-01-02 15:04:05"
