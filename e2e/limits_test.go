package e2e

import (
	"fmt"
	"testing"
)

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
