package wire

import (
	"math"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
)

func TestASyncCursorComesBackAsItWas(t *testing.T) {
	for _, c := range []skein.SyncCursor{
		{}, {Epoch: 1}, {Since: 2}, {Upto: 3}, {Key: 4},
		{Epoch: math.MaxInt64, Since: math.MinInt64, Upto: -1, Key: 1},
	} {
		got, _, err := SyncRequest{Cursor: syncCursorText(c, testSeal)}.Place(testSeal)
		if err != nil || got != c {
			t.Errorf("%+v: got %+v, %v", c, got, err)
		}
	}
}

func TestASyncIsHeldToItsBounds(t *testing.T) {
	good := syncCursorText(skein.SyncCursor{Epoch: 1}, testSeal)
	for name, tt := range map[string]struct {
		in    SyncRequest
		field string // empty: it is taken
		limit int
	}{
		"nothing":            {SyncRequest{}, "", 100},
		"a cursor":           {SyncRequest{Cursor: good}, "", 100},
		"the least":          {SyncRequest{Limit: new(int64(1))}, "", 1},
		"the most":           {SyncRequest{Limit: new(int64(200))}, "", 200},
		"none":               {SyncRequest{Limit: new(int64(0))}, "limit", 0},
		"too many":           {SyncRequest{Limit: new(int64(201))}, "limit", 0},
		"no base64":          {SyncRequest{Cursor: "!" + good[1:]}, "cursor", 0},
		"a shorter cursor":   {SyncRequest{Cursor: good[4:]}, "cursor", 0},
		"a longer cursor":    {SyncRequest{Cursor: good + "AAAA"}, "cursor", 0},
		"a cursor of a page": {SyncRequest{Cursor: *cursorText(skein.Cursor{Sort: 1}, testSeal)}, "cursor", 0},
	} {
		_, limit, err := tt.in.Place(testSeal)
		if tt.field == "" {
			if err != nil || limit != tt.limit {
				t.Errorf("%s: got limit %d, %v; want %d", name, limit, err, tt.limit)
			}
			continue
		}
		checkFault(t, name, tt.in.Cursor, err, skein.ErrMalformed, tt.field)
	}
	if _, err := (PageRequest{Cursor: good}).Place(20, testSeal); err == nil {
		t.Error("a cursor of sync is taken for one of a page")
	}
}

func TestASyncIsAnsweredAsDocumented(t *testing.T) {
	next := skein.SyncCursor{Epoch: 7, Since: 1}
	text := `"next_cursor":"` + syncCursorText(next, testSeal) + `"`
	for name, tt := range map[string]struct {
		p    skein.SyncPage
		want string
	}{
		"nothing": {skein.SyncPage{Next: next, Done: true}, `{"conversations":[],"deleted":[],` + text + `,"done":true,"reset_required":false,"epoch":7}`},
		"gone":    {skein.SyncPage{Gone: []skein.ID{{1}}, Next: next}, `{"conversations":[],"deleted":["01000000000000000000000000000000"],` + text + `,"done":false,"reset_required":false,"epoch":7}`},
		"a reset": {skein.SyncPage{Next: next, Reset: true}, `{"conversations":[],"deleted":[],` + text + `,"done":false,"reset_required":true,"epoch":7}`},
	} {
		got, err := json.Marshal(SyncAnswerOf(tt.p, time.UTC, testSeal))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", name, got, err, tt.want)
		}
	}
	two := SyncAnswerOf(skein.SyncPage{Views: []skein.View{
		{Conversation: skein.Conversation{ID: skein.ID{1}}}, {Conversation: skein.Conversation{ID: skein.ID{2}}},
	}}, time.UTC, testSeal)
	if len(two.Conversations) != 2 || two.Conversations[1].ConvID != (skein.ID{2}) {
		t.Errorf("two views: got %+v", two.Conversations)
	}
}
