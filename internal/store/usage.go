package store

import (
	"context"

	"github.com/skein-im/skein"
)

// Usage keeps what apps use, by day, and when their keys were last used. Nodes count in memory and
// add their counts from time to time, so what a killed node had not added is lost.
type Usage interface {
	// AddUsage adds what a node counted: of a few hundred apps and keys at most, so that others do not wait
	// long. For each app of the report, in its order, it returns what the app has used in that day;
	// unknown apps are passed over, and what is returned of them is zero.
	AddUsage(ctx context.Context, r UsageReport) ([]UsedToday, error)
	// Usage lists what an app used, from the first day to the last, oldest first. Days on which
	// it used nothing are left out. An unknown app has used nothing.
	Usage(ctx context.Context, app string, first, last skein.Day) ([]skein.Usage, error)
	// KeyUses returns when the keys of an app were last used, by name. A key that was ended may
	// be among them.
	KeyUses(ctx context.Context, app string) (map[string]skein.Millis, error)
	// WarnOfQuota commits an event of the app to the feed, unless it has done so about this quota and
	// day: that of the warning, or today by the store's clock. Errors: ErrUnknownApp.
	WarnOfQuota(ctx context.Context, app string, w skein.QuotaWarning) error
}

// UsageReport is what one node counted since its last report.
type UsageReport struct {
	Day skein.Day
	// Minute numbers the minute in which the connections were counted, since 1970. What nodes
	// report of the same minute is added up; an app's peak is the greatest sum of a day.
	Minute int64
	Apps   []AppUsage // each app once
	Keys   []KeyUse   // each key once
}

// AppUsage is what an app used of one node.
type AppUsage struct {
	App                  string
	Messages, Deliveries int64 // since the last report
	Connections          int64 // the most in the minute
}

// KeyUse is when a key was last used.
type KeyUse struct {
	App, Name string
	At        skein.Millis
}

// UsedToday is what an app has used in a day.
type UsedToday struct {
	skein.Usage

	Warned uint8 // bits of the quotas that WarnOfQuota told of
}

// WarnedOf reports whether WarnOfQuota told of a quota.
func (u UsedToday) WarnedOf(quota string) bool {
	q, ok := skein.QuotaNamed(quota)
	return ok && u.Warned&(1<<q) != 0
}
