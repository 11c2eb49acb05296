package adminrows

import (
	"fmt"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

func TestUsageIsListedByDayAndKeysSayWhenTheyWereLastUsed(t *testing.T) {
	f := newFixture(t)
	now := f.cases.Now()
	today := skein.DayOf(now)
	for i, day := range []skein.Day{today - 30, today - 29, today} {
		if _, err := f.store.AddUsage(t.Context(), store.UsageReport{
			Day: day, Minute: int64(i), Apps: []store.AppUsage{{App: "shop", Messages: int64(i), Deliveries: 7, Connections: 3}},
			Keys: []store.KeyUse{{App: "shop", Name: "default", At: now}, {App: "shop", Name: "again", At: now - 1}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	line := func(day skein.Day, messages int) string {
		return fmt.Sprintf(`{"day":"%s","messages":%d,"deliveries":7,"connections_peak":3,"storage_bytes":0}`, day, messages)
	}
	for body, want := range map[string]string{
		`{"app_id":"shop"}`: line(today-29, 1) + "," + line(today, 2),
		fmt.Sprintf(`{"app_id":"shop","last":"%s"}`, today-29):                     line(today-30, 0) + "," + line(today-29, 1),
		fmt.Sprintf(`{"app_id":"shop","first":"%s","last":"%s"}`, today, today):    line(today, 2),
		fmt.Sprintf(`{"app_id":"shop","first":"%s","last":"%s"}`, today, today-30): "",
		`{"app_id":"other"}`: "",
	} {
		if got, err := f.call(f.by(3), "app.usage", body); err != nil || string(got) != `{"data":[`+want+`]}` {
			t.Errorf("app.usage %s:\ngot  %s, %v\nwant %s", body, got, err, want)
		}
	}
	if _, err := f.call(f.by(0), "app.key.create", `{"app_id":"shop","key_name":"again"}`); err != nil {
		t.Fatal(err)
	}
	got, err := f.call(f.by(0), "app.key.list", `{"app_id":"shop"}`)
	want := fmt.Sprintf(`{"data":[{"key_name":"default","created":0,"expires":null,"last_used":%d},{"key_name":"again","created":%d,"expires":null,"last_used":null}]}`, now, now)
	if err != nil || string(got) != want {
		t.Errorf("the keys; one of them has the name of an earlier one:\ngot  %s, %v\nwant %s", got, err, want)
	}
}
