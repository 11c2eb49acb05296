package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// badFixture is what the cases act on.
type badFixture struct {
	a      *app
	subst  *strings.Replacer
	conv   string
	client *socket // of $A
}

func newBadFixture(t *testing.T) *badFixture {
	t.Helper()
	a := demoApp(start(t))
	one, two := a.user(t, "alice"), a.user(t, "bob")
	conv, other := a.group(t, one, two), a.group(t, one, two)
	key := unique("key")
	msg := a.must(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": "first", "client_msg_id": key}).text("msg_id")
	foreign := a.send(t, other, one, "elsewhere").text("msg_id")
	return &badFixture{a: a, conv: conv, client: a.login(t, one, "d"), subst: strings.NewReplacer(
		"$A", one, "$B", two, "$C", conv, "$P", a.conv(t, 1, one, two), "$M", msg, "$N", foreign, "$K", key,
	)}
}

// state is all that a bad call could have changed.
func (s *badFixture) state(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, path := range []string{"$C", "$C/members?detail=1", "$C/readers", "$C/message?size=100", "$C/changes?limit=200", "$C/pins", "$P/members", "$P/message", "?where=%5B%5D&size=100"} {
		path = strings.Replace("/im/conversations/"+s.subst.Replace(path), "/?", "?", 1)
		b.Write(s.a.must(t, "GET", path, nil).Raw)
		b.WriteByte('\n')
	}
	b.Write(s.a.must(t, "GET", "/im/users?size=100", nil).Raw)
	return b.String()
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	s := newBadFixture(t)
	cases := slices.Concat(badJSON(), badHTTP(), badPages(), badWhere(), badConversations(), badMessages(), badUsers())
	t.Logf("%d cases", len(cases))
	before := s.state(t)
	unchanged := func(t *testing.T) {
		t.Helper()
		if after := s.state(t); after != before {
			t.Errorf("the state has changed\nbefore %s\n after %s", before, after)
			before = after
		}
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			body := c.body
			if text, ok := body.(string); ok {
				body = s.subst.Replace(text)
			}
			got := s.a.s.call(t, c.method, s.subst.Replace(c.path), s.a.server().with(c.headers), body)
			s.hold(t, c, "REST", got)
			if got.Code == 4406 && got.Status == http.StatusUnsupportedMediaType && !isMediaType(c) {
				t.Errorf("got HTTP 415 in %s", got)
			}
			if got.Code == 4406 && got.Status != http.StatusUnsupportedMediaType && isMediaType(c) {
				t.Errorf("got %s, want HTTP 415", got)
			}
			if got.Code == 4050 && got.Header.Get("Allow") == "" {
				t.Errorf("no Allow in %s", got)
			}
			unchanged(t)
			if c.op != "" {
				s.hold(t, c, "socket", s.bySocket(t, c.op, body.(string)))
				unchanged(t)
			}
		})
	}
}

func isMediaType(c bad) bool {
	_, encoded := c.headers["Content-Encoding"]
	_, typed := c.headers["Content-Type"]
	return encoded || typed
}

func (s *badFixture) hold(t *testing.T, c bad, way string, got *answer) {
	t.Helper()
	if !slices.Contains(c.codes, got.Code) {
		t.Errorf("by %s %s %s %v: got %s, want code %v", way, c.method, c.path, cut(fmt.Sprint(c.body)), got, c.codes)
		return
	}
	if name := s.subst.Replace(c.names); !strings.Contains(strings.ToLower(got.Message), strings.ToLower(name)) {
		t.Errorf("by %s %s %s %v: message %q does not name %q", way, c.method, c.path, cut(fmt.Sprint(c.body)), got.Message, name)
	}
}

// bySocket sends a body unchanged as the data of a command.
func (s *badFixture) bySocket(t *testing.T, op, data string) *answer {
	t.Helper()
	s.client.forget()
	if strings.HasPrefix(op, "msg.") || strings.HasPrefix(op, "conv.members") {
		data = `{"conv_id":"` + s.conv + `",` + strings.TrimPrefix(data, "{")
		data = strings.Replace(data, `,}`, `}`, 1)
	}
	if err := s.client.sendText(fmt.Sprintf(`{"type":%q,"data":%s,"id":"x"}`, op, data)); err != nil {
		t.Fatal(err)
	}
	f, err := s.client.take(patience, isAnswer)
	if err != nil {
		t.Fatal(err)
	}
	a, err := readAnswer(op, f)
	if err != nil {
		t.Error(err)
	}
	return a
}

func isAnswer(f *frame) bool {
	return f.Type == "error" || strings.HasSuffix(f.Type, ".error") || strings.HasSuffix(f.Type, ".success")
}

// The edge on the good side of each limit.
func TestInputAtTheLimit(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	conv := a.group(t, one, two)
	message := func(fields string) string { return `{"from_client":"` + one + `",` + fields + `}` }
	pad := func(n int) string {
		b := `{"from_client":"` + one + `","type":-1,"text":"x","pad":"` + `"}`
		return b[:len(b)-2] + long(n-len(b)) + `"}`
	}
	for name, body := range map[string]string{
		"256 KiB":                   pad(256 << 10),
		"text of 16 KiB":            message(`"type":-1,"text":"` + long(16<<10) + `"`),
		"attr of 16 KiB":            message(`"type":7,"attr":"` + long(16<<10-2) + `"`),
		"32 levels":                 message(`"type":7,"attr":` + nested(31)),
		"client_msg_id of 64":       message(`"type":7,"client_msg_id":"` + long(64) + `"`),
		"100 mentions":              message(`"type":7,"mention_client_ids":` + listOf(100, `"`+two+`"`)),
		"an own type":               message(`"type":2147483647`),
		"a location without a text": message(`"type":-5,"attr":{"lat":1.5}`),
		"a picture":                 message(`"type":-2,"url":"http://x/y.png"`),
		"unknown fields":            message(`"type":7,"what":{"is":["this"]}`),
		"flags as strings":          message(`"type":7,"transient":"0","no_sync":"1","mention_all":"1"`),
		"flags as booleans":         message(`"type":7,"transient":false,"no_sync":true,"mention_all":true`),
		"nulls":                     message(`"type":7,"text":null,"attr":null,"url":null,"transient":null,"no_sync":null,"mention_client_ids":null,"client_msg_id":null,"reply_to":null`),
	} {
		a.call(t, "POST", convPath(conv, "message"), body).want(t, name, 0)
	}
	a.call(t, "GET", convPath(conv, "message?page=100000&size=100"), nil).want(t, "page 100,000", 0)
	a.call(t, "GET", "/im/conversations", `{"where":`+listOf(20, `["conv_type","in",`+listOf(200, "3")+`]`)+`}`).want(t, "20 conditions of 200 values", 0)
	a.call(t, "POST", "/im/users", obj{"client_id": unique(long(50))}).want(t, "a long client_id", 0)
	a.s.call(t, "POST", "/im/users", a.server().with(headers{"Content-Type": "application/json; charset=utf-8"}), obj{"client_id": unique("u")}).want(t, "a charset", 0)
	a.s.call(t, "POST", "/im/users", a.server().with(headers{"Content-Type": "Application/JSON"}), obj{"client_id": unique("u")}).want(t, "capitals", 0)
}

// What was sent comes back as it was: text with every odd character, JSON values
// with their numbers.
func TestWhatIsSentComesBack(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one := a.user(t, "one")
	conv := a.group(t, one)
	for _, text := range []string{
		"'; DROP TABLE messages; --", `"quoted" \ back`, "<script>alert(1)</script>&amp;", "a\u2028b\u2029c", "👩‍👩‍👧 你好 العربية", "a\tb\nc\rd", "%00%s%d", "\u202e right to left",
		"trailing ", " leading", "null", `{"a":1}`, "a\u0001b",
	} {
		sent := a.send(t, conv, one, text)
		var m message
		a.must(t, "GET", convPath(conv, "message", sent.text("msg_id")), nil).into(t, &m)
		if m.text() != text {
			t.Errorf("text: got %q, want %q", m.text(), text)
		}
	}
	for _, attr := range []string{`{"b":1,"a":[1.50,1e3,12345678901234567890]}`, `"null"`, `[]`, `0`, `false`, `{"<":"&"}`} {
		sent := a.must(t, "POST", convPath(conv, "message"), `{"from_client":"`+one+`","type":7,"attr":`+attr+`}`)
		var m message
		a.must(t, "GET", convPath(conv, "message", sent.text("msg_id")), nil).into(t, &m)
		if got, want := jsonOf(decodeExact(t, m.Attr)), jsonOf(decodeExact(t, []byte(attr))); got != want {
			t.Errorf("attr: got %s, want %s", got, want)
		}
	}
}

// decodeExact keeps the digits of numbers.
func decodeExact(t *testing.T, raw []byte) any {
	t.Helper()
	var v any
	if err := decodeInto(raw, &v); err != nil {
		t.Fatalf("%v in %q", err, raw)
	}
	return v
}

// decodeInto decodes and keeps the digits of numbers.
func decodeInto(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(v)
}
