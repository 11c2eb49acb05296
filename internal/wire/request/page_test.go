package request

import (
	"math"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/cursor"
)

func TestAPlaceIsCheckedAndHasDefaults(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	for name, tt := range map[string]struct {
		in     Paging
		want   wire.PageRequest
		offset int
	}{
		"nothing":         {Paging{}, wire.PageRequest{Page: 1, Size: 20, Seal: testSeal}, 0},
		"a page":          {Paging{Page: n(3)}, wire.PageRequest{Page: 3, Size: 20, Seal: testSeal}, 40},
		"a size":          {Paging{Page: n(2), Size: n(100)}, wire.PageRequest{Page: 2, Size: 100, Seal: testSeal}, 100},
		"page 100,000":    {Paging{Page: n(100_000), Size: n(1)}, wire.PageRequest{Page: 100_000, Size: 1, Seal: testSeal}, 99_999},
		"the last of all": {Paging{Page: n(maxPage), Size: n(100)}, wire.PageRequest{Page: maxPage, Size: 100, Seal: testSeal}, (maxPage - 1) * 100},
	} {
		if got, err := tt.in.Parse(20, testSeal); err != nil || got != tt.want || got.Offset() != tt.offset {
			t.Errorf("%s: got %+v at %d, %v; want %+v at %d", name, got, got.Offset(), err, tt.want, tt.offset)
		}
	}
	for name, tt := range map[string]struct {
		in    Paging
		field string
	}{
		"page 0":            {Paging{Page: n(0)}, "page"},
		"a page below":      {Paging{Page: n(-1)}, "page"},
		"a page too far":    {Paging{Page: n(maxPage + 1)}, "page"},
		"size 0":            {Paging{Size: n(0)}, "size"},
		"size 101":          {Paging{Size: n(101)}, "size"},
		"no cursor of ours": {Paging{Cursor: "abc"}, "cursor"},
		"no base64":         {Paging{Cursor: "?????????????????????!"}, "cursor"},
		"a longer cursor":   {Paging{Cursor: *cursor.OfPage(skein.Cursor{Sort: 1}, testSeal) + "AAAA"}, "cursor"},
		"an earlier cursor": {Paging{Cursor: "AAAAAAAAAAEAAAAAAAAAAgAAAAAAAAAAAA"}, "cursor"},
	} {
		_, err := tt.in.Parse(20, testSeal)
		checkFault(t, name, tt.in.Cursor, err, skein.ErrMalformed, tt.field)
	}
}

func TestACursorComesBackAsItWas(t *testing.T) {
	for _, c := range []skein.Cursor{{Sort: 1}, {Tie: 1}, {Sort: math.MaxInt64, Tie: math.MinInt64}, {Sort: -1, Tie: -1}, {Since: 5, Again: true}} {
		page, err := Paging{Cursor: *cursor.OfPage(c, testSeal)}.Parse(20, testSeal)
		if err != nil || page.After != c {
			t.Errorf("%+v: got %+v, %v", c, page.After, err)
		}
	}
	if got := cursor.OfPage(skein.Cursor{}, testSeal); got != nil {
		t.Errorf("the end: got %q, want null", *got)
	}
}
