package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// SPEC 6: a PUT may match 1,000 conversations, and changes none of more.
func TestUpdateOfTooManyChangesNone(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one := a.user(t, "one")
	const n = 1001
	convs := make([]string, n)
	var making sync.WaitGroup
	for w := range 8 {
		making.Go(func() {
			for i := w; i < n; i += 8 {
				got, err := a.s.try("POST", "/im/conversations", a.server(), obj{"client_id": one, "to_client_ids": []string{one}, "conv_type": 3})
				if err != nil || got.Code != 0 {
					t.Errorf("create: %v %v", got, err)
					return
				}
				convs[i] = got.text("conv_id")
			}
		})
	}
	making.Wait()
	mine := [][]any{{"client_id", "=", one}}
	changed := func() int64 {
		t.Helper()
		return a.must(t, "GET", where(fmt.Sprintf(`[["client_id","=",%q],["conv_extend.changed","=",true]]`, one)), nil).number("total")
	}
	update := obj{"where": mine, "update": obj{"conv_extend": obj{"changed": true}}}
	a.call(t, "PUT", "/im/conversations", update).want(t, "an update of 1,001", 4406)
	if got := changed(); got != 0 {
		t.Errorf("after a refused update: %d are changed, want none", got)
	}
	a.must(t, "DELETE", convPath(convs[0]), nil)
	a.must(t, "PUT", "/im/conversations", update)
	if got := changed(); got != 1000 {
		t.Errorf("after an update of 1,000: %d are changed", got)
	}
	// Pages far behind are as good as the first.
	got := a.must(t, "GET", where(fmt.Sprintf(`[["client_id","=",%q]]`, one), "page=10", "size=100"), nil)
	if got.number("total") != 1000 || got.number("last_page") != 10 {
		t.Errorf("page 10: got %s", got)
	}
}

// SPEC 10: 1,000 sockets an address.
func TestSocketsPerAddress(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev())
	var sockets []*socket
	var refused error
	for range 1010 {
		c, err := s.dialSocket()
		if err != nil {
			refused = err
			break
		}
		t.Cleanup(c.Drop)
		sockets = append(sockets, c)
	}
	if refused == nil || len(sockets) != 1000 {
		t.Fatalf("sockets of one address: %d went (%v), want 1,000", len(sockets), refused)
	}
	// One that ends makes room for another.
	sockets[7].Drop()
	eventually(t, "room for another socket", func() bool {
		c, err := s.dialSocket()
		if err == nil {
			t.Cleanup(c.Drop)
		}
		return err == nil
	})
}

// A temporary conversation lives on while messages come.
func TestTemporaryConversationLivesByItsMessages(t *testing.T) {
	t.Parallel()
	a := dev(t)
	one := a.user(t, "one")
	conv := a.must(t, "POST", "/im/conversations", obj{"client_id": one, "to_client_ids": []string{one}, "conv_type": 2, "ttl": 2}).text("conv_id")
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(300 * time.Millisecond) {
		a.call(t, "POST", convPath(conv, "message"), obj{"from_client": one, "type": -1, "text": "x"}).want(t, "a message within the ttl of the last", 0)
	}
	eventually(t, "its end", func() bool { return a.call(t, "GET", convPath(conv), nil).Code == 4011 })
}

// SPEC 6: ctime in --timezone, ctime_ms beside it.
func TestTimezone(t *testing.T) {
	t.Parallel()
	s := start(t, withArgs("--timezone", "Asia/Shanghai"))
	a := demoApp(s)
	conv := a.group(t, "Tom", "Jerry")
	a.must(t, "PUT", "/im/conversations", obj{"where": [][]any{{"conv_id", "=", conv}}, "update": obj{"conv_extend": obj{}}})
	got := a.must(t, "GET", convPath(conv), nil)
	zone := time.FixedZone("", 8*3600)
	for _, k := range []string{"ctime", "mtime"} {
		want := time.UnixMilli(got.number(k + "_ms")).In(zone).Format(time.DateTime)
		if got.text(k) != want {
			t.Errorf("%s: got %s, want %s", k, got, want)
		}
	}
	a.must(t, "GET", where(fmt.Sprintf(`[["ctime","<=",%d],["conv_id",%q]]`, got.number("ctime_ms"), conv)), nil)
	if n := a.must(t, "GET", where(fmt.Sprintf(`[["ctime","<",%d],["conv_id",%q]]`, got.number("ctime_ms"), conv)), nil).number("total"); n != 0 {
		t.Errorf("ctime < itself: got %d, want none", n)
	}
	// What is answered can be asked for.
	q := a.call(t, "GET", where(fmt.Sprintf(`[["ctime",">=",%q],["conv_id",%q]]`, got.text("ctime"), conv)), nil)
	if q.Code != 0 || q.number("total") != 1 {
		t.Errorf("ctime >= the text that was answered: got %s, want the conversation", q)
	}
}

// Values that a reader of JSON likes to bend are kept to the digit.
func TestNumbersAreKept(t *testing.T) {
	t.Parallel()
	a := dev(t)
	id := "9007199254740" + fmt.Sprintf("%05d", serial.Add(1)) // beyond 2^53
	if got := a.must(t, "POST", "/im/users", `{"client_id":`+id+`,"ext":{"n":12345678901234567890.10,"z":-0,"e":1E5}}`); got.text("client_id") != id {
		t.Errorf("client_id: got %s, want %s", got, id)
	}
	var u struct {
		Ext any `json:"ext"`
	}
	got := a.must(t, "GET", userPath(id), nil)
	if err := decodeInto(got.Data, &u); err != nil || jsonOf(u.Ext) != `{"e":1E5,"n":12345678901234567890.10,"z":-0}` {
		t.Errorf("ext: got %s, %v", got, err)
	}
	conv := a.must(t, "POST", "/im/conversations", `{"client_id":`+id+`,"to_client_ids":[1111],"conv_type":3,"conv_extend":{"n":0.1000000000000000055}}`)
	if err := decodeInto(a.must(t, "GET", convPath(conv.text("conv_id")), nil).Data, &u); err != nil {
		t.Error(err)
	}
	var c struct {
		Extend any `json:"conv_extend"`
	}
	if err := decodeInto(conv.Data, &c); err != nil || jsonOf(c.Extend) != `{"n":0.1000000000000000055}` {
		t.Errorf("conv_extend: got %s, %v", conv, err)
	}
	sent := a.must(t, "POST", convPath(conv.text("conv_id"), "message"), `{"from_client":`+id+`,"type":-1,"text":"x","mention_client_ids":[1111,"2"],"client_msg_id":123}`)
	m := a.must(t, "GET", convPath(conv.text("conv_id"), "message", sent.text("msg_id")), nil)
	if m.text("client_id") != id || jsonOf(m.field("mention_client_ids")) != `["1111","2"]` || m.text("client_msg_id") != "123" {
		t.Errorf("ids as integers: got %s", m)
	}
}
