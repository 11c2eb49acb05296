package skein

import "time"

// Day is a day in UTC: how many since 1 January 1970.
type Day int32

// UsageDays is for how many days the usage of an app is kept, and how long it is known when a key was
// last used.
const UsageDays = 400

// DayOf is the day of a moment.
func DayOf(m Millis) Day { return Day(m / Millis(24*time.Hour/time.Millisecond)) }

// ParseDay reads a day such as 2026-11-30.
func ParseDay(text string) (d Day, ok bool) {
	t, err := time.Parse(time.DateOnly, text)
	return DayOf(MillisOf(t)), err == nil && t.Year() >= 1970
}

// usageSpan is how many days of usage a call that does not say lists.
const usageSpan = 30

// ParseUsageSpan reads the first and the last day of a call; empty: usageSpan days, and today. Errors:
// ErrMalformed, naming first or last.
func ParseUsageSpan(first, last string, now Millis) (from, to Day, err error) {
	to = DayOf(now)
	for _, end := range [...]struct {
		field, text string
		day         *Day
	}{{"last", last, &to}, {"first", first, &from}} {
		if end.field == "first" {
			from = to - usageSpan + 1
		}
		if d, ok := ParseDay(end.text); ok {
			*end.day = d
		} else if end.text != "" {
			return 0, 0, Malformed(end.field, "must be a day such as 2026-11-30")
		}
	}
	return from, to, nil
}

// Begin is the first moment of the day.
func (d Day) Begin() Millis { return MillisOf(time.Unix(0, 0)).Add(time.Duration(d) * 24 * time.Hour) }

// String is the day as in 2026-11-30.
func (d Day) String() string { return d.Begin().Time().UTC().Format(time.DateOnly) }

// Usage is what an app used in a day.
type Usage struct {
	Day          Day
	Messages     int64 // that were stored
	Deliveries   int64 // frames queued for sessions
	Connections  int64 // the most in a minute, of all nodes together
	StorageBytes int64 // of the app's files, when the day's last usage was stored
}

// Quota is one of the quotas of an app. Stores keep the numbers.
type Quota int8

// The quotas. Those of messages and deliveries are for a day.
const (
	QuotaMessages Quota = iota
	QuotaDeliveries
	QuotaConnections
	QuotaStorage
	quotas
)

var quotaNames = [quotas]string{"messages", "deliveries", "connections", "storage"}

// String is the name of a quota in a warning.
func (q Quota) String() string { return quotaNames[q] }

// QuotaNamed is the quota of a name; ok is false where there is none.
func QuotaNamed(name string) (q Quota, ok bool) {
	for i, n := range quotaNames {
		if n == name {
			return Quota(i), true
		}
	}
	return 0, false
}

// warnAt is the part of a quota at which there is a warning, in percent.
const warnAt = 80

// QuotaWarnings are the warnings that are due about what an app has used. A quota of zero is none.
func (s Settings) QuotaWarnings(u Usage) (due []QuotaWarning) {
	for q, of := range [quotas]struct {
		used, limit int64
		day         string
	}{
		{u.Messages, s.QuotaMessages, u.Day.String()},
		{u.Deliveries, s.QuotaDeliveries, u.Day.String()},
		{u.Connections, s.QuotaConnections, ""},
		{u.StorageBytes, s.MaxStorageBytes, ""},
	} {
		if of.limit > 0 && float64(of.used) >= float64(of.limit)*warnAt/100 {
			due = append(due, QuotaWarning{Quota: Quota(q).String(), Used: of.used, Limit: of.limit, Day: of.day})
		}
	}
	return due
}
