package wire

import (
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/cursor"
)

func TestAPageSaysWhereItStands(t *testing.T) {
	for name, tt := range map[string]struct {
		at    PageRequest
		items []string
		total int
		next  skein.Cursor
		want  string
	}{
		"none":         {PageRequest{Page: 1, Size: 20}, nil, 0, skein.Cursor{}, `{"current_page":1,"data":[],"last_page":1,"per_page":20,"total":0,"next_cursor":null}`},
		"one full":     {PageRequest{Page: 1, Size: 2}, []string{"a", "b"}, 2, skein.Cursor{}, `{"current_page":1,"data":["a","b"],"last_page":1,"per_page":2,"total":2,"next_cursor":null}`},
		"one more":     {PageRequest{Page: 2, Size: 2}, []string{"c"}, 3, skein.Cursor{}, `{"current_page":2,"data":["c"],"last_page":2,"per_page":2,"total":3,"next_cursor":null}`},
		"past the end": {PageRequest{Page: 9, Size: 2}, nil, 3, skein.Cursor{}, `{"current_page":9,"data":[],"last_page":2,"per_page":2,"total":3,"next_cursor":null}`},
		"more follows": {PageRequest{Page: 1, Size: 1, Seal: testSeal}, []string{"a"}, 2, skein.Cursor{Sort: 1, Tie: 2}, `{"current_page":1,"data":["a"],"last_page":2,"per_page":1,"total":2,"next_cursor":"` + *cursor.OfPage(skein.Cursor{Sort: 1, Tie: 2}, testSeal) + `"}`},
	} {
		got, err := json.Marshal(NewPage(tt.at, tt.items, tt.total, tt.next))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, tt.want)
		}
	}
}
