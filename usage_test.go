package skein_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

func TestADayIsWrittenAndReadAsADate(t *testing.T) {
	for text, want := range map[string]skein.Day{"1970-01-02": 1, "2026-11-30": 20787} {
		got, ok := skein.ParseDay(text)
		if got != want || !ok || got.String() != text || skein.DayOf(got.Begin()) != got || skein.DayOf(got.Begin()-1) == got {
			t.Errorf("%s: got %d %s, %v, want %d", text, got, got, ok, want)
		}
	}
	for _, text := range []string{"", "2026-11-31", "2026-1-1", "1969-12-31", "yesterday"} {
		if got, ok := skein.ParseDay(text); ok {
			t.Errorf("%q: got %d, want it refused", text, got)
		}
	}
}

func TestASpanOfDaysEndsTodayUnlessTheCallSays(t *testing.T) {
	now := skein.Day(20787).Begin().Add(time.Hour) // 2026-11-30
	for name, tt := range map[string]struct{ first, last, want string }{
		"nothing":         {"", "", "2026-11-01 2026-11-30"},
		"the last alone":  {"", "2026-10-30", "2026-10-01 2026-10-30"},
		"the first alone": {"2026-11-29", "", "2026-11-29 2026-11-30"},
		"both":            {"2026-01-01", "2026-01-02", "2026-01-01 2026-01-02"},
	} {
		from, to, err := skein.ParseUsageSpan(tt.first, tt.last, now)
		if got := fmt.Sprint(from, to); got != tt.want || err != nil {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, tt.want)
		}
	}
	for _, tt := range [][3]string{{"2026-11-31", "", "first"}, {"", "x", "last"}, {"x", "2026-11-30", "first"}} {
		var fault *skein.Fault
		if _, _, err := skein.ParseUsageSpan(tt[0], tt[1], now); !errors.As(err, &fault) || !errors.Is(err, skein.ErrMalformed) || fault.Field != tt[2] {
			t.Errorf("%q to %q: got error %v, want one about %s", tt[0], tt[1], err, tt[2])
		}
	}
}

func TestAWarningIsDueAtFourFifthsOfAQuota(t *testing.T) {
	limits := skein.Settings{QuotaMessages: 10, QuotaDeliveries: 100, QuotaConnections: 4, MaxStorageBytes: 1 << 50}
	for name, tt := range map[string]struct {
		limits skein.Settings
		used   skein.Usage
		want   string
	}{
		"nothing used":              {limits, skein.Usage{}, ""},
		"just below all of them":    {limits, skein.Usage{Messages: 7, Deliveries: 79, Connections: 3, StorageBytes: 1 << 49}, ""},
		"messages and deliveries":   {limits, skein.Usage{Messages: 8, Deliveries: 80}, "messages 8/10 1970-01-01, deliveries 80/100 1970-01-01"},
		"beyond, and not of a day":  {limits, skein.Usage{Connections: 9, StorageBytes: 1 << 50}, "connections 9/4 , storage 1125899906842624/1125899906842624 "},
		"an app without any quotas": {skein.Settings{}, skein.Usage{Messages: 1 << 60, StorageBytes: 1 << 60}, ""},
	} {
		var got []string
		for _, w := range tt.limits.QuotaWarnings(tt.used) {
			got = append(got, fmt.Sprintf("%s %d/%d %s", w.Quota, w.Used, w.Limit, w.Day))
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, s, tt.want)
		}
	}
}
