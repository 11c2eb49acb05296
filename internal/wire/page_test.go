package wire

import (
	"math"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
)

func TestAPlaceIsCheckedAndHasDefaults(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	for name, tt := range map[string]struct {
		in     PageRequest
		want   Place
		offset int
	}{
		"nothing":         {PageRequest{}, Place{Page: 1, Size: 20, Seal: testSeal}, 0},
		"a page":          {PageRequest{Page: n(3)}, Place{Page: 3, Size: 20, Seal: testSeal}, 40},
		"a size":          {PageRequest{Page: n(2), Size: n(100)}, Place{Page: 2, Size: 100, Seal: testSeal}, 100},
		"page 100,000":    {PageRequest{Page: n(100_000), Size: n(1)}, Place{Page: 100_000, Size: 1, Seal: testSeal}, 99_999},
		"the last of all": {PageRequest{Page: n(maxPage), Size: n(100)}, Place{Page: maxPage, Size: 100, Seal: testSeal}, (maxPage - 1) * 100},
	} {
		if got, err := tt.in.Place(20, testSeal); err != nil || got != tt.want || got.Offset() != tt.offset {
			t.Errorf("%s: got %+v at %d, %v; want %+v at %d", name, got, got.Offset(), err, tt.want, tt.offset)
		}
	}
	for name, tt := range map[string]struct {
		in    PageRequest
		field string
	}{
		"page 0":            {PageRequest{Page: n(0)}, "page"},
		"a page below":      {PageRequest{Page: n(-1)}, "page"},
		"a page too far":    {PageRequest{Page: n(maxPage + 1)}, "page"},
		"size 0":            {PageRequest{Size: n(0)}, "size"},
		"size 101":          {PageRequest{Size: n(101)}, "size"},
		"no cursor of ours": {PageRequest{Cursor: "abc"}, "cursor"},
		"no base64":         {PageRequest{Cursor: "?????????????????????!"}, "cursor"},
		"a longer cursor":   {PageRequest{Cursor: *cursorText(skein.Cursor{Sort: 1}, testSeal) + "AAAA"}, "cursor"},
		"an earlier cursor": {PageRequest{Cursor: "AAAAAAAAAAEAAAAAAAAAAgAAAAAAAAAAAA"}, "cursor"},
	} {
		_, err := tt.in.Place(20, testSeal)
		checkFault(t, name, tt.in.Cursor, err, skein.ErrMalformed, tt.field)
	}
}

func TestACursorComesBackAsItWas(t *testing.T) {
	for _, c := range []skein.Cursor{{Sort: 1}, {Tie: 1}, {Sort: math.MaxInt64, Tie: math.MinInt64}, {Sort: -1, Tie: -1}, {Since: 5, Again: true}} {
		place, err := PageRequest{Cursor: *cursorText(c, testSeal)}.Place(20, testSeal)
		if err != nil || place.After != c {
			t.Errorf("%+v: got %+v, %v", c, place.After, err)
		}
	}
	if got := cursorText(skein.Cursor{}, testSeal); got != nil {
		t.Errorf("the end: got %q, want null", *got)
	}
}

func TestAPageSaysWhereItStands(t *testing.T) {
	for name, tt := range map[string]struct {
		at    Place
		items []string
		total int
		next  skein.Cursor
		want  string
	}{
		"none":         {Place{Page: 1, Size: 20}, nil, 0, skein.Cursor{}, `{"current_page":1,"data":[],"last_page":1,"per_page":20,"total":0,"next_cursor":null}`},
		"one full":     {Place{Page: 1, Size: 2}, []string{"a", "b"}, 2, skein.Cursor{}, `{"current_page":1,"data":["a","b"],"last_page":1,"per_page":2,"total":2,"next_cursor":null}`},
		"one more":     {Place{Page: 2, Size: 2}, []string{"c"}, 3, skein.Cursor{}, `{"current_page":2,"data":["c"],"last_page":2,"per_page":2,"total":3,"next_cursor":null}`},
		"past the end": {Place{Page: 9, Size: 2}, nil, 3, skein.Cursor{}, `{"current_page":9,"data":[],"last_page":2,"per_page":2,"total":3,"next_cursor":null}`},
		"more follows": {Place{Page: 1, Size: 1, Seal: testSeal}, []string{"a"}, 2, skein.Cursor{Sort: 1, Tie: 2}, `{"current_page":1,"data":["a"],"last_page":2,"per_page":1,"total":2,"next_cursor":"` + *cursorText(skein.Cursor{Sort: 1, Tie: 2}, testSeal) + `"}`},
	} {
		got, err := json.Marshal(NewPage(tt.at, tt.items, tt.total, tt.next))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, tt.want)
		}
	}
}
