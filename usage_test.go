package skein_test

import (
	"fmt"
	"strings"
	"testing"

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
