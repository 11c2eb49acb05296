package e2e

import (
	"strings"
	"testing"
)

// sameContent is one JSON value as programs write it, and otherContent values that are
// nearly it.
var (
	sameContent = []string{
		`{"a":1,"b":[2,"你/x",true],"c":{"d":100,"e":null}}`,
		`{"c":{"e":null,"d":100},"b":[2,"你/x",true],"a":1}`,
		`{"a":1,"b":[2,"\u4f60\/x",true],"c":{"d":100,"e":null}}`,
		"{ \"a\" : 1.0,\n\t\"b\" : [ 2e0, \"\\u4F60/\\u0078\", true ], \"c\" : { \"d\" : 1E+2, \"e\" : null } }",
		`{"\u0061":10e-1,"b":[2.00,"你\u002fx",true],"c":{"d":0.1e3,"e":null}}`,
	}
	otherContent = []string{
		`{"a":2,"b":[2,"你/x",true],"c":{"d":100,"e":null}}`,
		`{"a":1,"b":["你/x",2,true],"c":{"d":100,"e":null}}`,
		`{"a":1,"b":[2,"你x",true],"c":{"d":100,"e":null}}`,
		`{"a":1,"b":[2,"你/x",true],"c":{"d":"100","e":null}}`,
		`{"a":1,"b":[2,"你/x",true],"c":{"d":100}}`,
	}
)

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

// A retry is known by its content, however another serialiser writes it (SPEC 8.4).
func TestARetryMayBeWrittenInAnotherWay(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	conv := a.group(t, one, two)
	c := a.login(t, one, "d")
	key := unique("key")
	message := func(attr, mentions string) string {
		return `{"conv_id":"` + conv + `","from_client":"` + one + `","type":-1,"text":"x","attr":` + attr + `,"mention_client_ids":` + mentions + `,"client_msg_id":"` + key + `"}`
	}
	there, back := `["`+one+`","`+two+`"]`, `["`+two+`","`+one+`"]`
	first := a.must(t, "POST", convPath(conv, "message"), message(sameContent[0], there))
	for i, attr := range sameContent {
		body := message(attr, []string{there, back}[i%2])
		for by, got := range map[string]*answer{"REST": a.call(t, "POST", convPath(conv, "message"), body), "socket": c.askRaw(t, "msg.send", body)} {
			if got.Code != 0 || got.text("msg_id") != first.text("msg_id") {
				t.Errorf("%s: a retry with attr %s: got %s, want the first message %s", by, attr, got, first)
			}
		}
	}
	for _, attr := range otherContent {
		body := message(attr, there)
		a.call(t, "POST", convPath(conv, "message"), body).want(t, "another attr "+attr, 4013)
		c.askRaw(t, "msg.send", body).want(t, "another attr by socket "+attr, 4013)
	}
	if h := a.history(t, conv); len(h) != 1 {
		t.Errorf("history: got %d messages, want 1", len(h))
	}
}

func TestUserCreateAndEditCompareContent(t *testing.T) {
	t.Parallel()
	a := dev(t)
	id, one := unique("u"), a.user(t, "one")
	conv := a.group(t, one)
	sent := a.must(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": "x"})
	path := convPath(conv, "message", sent.text("msg_id"))
	for _, ext := range sameContent {
		a.must(t, "POST", "/im/users", `{"client_id":"`+id+`","ext":`+ext+`}`)
		if got := a.must(t, "PUT", path, `{"attr":`+ext+`}`); got.number("version") != 2 {
			t.Errorf("an edit to what it says already, %s: got %s, want version 2", ext, got)
		}
	}
	for _, ext := range otherContent {
		a.call(t, "POST", "/im/users", `{"client_id":"`+id+`","ext":`+ext+`}`).want(t, "user.create with "+ext, 4013)
	}
	if got := a.must(t, "PUT", path, `{"attr":`+strings.ReplaceAll(otherContent[0], "2", "3")+`}`); got.number("version") != 3 {
		t.Errorf("an edit to something else: got %s, want version 3", got)
	}
}
