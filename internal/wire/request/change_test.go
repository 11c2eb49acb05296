package request

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/strict"
)

func TestAListMayStandBareWhereItIsAllThereIs(t *testing.T) {
	for body, want := range map[string]int{
		`{"ranges":[{"conv_id":"a"},{"conv_id":"b"}]}`: 2,
		`[{"conv_id":"a"},{"conv_id":"b"}]`:            2,
		`[{"conv_id":"a"}]` + "\n":                     1,
	} {
		for way, decode := range map[string]func(in any) error{
			"by socket": func(in any) error { return strict.Decode([]byte(body), in) },
			"by REST":   func(in any) error { return strict.DecodeHTTP([]byte(body), url.Values{}, nil, in) },
		} {
			var in MessageRanges
			if err := decode(&in); err != nil || len(in.Ranges) != want || in.Ranges[0].ConvID != "a" {
				t.Errorf("%s %s: got %d ranges and error %v, want %d", body, way, len(in.Ranges), err, want)
			}
		}
	}
	var other EditMessage
	if err := strict.Decode([]byte(`[]`), &other); wire.CodeOf(err).Code != 4406 {
		t.Errorf("a list where an object is due: got error %v, want 4406", err)
	}
	for _, body := range []string{`[{"conv_id":"a"}]]`, `[`, `[{"conv_id":"a"}],"client_id":"Tom"`, strings.Repeat("[", 40)} {
		if err := strict.Decode([]byte(body), &MessageRanges{}); wire.CodeOf(err).Code != 4406 {
			t.Errorf("%s: got error %v, want 4406", body, err)
		}
	}
}

func TestRangesAreHeldToTheirBounds(t *testing.T) {
	n := func(v int64) *int64 { return &v }
	one := func(r Range) MessageRanges { return MessageRanges{Ranges: []Range{{ConvID: "a"}, r}} }
	for name, tt := range map[string]struct {
		in    MessageRanges
		code  int
		field string
	}{
		"two hundred":             {MessageRanges{Ranges: slicesOf(200)}, 0, ""},
		"one more":                {MessageRanges{Ranges: slicesOf(201)}, 4406, "ranges"},
		"none":                    {MessageRanges{}, 4001, "ranges"},
		"all that can be said":    {one(Range{ConvID: "a", AfterSeq: n(0), AfterChange: n(0), Limit: n(200)}), 0, ""},
		"without a conversation":  {one(Range{}), 4001, "ranges.1.conv_id"},
		"a seq below zero":        {one(Range{ConvID: "a", AfterSeq: n(-1)}), 4406, "ranges.1.after_seq"},
		"a change_seq below zero": {one(Range{ConvID: "a", AfterChange: n(-1)}), 4406, "ranges.1.after_change"},
		"a limit of none":         {one(Range{ConvID: "a", Limit: n(0)}), 4406, "ranges.1.limit"},
		"a limit too high":        {one(Range{ConvID: "a", Limit: n(201)}), 4406, "ranges.1.limit"},
	} {
		err := tt.in.Check()
		if got := codeOf(err); got != tt.code || tt.field != "" && fieldOf(err) != tt.field {
			t.Errorf("%s: got error %v, want %d about %q", name, err, tt.code, tt.field)
		}
	}
}

func slicesOf(n int) []Range {
	list := make([]Range, n)
	for i := range list {
		list[i].ConvID = "a"
	}
	return list
}

func TestAnEditSaysWhatItIsAbout(t *testing.T) {
	for body, tt := range map[string]struct {
		text, attr string // "-": stays
		code       int
		mentions   string // empty: stay
	}{
		`{}`:                        {"", "", 4001, ""},
		`{"text":null}`:             {"", "", 4001, ""},
		`{"text":"hi"}`:             {"hi", "-", 0, ""},
		`{"text":""}`:               {"", "-", 0, ""},
		`{"attr":{"a": 1}}`:         {"-", `{"a":1}`, 0, ""},
		`{"attr":null}`:             {"-", "", 0, ""},
		`{"text":"hi","attr":null}`: {"hi", "", 0, ""},
		`{"text":1}`:                {"", "", 4406, ""},
		`{"expected_version":2}`:    {"", "", 4001, ""},
		`{"text":"hi","attr":"` + strings.Repeat("x", skein.MaxAttr) + `"}`: {"", "", 4406, ""},
		`{"text":"hi","expected_version":0}`:                                {"", "", 4406, ""},
		`{"text":"hi","expected_version":"1"}`:                              {"", "", 4406, ""},
		`{"mention_all":1}`:                                                 {"-", "-", 0, "true"},
		`{"mention_all":0,"text":"hi"}`:                                     {"hi", "-", 0, "false"},
		`{"mention_all":null}`:                                              {"", "", 4001, ""},
		`{"mention_all":2}`:                                                 {"", "", 4406, ""},
		`{"mention_client_ids":["a",2,"a"]}`:                                {"-", "-", 0, "[a 2]"},
		`{"mention_client_ids":[]}`:                                         {"-", "-", 0, "[]"},
		`{"mention_client_ids":null}`:                                       {"-", "-", 0, "[]"},
		`{"mention_client_ids":"a"}`:                                        {"", "", 4406, ""},
		`{"mention_client_ids":["a b"]}`:                                    {"", "", 212, ""},
		`{"mention_client_ids":["` + strings.Repeat(`a","`, 100) + `a"]}`:   {"", "", 4406, ""},
	} {
		var in EditMessage
		var e Edit
		err := strict.Decode([]byte(`{"conv_id":"a","msg_id":"b",`+strings.TrimPrefix(body, "{")), &in)
		if body == `{}` {
			err = strict.Decode([]byte(`{"conv_id":"a","msg_id":"b"}`), &in)
		}
		if err == nil {
			e, err = in.Edit(false)
		}
		if codeOf(err) != tt.code {
			t.Errorf("%.60s: got error %v, want %d", body, err, tt.code)
		}
		if err != nil {
			continue
		}
		gotText, gotAttr := "-", "-"
		if e.Text != nil {
			gotText = *e.Text
		}
		if e.SetAttr {
			gotAttr = string(jsontext.Value(e.Attr))
		}
		if gotText != tt.text || gotAttr != tt.attr {
			t.Errorf("%s: got text %q and attr %q, want %q and %q", body, gotText, gotAttr, tt.text, tt.attr)
		}
		gotMentions := ""
		if e.MentionAll != nil {
			gotMentions = fmt.Sprint(*e.MentionAll)
		}
		if e.Mentions != nil {
			gotMentions += fmt.Sprint(*e.Mentions)
		}
		if gotMentions != tt.mentions {
			t.Errorf("%s: got mentions %q, want %q", body, gotMentions, tt.mentions)
		}
	}
}
