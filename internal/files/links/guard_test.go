package links_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/files/links"
)

// request has the kinds of fields that requests have.
type request struct {
	Text  string
	Attr  jsontext.Value
	Given struct{ Text string }
	List  []request
	Note  *string
}

func TestAClientNamesOnlyFilesThatItMayOpen(t *testing.T) {
	now := noon
	s := signer(&now)
	file := func(digit string) string { return skein.UploadsPath + digit + name[1:] }
	uploads := map[string]skein.Upload{}
	for digit, u := range map[string]skein.Upload{
		"a": {App: "shop", Client: "tom"}, "b": {App: "shop", Client: "jerry"}, "c": {App: "shop"}, "d": {App: "other", Client: "jerry"},
	} {
		uploads[digit+name[1:]] = u
	}
	guard := links.Guard{Signer: s, Find: func(_ context.Context, name string) (skein.Upload, bool, error) {
		u, found := uploads[name]
		return u, found, nil
	}}
	by := skein.Actor{App: shop(), Client: "tom"}
	fresh := func(link string) string { return string(s.Refresh(by.App, []byte(link))) }
	expired := fresh(file("b"))
	now = noon.Add(2 * time.Hour)
	note := file("b")
	for what, tt := range map[string]struct {
		in      request
		refused bool
	}{
		"a file of one's own":                      {request{Text: file("a")}, false},
		"a fresh link to another's":                {request{Text: "see " + fresh(file("b"))}, false},
		"an expired link to another's":             {request{Text: expired}, true},
		"another's without a signature":            {request{Text: file("b")}, true},
		"the backend's without a signature":        {request{Text: file("c")}, true},
		"a file of another app":                    {request{Text: file("d")}, false}, // opens nothing
		"a file that does not exist":               {request{Text: file("e")}, false},
		"a fresh one before another's":             {request{Text: fresh(file("a")) + " " + file("b")}, true},
		"in attr":                                  {request{Attr: jsontext.Value(`{"a":["` + file("b") + `"]}`)}, true},
		"in attr, with escaped slashes":            {request{Attr: jsontext.Value(`"` + strings.ReplaceAll(file("b"), "/", `\/`) + `"`)}, true},
		"in attr, with Unicode escapes":            {request{Attr: jsontext.Value(`"` + strings.ReplaceAll(file("b"), "/", `\u002f`) + `"`)}, true},
		"in attr, as a key":                        {request{Attr: jsontext.Value(`{"` + file("b") + `":1}`)}, true},
		"in attr, fresh":                           {request{Attr: jsontext.Value(`{"a":"` + fresh(file("b")) + `"}`)}, false},
		"in a field of a field":                    {request{Given: struct{ Text string }{file("b")}}, true},
		"in a list":                                {request{List: []request{{}, {Text: file("b")}}}, true},
		"behind a pointer":                         {request{Note: &note}, true},
		"nothing":                                  {request{}, false},
		"the hex digits alone, which nobody signs": {request{Text: "b" + name[1:]}, false},
		"20 links to look up":                      {request{Text: strings.Repeat(file("a")+" ", 20)}, false},
		"21 links to look up":                      {request{Text: strings.Repeat(file("a")+" ", 21)}, true},
	} {
		err := guard.Admit(t.Context(), by, tt.in)
		if errors.Is(err, skein.ErrForbidden) != tt.refused || err != nil && !tt.refused {
			t.Errorf("%s: %+v: got %v, want refused: %v", what, tt.in, err, tt.refused)
		}
	}
	away := links.Guard{Signer: s, Find: func(context.Context, string) (skein.Upload, bool, error) {
		return skein.Upload{}, false, skein.ErrUnavailable
	}}
	if err := away.Admit(t.Context(), by, request{Text: file("b")}); !errors.Is(err, skein.ErrUnavailable) {
		t.Errorf("while the store is away: got %v, want %v", err, skein.ErrUnavailable)
	}
}

// What a message says without a link must cost next to nothing, in apps with private files too.
func BenchmarkRefresh(b *testing.B) {
	now := noon
	s := signer(&now)
	prose := []byte(`{"type":"msg.new","data":{"from_client":"tom","text":"` + strings.Repeat("lorem ipsum ", 30) + `","attr":null,"url":null}}`)
	for what, frame := range map[string][]byte{"without a link": prose, "with a link": append(prose, url...)} {
		b.Run(what, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Refresh(shop(), frame)
			}
		})
	}
}
