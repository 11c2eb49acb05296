package storetest

import (
	"fmt"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// today is the day of the reports.
const today skein.Day = 20_000

// report adds what one node counted of one app in a minute of today.
func (f *fixture) report(minute int64, a store.AppUsage) store.UsedToday {
	f.Helper()
	used, err := f.AddUsage(f.Context(), store.UsageReport{Day: today, Minute: minute, Apps: []store.AppUsage{a}})
	f.must(err)
	equal(f, "results", len(used), 1)
	return used[0]
}

func (f *fixture) usageOf(app string) []skein.Usage {
	f.Helper()
	days, err := f.Usage(f.Context(), app, 0, today+skein.UsageDays)
	f.must(err)
	return days
}

var usage = []check{
	{"what nodes report of a day is added up, and their connections of a minute", func(f *fixture) {
		f.app("shop")
		for _, tt := range []struct {
			minute, connections, peak int64
		}{
			{7, 3, 3}, {7, 2, 5}, {8, 4, 5}, {9, 4, 5}, {9, 3, 7}, {8, 1, 7}, {8, 9, 9}, {9, 3, 10}, {10, 0, 10},
		} {
			before := f.usageOf("shop")
			got := f.report(tt.minute, store.AppUsage{App: "shop", Messages: 2, Deliveries: 5, Connections: tt.connections})
			want := skein.Usage{Day: today, Messages: 2, Deliveries: 5}
			if len(before) > 0 {
				want.Messages, want.Deliveries = before[0].Messages+2, before[0].Deliveries+5
			}
			want.Connections = tt.peak
			equal(f, fmt.Sprintf("after %d connections in minute %d", tt.connections, tt.minute), got, store.UsedToday{Usage: want})
			equal(f, "stored", f.usageOf("shop"), []skein.Usage{want})
		}
	}},
	{"a day has its own row, and days are listed in order between two days", func(f *fixture) {
		f.app("shop")
		f.app("other")
		for _, day := range []skein.Day{today, today - 2, today - 1, today + 1} {
			_, err := f.AddUsage(f.Context(), store.UsageReport{Day: day, Apps: []store.AppUsage{{App: "shop", Messages: int64(day)}}})
			f.must(err)
		}
		days, err := f.Usage(f.Context(), "shop", today-1, today)
		f.must(err)
		equal(f, "days", days, []skein.Usage{{Day: today - 1, Messages: int64(today - 1)}, {Day: today, Messages: int64(today)}})
		equal(f, "of another app", len(f.usageOf("other")), 0)
		equal(f, "of no app", len(f.usageOf("none")), 0)
	}},
	{"usage has the bytes of the files that the app stores", func(f *fixture) {
		f.app("shop")
		f.must(f.AddUpload(f.Context(), skein.Upload{App: "shop", Name: "a.png", Size: 700, At: start, Until: skein.Forever}))
		equal(f, "usage", f.report(1, store.AppUsage{App: "shop"}).StorageBytes, int64(700))
	}},
	{"many apps are reported at once, and an unknown one is passed over", func(f *fixture) {
		r := store.UsageReport{Day: today, Apps: []store.AppUsage{{App: "none", Messages: 1}}, Keys: []store.KeyUse{{App: "none", Name: "k", At: 1}}}
		for i := range 5 {
			app := fmt.Sprint("app", 4-i)
			f.app(app)
			r.Apps = append(r.Apps, store.AppUsage{App: app, Messages: int64(i)})
		}
		used, err := f.AddUsage(f.Context(), r)
		f.must(err)
		equal(f, "results", len(used), 6)
		equal(f, "the unknown one", used[0], store.UsedToday{})
		for i, u := range used[1:] {
			equal(f, "messages", u.Messages, int64(i))
		}
	}},
	{"reports at the same time all count", func(f *fixture) {
		f.app("a")
		f.app("b")
		f.together(20, func(i int) error {
			apps := []store.AppUsage{{App: "a", Messages: 1, Connections: 1}, {App: "b", Deliveries: 1, Connections: 2}}
			keys := []store.KeyUse{{App: "a", Name: "k", At: skein.Millis(i + 1)}, {App: "b", Name: "k", At: 1}}
			if i%2 == 0 {
				apps[0], apps[1], keys[0], keys[1] = apps[1], apps[0], keys[1], keys[0]
			}
			_, err := f.AddUsage(f.Context(), store.UsageReport{Day: today, Minute: 3, Apps: apps, Keys: keys})
			return err
		})
		equal(f, "a", f.usageOf("a"), []skein.Usage{{Day: today, Messages: 20, Connections: 20}})
		equal(f, "b", f.usageOf("b"), []skein.Usage{{Day: today, Deliveries: 20, Connections: 40}})
		uses, err := f.KeyUses(f.Context(), "a")
		f.must(err)
		equal(f, "the key", uses, map[string]skein.Millis{"k": 20})
	}},
	{"the last use of a key never runs back, and keys of another app are not among them", func(f *fixture) {
		f.app("shop")
		f.app("other")
		for _, at := range []skein.Millis{5, 9, 7} {
			_, err := f.AddUsage(f.Context(), store.UsageReport{Day: today, Keys: []store.KeyUse{{App: "shop", Name: "default", At: at}, {App: "other", Name: "x", At: at}}})
			f.must(err)
		}
		uses, err := f.KeyUses(f.Context(), "shop")
		f.must(err)
		equal(f, "uses", uses, map[string]skein.Millis{"default": 9})
	}},
	{"a quota is warned of once a day, whichever node warns", func(f *fixture) {
		f.app("shop")
		f.app("other")
		f.report(1, store.AppUsage{App: "shop", Messages: 8})
		early := f.end()
		w := skein.QuotaWarning{Quota: "messages", Used: 8, Limit: 10, Day: today.String()}
		f.together(4, func(int) error { return f.WarnOfQuota(f.Context(), "shop", w) })
		equal(f, "warnings", f.warnings(early), 1)
		used := f.report(2, store.AppUsage{App: "shop"})
		equal(f, "warned", []bool{used.WarnedOf("messages"), used.WarnedOf("deliveries"), used.WarnedOf("nothing")}, []bool{true, false, false})
		for _, other := range []skein.QuotaWarning{
			{Quota: "deliveries", Day: today.String()}, {Quota: "messages", Day: (today + 1).String()}, {Quota: "storage"},
		} {
			f.must(f.WarnOfQuota(f.Context(), "shop", other))
			f.must(f.WarnOfQuota(f.Context(), "shop", other))
		}
		f.must(f.WarnOfQuota(f.Context(), "other", w))
		equal(f, "all warnings", f.warnings(early), 5)
		f.wantErr(f.WarnOfQuota(f.Context(), "none", w), skein.ErrUnknownApp)
	}},
	{"what is too old is forgotten, and what a deleted app used", func(f *fixture) {
		now := skein.DayOf(f.now())
		f.app("shop")
		f.app("gone")
		for _, day := range []skein.Day{now - skein.UsageDays - 1, now - skein.UsageDays, now} {
			_, err := f.AddUsage(f.Context(), store.UsageReport{
				Day: day, Apps: []store.AppUsage{{App: "shop", Messages: 1}, {App: "gone", Messages: 1}},
				Keys: []store.KeyUse{{App: "shop", Name: day.String(), At: day.Begin()}, {App: "gone", Name: "k", At: day.Begin()}},
			})
			f.must(err)
		}
		f.must(f.DeleteApp(f.Context(), "gone"))
		equal(f, "of a deleted app", len(f.usageOf("gone")), 0)
		f.purge()
		f.app("gone")
		equal(f, "of an app that was created anew", len(f.usageOf("gone")), 0)
		for app, want := range map[string]int{"gone": 0, "shop": 2} {
			uses, err := f.KeyUses(f.Context(), app)
			f.must(err)
			equal(f, "keys of "+app, len(uses), want)
		}
		equal(f, "days", len(f.usageOf("shop")), 2)
	}},
}

// warnings counts the warnings in the feed behind a place.
func (f *fixture) warnings(since store.FeedCursor) (n int) {
	f.Helper()
	all, _ := f.feedAfter(since, 100)
	for _, e := range all {
		if e.Kind == store.EntryQuotaWarning {
			n++
		}
	}
	return n
}
