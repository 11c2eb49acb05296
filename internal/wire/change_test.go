package wire

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

func TestChangesAreWrittenAsDocumented(t *testing.T) {
	conv := skein.ID{4, 5, 6}
	m := skein.Message{ID: skein.ID{1}, Conv: conv, Seq: 7, Sender: "Tom", Status: skein.StatusNormal, Version: 1, Changed: 3}
	const head = `{"conv_id":"04050600000000000000000000000000","change_seq":3,"kind":`
	const of = `"msg_id":"01000000000000000000000000000000","seq":7,`
	const nobody = `"msg_id":null,"seq":null,"client_id":null,"time":9,"message":null}`
	message := string(MessageOf(&m).AppendJSON(nil))
	for name, tt := range map[string]struct {
		change skein.Change
		want   string
	}{
		"an edit":                 {skein.Change{Kind: skein.ChangeEdit, By: "Tom"}, `"edit",` + of + `"client_id":"Tom","time":9,"message":` + message + `}`},
		"the backend's recall":    {skein.Change{Kind: skein.ChangeRecall}, `"recall",` + of + `"client_id":null,"time":9,"message":` + message + `}`},
		"a reaction":              {skein.Change{Kind: skein.ChangeReact, By: "Tom", Emoji: "👍", On: true}, `"react",` + of + `"client_id":"Tom","time":9,"emoji":"👍","on":1,"message":` + message + `}`},
		"a reaction taken away":   {skein.Change{Kind: skein.ChangeReact, By: "Tom", Emoji: "👍"}, `"react",` + of + `"client_id":"Tom","time":9,"emoji":"👍","on":0,"message":` + message + `}`},
		"a pin":                   {skein.Change{Kind: skein.ChangePin, By: "Tom", On: true}, `"pin",` + of + `"client_id":"Tom","time":9,"on":1,"message":` + message + `}`},
		"a deletion for oneself":  {skein.Change{Kind: skein.ChangeHide, By: "Tom"}, `"delete",` + of + `"client_id":"Tom","time":9,"message":` + message + `}`},
		"one that is another's":   {skein.Change{Kind: skein.ChangeNone}, `"none",` + nobody},
		"another's that says who": {skein.Change{Kind: skein.ChangeNone, By: "Tom", Emoji: "x", On: true}, `"none",` + nobody},
	} {
		tt.change.Seq, tt.change.At, tt.change.Message = 3, 9, m
		if got := string(ChangeOf(conv, &tt.change).AppendJSON(nil)); got != head+tt.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, head+tt.want)
		}
		frame, want := string(AppendUpdate(nil, conv, &tt.change)), `{"type":"msg.updated","data":`+head+tt.want+`}`
		if frame != want {
			t.Errorf("%s, pushed:\n got %s\nwant %s", name, frame, want)
		}
	}
	if got, want := string(NewChanges(conv, nil, false, 4).AppendJSON(nil)), `{"data":[],"has_more":false,"last_change":4}`; got != want {
		t.Errorf("no changes: got %s, want %s", got, want)
	}
}

func TestAListMayStandBareWhereItIsAllThereIs(t *testing.T) {
	for body, want := range map[string]int{
		`{"ranges":[{"conv_id":"a"},{"conv_id":"b"}]}`: 2,
		`[{"conv_id":"a"},{"conv_id":"b"}]`:            2,
		`[{"conv_id":"a"}]` + "\n":                     1,
	} {
		for way, decode := range map[string]func(in any) error{
			"by socket": func(in any) error { return Decode([]byte(body), in) },
			"by REST":   func(in any) error { return DecodeREST([]byte(body), url.Values{}, nil, in) },
		} {
			var in MessageRanges
			if err := decode(&in); err != nil || len(in.Ranges) != want || in.Ranges[0].ConvID != "a" {
				t.Errorf("%s %s: got %d ranges and error %v, want %d", body, way, len(in.Ranges), err, want)
			}
		}
	}
	var other EditMessage
	if err := Decode([]byte(`[]`), &other); CodeOf(err).Code != 4406 {
		t.Errorf("a list where an object is due: got error %v, want 4406", err)
	}
	for _, body := range []string{`[{"conv_id":"a"}]]`, `[`, `[{"conv_id":"a"}],"client_id":"Tom"`, strings.Repeat("[", 40)} {
		if err := Decode([]byte(body), &MessageRanges{}); CodeOf(err).Code != 4406 {
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
		err := Decode([]byte(`{"conv_id":"a","msg_id":"b",`+strings.TrimPrefix(body, "{")), &in)
		if body == `{}` {
			err = Decode([]byte(`{"conv_id":"a","msg_id":"b"}`), &in)
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

// codeOf is the code of an error; zero: none.
func codeOf(err error) int {
	if err == nil {
		return 0
	}
	return CodeOf(err).Code
}

// fieldOf is the field that an error is about.
func fieldOf(err error) string {
	if fault, ok := errors.AsType[*skein.Fault](err); ok {
		return fault.Field
	}
	return ""
}
