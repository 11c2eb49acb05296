package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// A frame that is no command gets an error and leaves the socket open.
func TestBadFrames(t *testing.T) {
	t.Parallel()
	a := dev(t)
	u := a.user(t, "u")
	c := a.login(t, u, "d")
	for name, tt := range map[string]struct {
		frame string
		typ   string // of the answer
		codes []int
	}{
		"no JSON":                   {`hello`, "error", is(4406)},
		"nothing":                   {``, "error", is(4001, 4406)},
		"a list":                    {`[]`, "error", is(4406)},
		"a string":                  {`"ping"`, "error", is(4406)},
		"null":                      {`null`, "error", is(4001, 4406)},
		"no type":                   {`{}`, "error", is(4001, 4406)},
		"type a number":             {`{"type":1}`, "error", is(4406)},
		"type null":                 {`{"type":null}`, "error", is(4001, 4406)},
		"type empty":                {`{"type":""}`, "error", is(4001, 4406)},
		"type in another case":      {`{"TYPE":"ping"}`, "error", is(4001, 4406)},
		"type twice":                {`{"type":"ping","type":"ping"}`, "error", is(4406)},
		"two values":                {`{"type":"ping"}{"type":"ping"}`, "error", is(4406)},
		"33 levels":                 {`{"type":"ping","data":` + nested(32) + `}`, "", is(4406)},
		"id a number":               {`{"type":"msg.list","data":{},"id":1}`, "", is(4001, 4406)},
		"id an object":              {`{"type":"msg.list","data":{},"id":{}}`, "", is(4406, 4001)},
		"an unknown type":           {`{"type":"no.such","id":"a"}`, "", is(4040, 4050, 4406)},
		"an unknown type with HTML": {`{"type":"<script>alert(1)</script>"}`, "", is(4040, 4050, 4406)},
		"an event of the server":    {`{"type":"msg.new","data":{"text":"x"}}`, "", is(4040, 4050, 4406)},
		"a command in capitals":     {`{"type":"PING"}`, "", is(4040, 4050, 4406)},
		"msg.send without data":     {`{"type":"msg.send"}`, "msg.send.error", is(4001, 4406)},
		"msg.send with null":        {`{"type":"msg.send","data":null}`, "msg.send.error", is(4001, 4406)},
		"msg.send with a list":      {`{"type":"msg.send","data":[]}`, "msg.send.error", is(4406)},
		"msg.send with a string":    {`{"type":"msg.send","data":"{}"}`, "msg.send.error", is(4406)},
		"msg.send without conv_id":  {`{"type":"msg.send","data":{"type":-1,"text":"x"}}`, "msg.send.error", is(4001)},
		"conv_id a number":          {`{"type":"msg.list","data":{"conv_id":1}}`, "msg.list.error", is(4011, 4406)},
		"conv_id an object":         {`{"type":"msg.list","data":{"conv_id":{}}}`, "msg.list.error", is(4406)},
		"an unknown conversation":   {`{"type":"msg.list","data":{"conv_id":"` + strings.Repeat("0", 32) + `"}}`, "msg.list.error", is(4011)},
		"login on a live session":   {`{"type":"login","data":{"app_id":"666666","client_id":"` + u + `","device_id":"other"}}`, "login.error", is(4013, 4406, 4004, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			c.forget()
			if err := c.sendText(tt.frame); err != nil {
				t.Fatal(err)
			}
			f, err := c.take(patience, isAnswer)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(tt.codes, f.Code) || tt.typ != "" && f.Type != tt.typ {
				t.Errorf("%s: got %s, want type %q, code %v", cut(tt.frame), f, tt.typ, tt.codes)
			}
			var keys map[string]json.RawMessage
			if err := json.Unmarshal(f.Raw, &keys); err != nil || string(keys["data"]) != "null" || keys["msg"] == nil {
				t.Errorf("%s: got %s, want msg and data null", cut(tt.frame), f)
			}
			if leak := leaks.FindString(f.Msg); leak != "" {
				t.Errorf("%s: %q leaks in %s", cut(tt.frame), leak, f)
			}
			c.open(t)
		})
	}
	if got := a.must(t, "GET", userPath(u), nil); got.text("client_id") != u {
		t.Errorf("user: got %s", got)
	}
}

// What is wrong before the envelope's reader sees it.
func TestBadHTTPByRawBytes(t *testing.T) {
	t.Parallel()
	a := dev(t)
	head := "Host: localhost\r\nIM-APP-ID: 666666\r\napp-key: master\r\nConnection: close\r\n"
	res, _ := a.s.rawHTTP(t, "GET /im/users HTTP/1.1\r\n"+head+"X-Long: "+long(20<<10)+"\r\n\r\n")
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("20 KiB of headers: got %s, want 431", res.Status)
	}
	res, _ = a.s.rawHTTP(t, "GET /im/users HTTP/1.1\r\n"+head+"X-Long: "+long(8<<10)+"\r\n\r\n")
	if res.StatusCode != http.StatusOK {
		t.Errorf("8 KiB of headers: got %s, want 200", res.Status)
	}
	res, _ = a.s.rawHTTP(t, "GET /im/users?x="+long(20<<10)+" HTTP/1.1\r\n"+head+"\r\n")
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge && res.StatusCode != http.StatusRequestURITooLong {
		t.Errorf("a request line of 20 KiB: got %s, want 431 or 414", res.Status)
	}
	var chunks strings.Builder
	for range 300 {
		fmt.Fprintf(&chunks, "%x\r\n%s\r\n", 1024, long(1024))
	}
	got := a.s.rawCall(t, "POST /im/users HTTP/1.1\r\n"+head+"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"f\r\n{\"client_id\":\"n\r\n"+chunks.String()+"0\r\n\r\n")
	got.want(t, "300 KiB in chunks", 4130)
	got = a.s.rawCall(t, "POST /im/users HTTP/1.1\r\n"+head+"Content-Type: application/json\r\nContent-Length: 999999999999\r\n\r\n{")
	got.want(t, "a Content-Length of 1 TB", 4130)
	for _, path := range []string{"/im/../im/users", "/im/./users", "/storage/uploads/../../../etc/passwd", "/storage/../../etc/passwd", "/storage/uploads/..%2f..%2f..%2fskein.db", "/storage/uploads/%2e%2e/x"} {
		res, body := a.s.rawHTTP(t, "GET "+path+" HTTP/1.1\r\n"+head+"\r\n")
		if res.StatusCode != http.StatusNotFound && res.StatusCode != http.StatusBadRequest {
			t.Errorf("GET %s: got %s %.100q, want 404", path, res.Status, body)
		}
	}
	// Headers that carry what JSON must escape, and bytes that are no UTF-8.
	for _, id := range []string{`"><script>`, `a\b"c`, "ünï", "\xff\xfe", strings.Repeat("r", 128), strings.Repeat("r", 4000), "a\tb"} {
		got := a.s.rawCall(t, "GET /im/users HTTP/1.1\r\n"+head+"request-id: "+id+"\r\n\r\n")
		got.want(t, "request-id "+cut(id), 0)
		// Printable ASCII of a reasonable length is echoed as it is; the rest as it is or not at all.
		plain := isASCII(id) && len(id) <= 128 && !strings.Contains(id, "\t")
		if got.RequestID == nil && plain || got.RequestID != nil && *got.RequestID != id {
			t.Errorf("request-id %q: got %s", cut(id), got)
		}
	}
	// Two ways to say how long the body is must not be believed both.
	res, _ = a.s.rawHTTP(t, "POST /im/users HTTP/1.1\r\n"+head+"Content-Type: application/json\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}    ")
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("two Content-Lengths: got %s, want 400", res.Status)
	}
}
