package wire

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein/internal/wire/strict"
)

func TestOfABadFrameIsAnsweredWhatCouldBeRead(t *testing.T) {
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for name, tt := range map[string]struct{ frame, typ, id, field string }{
		"half an emoji in an id of the data":   {`{"type":"msg.send","data":{"conv_id":"\ud83d"},"id":"7"}`, "msg.send", `"7"`, ""},
		"a key twice in data":                  {`{"type":"msg.send","data":{"text":"a","text":"b"},"id":"7"}`, "msg.send", `"7"`, "text"},
		"a key twice deep in data":             {`{"id":"7","type":"msg.send","data":{"attr":[{"b":1,"b":2}]}}`, "msg.send", `"7"`, "attr.0.b"},
		"a key twice beside data":              {`{"id":"7","type":"msg.send","x":1,"x":2}`, "msg.send", `"7"`, "x"},
		"data twice":                           {`{"id":"7","data":{},"data":{},"type":"msg.send"}`, "msg.send", `"7"`, "data"},
		"an id twice":                          {`{"id":"7","id":"8","type":"msg.send"}`, "msg.send", `"7"`, "id"},
		"a type twice":                         {`{"type":"ping","type":"ping","id":"7"}`, "", `"7"`, "type"},
		"too deep":                             {`{"type":"msg.send","data":{"attr":` + deep + `},"id":"7"}`, "msg.send", `"7"`, ""},
		"too deep outside of data":             {`{"x":` + deep + `,"type":"msg.send","id":"7"}`, "msg.send", `"7"`, ""},
		"deeper than anything":                 {`{"type":"msg.send","id":"7","data":` + strings.Repeat("[", 100_000), "msg.send", `"7"`, ""},
		"cut in a text":                        {`{"type":"msg.send","id":"7","data":{"text":"hel`, "msg.send", `"7"`, ""},
		"cut in an escape":                     {`{"type":"msg.send","id":"7","data":{"text":"hel\`, "msg.send", `"7"`, ""},
		"cut before the end":                   {`{"type":"msg.send","data":{},"id":"7"`, "msg.send", `"7"`, ""},
		"cut behind a comma":                   {`{"id":"7","type":"msg.send",`, "msg.send", `"7"`, ""},
		"cut in the id":                        {`{"type":"msg.send","id":"7`, "msg.send", ``, ""},
		"a comma too many":                     {`{"type":"msg.send","id":"7",}`, "msg.send", `"7"`, ""},
		"a comma too few":                      {`{"type":"msg.send" "id":"7"}`, "msg.send", `"7"`, ""},
		"a wrong word in data":                 {`{"type":"msg.send","data":{"on":tru},"id":"7"}`, "msg.send", `"7"`, ""},
		"a number that is none":                {`{"type":"msg.send","data":{"seq":01},"id":"7"}`, "msg.send", `"7"`, ""},
		"NaN":                                  {`{"type":"msg.send","data":{"attr":NaN},"id":"7"}`, "msg.send", `"7"`, ""},
		"an escape that is none":               {`{"type":"msg.send","data":{"text":"\x"},"id":"7"}`, "msg.send", `"7"`, ""},
		"a line break in a text":               {"{\"type\":\"msg.send\",\"data\":{\"text\":\"a\nb\"},\"id\":\"7\"}", "msg.send", `"7"`, ""},
		"bytes that are not UTF-8":             {"{\"type\":\"msg.send\",\"data\":{\"text\":\"\xff\"},\"id\":\"7\"}", "msg.send", `"7"`, ""},
		"an id that is not UTF-8":              {"{\"type\":\"msg.send\",\"id\":\"\xff\"}", "msg.send", ``, ""},
		"more behind it":                       {`{"type":"msg.send","id":"7"} x`, "msg.send", `"7"`, ""},
		"a bracket behind it":                  {`{"type":"msg.send","id":"7"}}`, "msg.send", `"7"`, ""},
		"another frame behind it":              {`{"type":"ping","id":"7"}{"type":"ping","id":"8"}`, "", `"7"`, ""},
		"a byte order mark":                    {"\ufeff" + `{"type":"msg.send","id":"7"}`, "msg.send", `"7"`, ""},
		"data that is a text":                  {`{"data":"{}","type":"msg.send","id":"7"}`, "msg.send", `"7"`, "data"},
		"data that is a number":                {`{"type":"msg.send","data":5,"id":"7"}`, "msg.send", `"7"`, "data"},
		"an id that is a number":               {`{"type":"msg.send","id":-7}`, "msg.send", `"-7"`, "id"},
		"an id that is true":                   {`{"type":"msg.send","id":true}`, "msg.send", ``, "id"},
		"an id that is an object":              {`{"type":"msg.send","id":{}}`, "msg.send", ``, "id"},
		"an id that is too long":               {`{"type":"msg.send","id":"` + strings.Repeat("a", 300) + `"}`, "msg.send", ``, "id"},
		"half an emoji in the id":              {`{"type":"msg.send","id":"7\ud83d"}`, "msg.send", "\"7\ufffd\"", "id"},
		"half an emoji in the type":            {`{"type":"\ud83d","id":"7"}`, "", `"7"`, "type"},
		"an id that is a number, in a bad one": {`{"type":"msg.send","id":7,"x":1,"x":2}`, "msg.send", `"7"`, "x"},
		"an id in data is none":                {`{"type":"msg.send","data":{"id":"7","x":tru}}`, "msg.send", ``, ""},
		"a text with all of it":                {`{"data":{"text":"\",\"id\":\"8\"}"},"id":"7","type":"ping","x":}`, "ping", `"7"`, ""},
		"names with escapes":                   {`{"t\u0079pe":"msg.send","\u0069d":"7",}`, "msg.send", `"7"`, ""},
	} {
		f, err := ParseFrame([]byte(tt.frame))
		if name == "half an emoji in an id of the data" { // the op refuses it, which knows what is a text
			if err == nil {
				var in struct {
					ConvID strict.ID `json:"conv_id"`
				}
				err = strict.Decode(f.Data, &in)
			}
			tt.field = "conv_id"
		}
		if f.Type != tt.typ || string(f.ID) != tt.id || CodeOf(err).Code != 4406 {
			t.Errorf("%s: %.100s: got type %q, id %s, %v; want type %q, id %s, 4406", name, tt.frame, f.Type, f.ID, err, tt.typ, tt.id)
		}
		if tt.field != "" {
			checkFault(t, name, tt.frame, err, CodeOf(err).Err, tt.field)
		}
		if answer := AppendFailure(nil, f.Type, f.ID, err, English); !jsontext.Value(answer).IsValid() {
			t.Errorf("%s: %.100s: the answer is no JSON: %s", name, tt.frame, answer)
		}
	}
}

// FuzzParseFrame holds that whatever comes is a command or is refused, and that the
// refusal is JSON.
func FuzzParseFrame(f *testing.F) {
	for _, seed := range []string{
		`{"type":"msg.send","data":{"text":"a","text":"b"},"id":"7"}`, `{"type":"a","id":"7","data":{"x":"`, `{"id":"\ud83d"}`, `{"id":7 "type":"b"`,
		`{"type":"x","id":"7"}{"`, `{"id":"a"b","type":"c"}`, "{\"id\":\"\xff\",}", `{"id" :[{"a":"]"}],"type":`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := ParseFrame(data)
		if err == nil {
			if frame.Type == "" || !jsontext.Value(AppendSuccess(nil, frame.Type, frame.ID, nil)).IsValid() {
				t.Fatalf("%q: got type %q, id %q", data, frame.Type, frame.ID)
			}
			return
		}
		if c := CodeOf(err).Code; c != 4001 && c != 4406 {
			t.Fatalf("%q: got code %d, %v", data, c, err)
		}
		if answer := AppendFailure(nil, frame.Type, frame.ID, err, Chinese); !jsontext.Value(answer).IsValid() {
			t.Fatalf("%q: the answer is no JSON: %q", data, answer)
		}
	})
}
