package e2e

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/testclient"
)

// no_sync, the sender's other devices, and device_id.
func TestWhoGetsTheLiveCopy(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two := a.user(t, "one"), a.user(t, "two")
	conv := a.group(t, one, two)
	phone, desk, other := a.login(t, one, "phone"), a.login(t, one, "desk"), a.login(t, two, "phone")
	got := func(text string, c *socket) bool {
		c.ping(t)
		found := false
		for _, f := range c.pending() {
			found = found || f.Type == "msg.new" && f.message(t).text() == text
		}
		return found
	}
	for name, tt := range map[string]struct {
		send        func(text string)
		phone, desk bool
	}{
		"REST, by default": {func(text string) { a.send(t, conv, one, text) }, false, false},
		"REST, no_sync 0": {func(text string) {
			a.must(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": text, "no_sync": 0})
		}, false, false},
		"REST, no_sync 1": {func(text string) {
			a.must(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": text, "no_sync": 1})
		}, true, true},
		"REST, no_sync 1 from the desk": {func(text string) {
			a.must(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": text, "no_sync": 1, "device_id": "desk"})
		}, true, false},
		"socket, by default": {func(text string) {
			phone.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": text}).want(t, "send", 0)
		}, false, true},
		"socket, no_sync 0": {func(text string) {
			phone.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": text, "no_sync": 0}).want(t, "send", 0)
		}, false, false},
		"socket, no_sync 1": {func(text string) {
			phone.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": text, "no_sync": 1}).want(t, "send", 0)
		}, true, true},
	} {
		text := unique(name)
		tt.send(text)
		other.expectText(t, text)
		// Delivery is one at a time: a message behind it that all get shows that it
		// has passed.
		behind := unique("behind")
		a.must(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": behind, "no_sync": 1})
		for device, want := range map[*socket]bool{phone: tt.phone, desk: tt.desk} {
			eventually(t, "the message behind", func() bool { return got(behind, device) })
			if have := got(text, device); have != want {
				t.Errorf("%s: live copy on phone %v / desk %v: got %v, want %v", name, device == phone, device == desk, have, want)
			}
		}
		if h := a.history(t, conv); h[len(h)-2].text() != text {
			t.Errorf("%s: history ends with %+v, want it to hold %q", name, h[len(h)-2:], text)
		}
	}
}

// Members who are online get an event for every change of a conversation.
func TestConversationEvents(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one, two, three := a.user(t, "one"), a.user(t, "two"), a.user(t, "three")
	c, outsider := a.login(t, two, "d"), a.login(t, three, "d")
	conv := a.group(t, one, two)
	about := func(typ string) {
		t.Helper()
		var data struct {
			ConvID string `json:"conv_id"`
		}
		f := c.expect(t, typ)
		if f.into(t, &data); data.ConvID != conv {
			t.Errorf("%s: got %s, want conv_id %s", typ, f, conv)
		}
	}
	about("conv.created")
	a.must(t, "PUT", "/im/conversations", obj{"where": [][]any{{"conv_id", "=", conv}}, "update": obj{"conv_extend": obj{"a": 1}}})
	about("conv.updated")
	fourth := a.user(t, "four")
	a.must(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{fourth}})
	about("conv.members.added")
	a.must(t, "DELETE", convPath(conv, "members"), obj{"client_ids": []string{fourth}})
	about("conv.members.removed")
	a.must(t, "DELETE", convPath(conv), nil)
	about("conv.deleted")
	outsider.ping(t)
	if p := outsider.pending(); len(p) != 0 {
		t.Errorf("an outsider got %v, want nothing", p)
	}
}

// rawSocket is a WebSocket whose frames the test writes itself.
type rawSocket struct{ *testclient.Conn }

func (s *server) rawSocket(t *testing.T) rawSocket {
	t.Helper()
	c, err := dialConn(testclient.URL(s.Addr), testclient.Options{})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(c.Close)
	if err := c.Net.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		t.Fatal(err)
	}
	return rawSocket{c}
}

// frame writes one frame: the first byte as given, masked unless told otherwise.
func (c rawSocket) frame(first byte, payload []byte, masked bool) {
	_, _ = c.Net.Write(testclient.AppendFrame(nil, first, payload, masked)) // the peer may have closed: the reader says how
}

// closeCode reads to the end and is the code of the close frame; 0 when the
// connection ended without one.
func (c rawSocket) closeCode(t *testing.T) int {
	t.Helper()
	err := c.Loop(func([]byte) {})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the socket stays open")
	}
	if closed := (*testclient.CloseError)(nil); errors.As(err, &closed) {
		return closed.Code
	}
	return 0
}

// What must close a socket, and with which code, by RFC 6455.
func TestFramesThatClose(t *testing.T) {
	t.Parallel()
	a := dev(t)
	over := []byte(`{"type":"ping","pad":"` + long(256<<10) + `"}`)
	for name, tt := range map[string]struct {
		send func(c rawSocket)
		code int
	}{
		"binary":       {func(c rawSocket) { c.frame(0x82, []byte{1, 2, 3}, true) }, 1003},
		"over 256 KiB": {func(c rawSocket) { c.frame(0x81, over, true) }, 1009},
		"a length of 8 EiB": {func(c rawSocket) {
			c.Net.Write([]byte{0x81, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4})
		}, 1009},
		"invalid UTF-8":       {func(c rawSocket) { c.frame(0x81, []byte{'"', 0xff, '"'}, true) }, 1007},
		"invalid UTF-8 split": {func(c rawSocket) { c.frame(0x01, []byte{0xe4}, true); c.frame(0x80, []byte{0x20}, true) }, 1007},
		"not masked":          {func(c rawSocket) { c.frame(0x81, []byte(`{"type":"ping"}`), false) }, 1002},
		"RSV1":                {func(c rawSocket) { c.frame(0xc1, []byte(`{"type":"ping"}`), true) }, 1002},
		"RSV3":                {func(c rawSocket) { c.frame(0x91, []byte(`{"type":"ping"}`), true) }, 1002},
		"opcode 3":            {func(c rawSocket) { c.frame(0x83, []byte(`x`), true) }, 1002},
		"opcode 11":           {func(c rawSocket) { c.frame(0x8b, []byte(`x`), true) }, 1002},
		"a ping of 126 bytes": {func(c rawSocket) { c.frame(0x89, make([]byte, 126), true) }, 1002},
		"a ping in fragments": {func(c rawSocket) { c.frame(0x09, []byte("x"), true) }, 1002},
		"continuation first":  {func(c rawSocket) { c.frame(0x80, []byte("x"), true) }, 1002},
		"text within text":    {func(c rawSocket) { c.frame(0x01, []byte(`{"a"`), true); c.frame(0x81, []byte(`{}`), true) }, 1002},
		"a close of one byte": {func(c rawSocket) { c.frame(0x88, []byte{3}, true) }, 1002},
		"a close with 1005":   {func(c rawSocket) { c.frame(0x88, []byte{0x03, 0xed}, true) }, 1002},
		"a close with 999":    {func(c rawSocket) { c.frame(0x88, []byte{0x03, 0xe7}, true) }, 1002},
		"a close with 1000":   {func(c rawSocket) { c.frame(0x88, []byte{0x03, 0xe8}, true) }, 1000},
		"a close with 4000":   {func(c rawSocket) { c.frame(0x88, []byte{0x0f, 0xa0}, true) }, 4000},
		"over by fragments": {func(c rawSocket) {
			c.frame(0x01, over[:1000], true)
			for rest := over[1000:]; len(rest) > 0; rest = rest[min(len(rest), 64<<10):] {
				c.frame(0x00, rest[:min(len(rest), 64<<10)], true)
			}
		}, 1009},
	} {
		for _, loggedIn := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, logged in %v", name, loggedIn), func(t *testing.T) {
				t.Parallel()
				c := a.s.rawSocket(t)
				if loggedIn {
					c.frame(0x81, []byte(jsonOf(obj{"type": "login", "data": a.loginData(unique("raw"), "d")})), true)
				}
				go tt.send(c) // the server may close before it has read all
				got := c.closeCode(t)
				if got != tt.code {
					t.Errorf("close code: got %d, want %d", got, tt.code)
				}
			})
		}
	}
}
