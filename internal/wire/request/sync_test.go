package request

import (
	"math"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/cursor"
)

func TestASyncCursorComesBackAsItWas(t *testing.T) {
	for _, c := range []skein.SyncCursor{
		{}, {Epoch: 1}, {Since: 2}, {Upto: 3}, {Key: 4},
		{Epoch: math.MaxInt64, Since: math.MinInt64, Upto: -1, Key: 1},
	} {
		got, _, err := Sync{Cursor: cursor.OfSync(c, testSeal)}.Parse(testSeal)
		if err != nil || got != c {
			t.Errorf("%+v: got %+v, %v", c, got, err)
		}
	}
}

func TestASyncIsHeldToItsBounds(t *testing.T) {
	good := cursor.OfSync(skein.SyncCursor{Epoch: 1}, testSeal)
	for name, tt := range map[string]struct {
		in    Sync
		field string // empty: it is taken
		limit int
	}{
		"nothing":            {Sync{}, "", 100},
		"a cursor":           {Sync{Cursor: good}, "", 100},
		"the least":          {Sync{Limit: new(int64(1))}, "", 1},
		"the most":           {Sync{Limit: new(int64(200))}, "", 200},
		"none":               {Sync{Limit: new(int64(0))}, "limit", 0},
		"too many":           {Sync{Limit: new(int64(201))}, "limit", 0},
		"no base64":          {Sync{Cursor: "!" + good[1:]}, "cursor", 0},
		"a shorter cursor":   {Sync{Cursor: good[4:]}, "cursor", 0},
		"a longer cursor":    {Sync{Cursor: good + "AAAA"}, "cursor", 0},
		"a cursor of a page": {Sync{Cursor: *cursor.OfPage(skein.Cursor{Sort: 1}, testSeal)}, "cursor", 0},
	} {
		_, limit, err := tt.in.Parse(testSeal)
		if tt.field == "" {
			if err != nil || limit != tt.limit {
				t.Errorf("%s: got limit %d, %v; want %d", name, limit, err, tt.limit)
			}
			continue
		}
		checkFault(t, name, tt.in.Cursor, err, skein.ErrMalformed, tt.field)
	}
	if _, err := (Paging{Cursor: good}).Parse(20, testSeal); err == nil {
		t.Error("a cursor of sync is taken for one of a page")
	}
}
