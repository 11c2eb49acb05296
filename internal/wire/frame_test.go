package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

func TestParseFrameReadsACommand(t *testing.T) {
	for name, tt := range map[string]struct{ frame, typ, data, id string }{
		"all of it":           {`{"type":"msg.send","data":{"a":1},"id":"7"}`, "msg.send", `{"a":1}`, `"7"`},
		"a type alone":        {`{"type":"ping"}`, "ping", ``, ``},
		"null is absent":      {`{"type":"ping","data":null,"id":null}`, "ping", ``, ``},
		"in another order":    {`{"id":"7","data":{},"type":"ping"}`, "ping", `{}`, `"7"`},
		"an empty id":         {`{"type":"ping","id":""}`, "ping", ``, `""`},
		"an id with escapes":  {`{"type":"ping","id":"\"\u00e9\\"}`, "ping", ``, `"\"\u00e9\\"`},
		"a type with escapes": {`{"type":"p\u0069ng"}`, "ping", ``, ``},
		"unknown fields":      {`{"type":"ping","seq":1}`, "ping", ``, ``},
		"the longest type":    {`{"type":"` + strings.Repeat("a", 64) + `"}`, strings.Repeat("a", 64), ``, ``},
		"the longest id":      {`{"type":"ping","id":"` + strings.Repeat("a", 254) + `"}`, "ping", ``, `"` + strings.Repeat("a", 254) + `"`},
	} {
		f, err := ParseFrame([]byte(tt.frame))
		if err != nil || f.Type != tt.typ || string(f.Data) != tt.data || string(f.ID) != tt.id {
			t.Errorf("%s: %s: got %q %s %s, %v; want %q %s %s", name, tt.frame, f.Type, f.Data, f.ID, err, tt.typ, tt.data, tt.id)
		}
	}
}

func TestParseFrameRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		frame string
		want  error
		field string
		id    string // that is known all the same
	}{
		"nothing":               {``, skein.ErrMalformed, "", ``},
		"no JSON":               {`hello`, skein.ErrMalformed, "", ``},
		"a list":                {`[]`, skein.ErrMalformed, "", ``},
		"no type":               {`{"id":"7"}`, skein.ErrMissing, "type", `"7"`},
		"an empty type":         {`{"type":"","id":"7"}`, skein.ErrMissing, "type", `"7"`},
		"a type that is null":   {`{"type":null,"id":"7"}`, skein.ErrMissing, "type", `"7"`},
		"a type that is 5":      {`{"type":5,"id":"7"}`, skein.ErrMalformed, "type", `"7"`},
		"a type that is a list": {`{"type":["ping"],"id":"7"}`, skein.ErrMalformed, "type", `"7"`},
		"a type of 65":          {`{"type":"` + strings.Repeat("a", 65) + `","id":"7"}`, skein.ErrMalformed, "type", `"7"`},
		"data that is a text":   {`{"type":"ping","data":"x","id":"7"}`, skein.ErrMalformed, "data", `"7"`},
		"an id that is 7":       {`{"type":"ping","id":7}`, skein.ErrMalformed, "id", `"7"`},
		"an id of 255":          {`{"type":"ping","id":"` + strings.Repeat("a", 255) + `"}`, skein.ErrMalformed, "id", ``},
		"a type twice":          {`{"type":"ping","type":"pong"}`, skein.ErrMalformed, "type", ``},
		"a key twice in data":   {`{"type":"ping","data":{"a":1,"a":2}}`, skein.ErrMalformed, "a", ``},
		"data of 33 levels":     {`{"type":"ping","data":{"a":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}}`, skein.ErrMalformed, "", ``},
		"a list of 32 levels":   {`{"type":"ping","data":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, skein.ErrMalformed, "", ``},
		"not UTF-8":             {"{\"type\":\"\xff\"}", skein.ErrMalformed, "", ``},
	} {
		f, err := ParseFrame([]byte(tt.frame))
		checkFault(t, name, tt.frame, err, tt.want, tt.field)
		if string(f.ID) != tt.id {
			t.Errorf("%s: %.80s: id: got %s, want %s", name, tt.frame, f.ID, tt.id)
		}
	}
}

func TestFramesKeepTheirKeysInOrder(t *testing.T) {
	fault := skein.Missing("text")
	for name, tt := range map[string]struct {
		got  []byte
		want string
	}{
		"success":              {AppendSuccess(nil, "msg.send", []byte(`"7"`), []byte(`{"a":1}`)), `{"type":"msg.send.success","msg":"success","data":{"a":1},"id":"7"}`},
		"success without much": {AppendSuccess(nil, "logout", nil, nil), `{"type":"logout.success","msg":"success","data":null}`},
		"failure":              {AppendFailure(nil, "msg.send", []byte(`"7"`), fault, Chinese), `{"type":"msg.send.error","msg":"参数缺失: text","code":4001,"data":null,"id":"7"}`},
		"failure in English":   {AppendFailure(nil, "msg.send", nil, fault, English), `{"type":"msg.send.error","msg":"missing parameter: text","code":4001,"data":null}`},
		"failure of no type":   {AppendFailure(nil, "", nil, errors.New("secret"), English), `{"type":"error","msg":"` + internalText + `","code":1,"data":null}`},
		"failure for now":      {AppendFailure(nil, "msg.send", []byte(`"7"`), skein.Later(skein.ErrRateLimited, 250*time.Millisecond), English), `{"type":"msg.send.error","msg":"rate limited","code":4290,"data":null,"retry_after_ms":250,"id":"7"}`},
		"a type to be quoted":  {AppendFailure(nil, "a\"\n", nil, skein.ErrForbidden, English), `{"type":"a\"\n.error","msg":"forbidden","code":4004,"data":null}`},
		"pong":                 {AppendPong(nil, []byte(`"7"`), 1599927082012), `{"type":"pong","data":{"time":1599927082012},"id":"7"}`},
		"pong without id":      {AppendPong(nil, nil, 5), `{"type":"pong","data":{"time":5}}`},
		"kick":                 {AppendKick(nil, 5, skein.KickBanned), `{"type":"logout.kick","data":{"time":5,"reason":"banned"}}`},
		"login": {LoginAnswer{5, "abc", "def", 25, LimitsOf(skein.Settings{RecallWindow: -1, FileTypes: []string{"png"}}, 9, nil), nil}.Append([]byte("x")), `x{"time":5,"session_id":"abc","generation":"def","heartbeat_s":25,"limits":{"edit_window_s":86400,"recall_window_s":null,"max_text_bytes":16384,"max_frame_bytes":9,` +
			`"max_file_bytes":104857600,"file_types":["png"],"max_members":10000,"max_conversations":10000,"send_rate":20,"send_burst":60},"node":null}`},
		"appended to another": {AppendPong([]byte("x"), nil, 5), `x{"type":"pong","data":{"time":5}}`},
	} {
		if string(tt.got) != tt.want {
			t.Errorf("%s: got %s, want %s", name, tt.got, tt.want)
		}
	}
}

// FuzzFrame holds that a command that is read can be answered with a frame that is
// JSON, with the same id, and that one that is not is answered too.
func FuzzFrame(f *testing.F) {
	for _, seed := range []string{
		`{"type":"ping","id":"7"}`, `{"type":"msg.send","data":{"a":1},"id":"\u00e9"}`, `{"type":5,"id":"7"}`, `{"id":7}`, `[]`, ``,
		`{"type":"a\u0000b","id":"\""}`, `{"type":null,"data":[],"id":""}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := ParseFrame(data)
		var answer []byte
		if err != nil {
			if c := CodeOf(err).Code; c != 4001 && c != 4406 {
				t.Fatalf("%q: got code %d, %v", data, c, err)
			}
			answer = AppendFailure(nil, frame.Type, frame.ID, err, Chinese)
		} else {
			if frame.Data != nil && (!jsontext.Value(frame.Data).IsValid() || bytes.TrimSpace(frame.Data)[0] != '{') {
				t.Fatalf("%q: data %q", data, frame.Data)
			}
			answer = AppendSuccess(nil, frame.Type, frame.ID, frame.Data)
		}
		var read struct {
			Type string         `json:"type"`
			ID   jsontext.Value `json:"id"`
		}
		if err := json.Unmarshal(answer, &read); err != nil || !strings.HasPrefix(read.Type, frame.Type) || !bytes.Equal(read.ID, frame.ID) {
			t.Fatalf("%q: answered %q: %v", data, answer, err)
		}
	})
}
