package e2e

import (
	"strings"
	"testing"
)

// What JSON a request may hold is the same by REST and by socket, and an answer says
// which command it is about and which field is wrong.
func TestJSONIsJudgedAlikeByRESTAndSocket(t *testing.T) {
	t.Parallel()
	a := dev(t)
	u := a.user(t, "u")
	conv := a.group(t, u)
	c := a.login(t, u, "d")
	pre := `{"conv_id":"` + conv + `","from_client":"` + u + `",`
	for name, tt := range map[string]struct {
		typ, method, path, data string
		code                    int
		field                   string // that the message names
		want                    string // what the answer or the history then holds
	}{
		"half an emoji at the end of a text":   {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"cut\ud83d"}`, 0, "", `"text":"cut` + "\ufffd" + `"`},
		"the other half at its beginning":      {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"\udE00cut"}`, 0, "", `"text":"` + "\ufffd" + `cut"`},
		"a whole emoji in escapes":             {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"whole\ud83d\ude00"}`, 0, "", `"text":"whole😀"`},
		"half an emoji in client_msg_id":       {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"x","client_msg_id":"a\ud83d"}`, 4406, "client_msg_id", ""},
		"half an emoji in a key of attr":       {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"x","attr":{"k\ud83d":1}}`, 4406, "attr.k", ""},
		"half an emoji in attr":                {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"x","attr":{"a":["\ud83d"]}}`, 4406, "attr.a.0", ""},
		"U+0000 in a text":                     {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"a\u0000b"}`, 4406, "text", ""},
		"U+0000 in attr":                       {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"x","attr":{"a":"\u0000"}}`, 4406, "attr.a", ""},
		"a key twice":                          {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"x","text":"y"}`, 4406, "text", ""},
		"a key twice in attr":                  {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"x","attr":{"a":{"b":1,"b":1}}}`, 4406, "attr.a.b", ""},
		"a number past a double in attr":       {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"x","attr":{"n":1e400}}`, 4406, "attr.n", ""},
		"one in conv_extend":                   {"conv.create", "POST", "/im/conversations", `{"client_id":"` + u + `","to_client_ids":["1"],"conv_type":3,"conv_extend":[-1e309]}`, 4406, "conv_extend.0", ""},
		"one in an update":                     {"conv.update", "PUT", "/im/conversations", `{"where":[["conv_id","` + conv + `"]],"update":{"conv_extend":{"n":1e400}}}`, 4406, "update.conv_extend.n", ""},
		"one in ext":                           {"user.update", "PUT", userPath(u), `{"ext":{"n":1e400}}`, 4406, "ext.n", ""},
		"huge, long and negative zero numbers": {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"x","attr":[-0,1e-400,12345678901234567890123,1e00002]}`, 0, "", `"attr":[-0,1e-400,12345678901234567890123,1e00002]`},
		"attr of 31 levels":                    {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"x","attr":` + nested(31) + `}`, 0, "", nested(31)},
		"attr of 32 levels":                    {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"x","attr":` + nested(32) + `}`, 4406, "32", ""},
		"ext of 31 levels":                     {"user.update", "PUT", userPath(u), `{"ext":` + nested(31) + `}`, 0, "", nested(31)},
		"ext of 32 levels":                     {"user.update", "PUT", userPath(u), `{"ext":` + nested(32) + `}`, 4406, "32", ""},
		"attr that holds 16 KiB in escapes":    {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"x","attr":"` + strings.Repeat(`\u4f60`, 5460) + `"}`, 0, "", strings.Repeat("你", 5460)},
		"attr that holds more":                 {"msg.send", "POST", convPath(conv, "message"), pre + `"type":-1,"text":"x","attr":"` + strings.Repeat(`你`, 5461) + `"}`, 4406, "attr", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for by, got := range map[string]*answer{"REST": a.s.call(t, tt.method, tt.path, a.server(), tt.data), "socket": c.askRaw(t, tt.typ, tt.data)} {
				if got.Code != tt.code || !strings.Contains(got.Message, tt.field) {
					t.Errorf("%s %s: got %s, want %d naming %s", by, cut(tt.data), got, tt.code, tt.field)
				}
				held := string(got.Raw)
				if tt.typ == "msg.send" && tt.code == 0 {
					held = string(a.must(t, "GET", convPath(conv, "message", got.text("msg_id")), nil).Raw)
				}
				if !strings.Contains(held, tt.want) {
					t.Errorf("%s %s: got %s, want it to hold %s", by, cut(tt.data), cut(held), cut(tt.want))
				}
			}
		})
	}
}

// askRaw sends a command whose data stands as it is written.
func (c *socket) askRaw(t *testing.T, typ, data string) *answer {
	t.Helper()
	id := unique("raw")
	if err := c.sendText(`{"type":"` + typ + `","data":` + data + `,"id":"` + id + `"}`); err != nil {
		t.Fatal(err)
	}
	f, err := c.take(patience, func(f *frame) bool { return f.ID != nil && *f.ID == id })
	if err != nil {
		t.Fatalf("%s %s: %v; inbox %v", typ, data, err, c.Pending())
	}
	return &answer{Code: f.Code, Message: f.Msg, Data: f.Data, Raw: f.Raw}
}
