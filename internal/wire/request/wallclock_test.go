package request

import (
	"reflect"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

// TestATimeThatIsAnsweredMatchesItself walks over days on which clocks are put
// forward and back, by whole hours and not, and over a day that was left out.
func TestATimeThatIsAnsweredMatchesItself(t *testing.T) {
	for zone, day := range map[string]string{
		"UTC": "2024-02-28", "Asia/Shanghai": "2024-02-28", "America/New_York": "2024-11-02", "Europe/London": "2024-03-30",
		"Europe/Berlin": "2024-10-26", "Australia/Lord_Howe": "2024-04-06", "Pacific/Apia": "2011-12-28", "Africa/Casablanca": "2024-03-09",
		"Asia/Kathmandu": "1985-12-31", "America/St_Johns": "2011-11-05", "Europe/Dublin": "2024-10-26",
	} {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		begin, _ := time.Parse(time.DateOnly, day)
		for at := begin.UnixMilli(); at < begin.Add(72*time.Hour).UnixMilli(); at += 541_001 {
			text := skein.Millis(at).Time().In(location).Format(wire.TimeLayout)
			for op, want := range map[string]bool{"=": true, "in": true, "<=": true, ">=": true, "!=": false, "<": false, ">": false, "not in": false} {
				value := `"` + text + `"`
				if strings.HasSuffix(op, "in") {
					value = "[" + value + "]"
				}
				where, err := ParseWhere([]byte(`[["ctime","`+op+`",`+value+`]]`), location)
				if err != nil {
					t.Fatal(err)
				}
				if got := holds(where[0], skein.Millis(at)); got != want {
					t.Fatalf("%s: %d is answered as %s: %s: got %v, want %v (%+v)", zone, at, text, op, got, want, where)
				}
			}
		}
	}
}

// holds is a condition on a time as the stores are promised it.
func holds(c skein.Condition, at skein.Millis) bool {
	for _, v := range c.Values {
		s := v.(skein.Span)
		in := s.From <= at && at < s.Until
		switch c.Op {
		case skein.Lt:
			return at < s.From
		case skein.Le:
			return at < s.Until
		case skein.Gt:
			return at >= s.Until
		case skein.Ge:
			return at >= s.From
		default:
			if in {
				return c.Op == skein.Eq || c.Op == skein.In
			}
		}
	}
	return c.Op == skein.Ne || c.Op == skein.NotIn
}

func TestAWallClockShowsATimeOnceTwiceOrNever(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) skein.Millis {
		m, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return skein.MillisOf(m)
	}
	second := func(text string) skein.Span { return skein.Span{From: at(text), Until: at(text) + 1000} }
	for text, want := range map[string][]skein.Span{
		"2024-07-01 12:00:00": {second("2024-07-01T10:00:00Z")},
		"2024-10-27 01:59:59": {second("2024-10-26T23:59:59Z")},
		"2024-10-27 02:30:00": {second("2024-10-27T00:30:00Z"), second("2024-10-27T01:30:00Z")},
		"2024-10-27 03:00:00": {second("2024-10-27T02:00:00Z")},
		"2024-03-31 02:30:00": {{From: at("2024-03-31T01:00:00Z"), Until: at("2024-03-31T01:00:00Z")}},
		"2024-03-31 03:00:00": {second("2024-03-31T01:00:00Z")},
	} {
		wall, err := time.Parse(wire.TimeLayout, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := secondsOf(wall, berlin); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}
