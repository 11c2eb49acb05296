package rows

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/skein-im/skein"
)

func TestCommandsTogetherAreAnsweredAsOneByOne(t *testing.T) {
	f := newFixture(t)
	conv := f.conv(skein.Group)
	send := func(fields string) string { return `{"conv_id":"` + conv + `","type":-1,` + fields + `}` }
	commands := []string{
		send(`"text":"1"`),
		send(`"text":"2","client_msg_id":"a"`),
		send(`"text":" "`),
		`{"conv_id":"` + conv + `"}`,
		send(`"text":"now","transient":1`),
		send(`"text":"2","client_msg_id":"a"`),
		send(`"text":"3","client_msg_id":"a"`),
		`{"conv_id":1,"conv_id":1}`,
		``,
		send(`"text":"4","from_client":"Owner"`),
		send(`"text":"5"`),
	}
	for _, who := range []string{"Member", "Outsider"} {
		by := f.actor("shop", who)
		var data [][]byte
		var want []int
		for _, c := range commands {
			data = append(data, []byte(c))
			_, err := f.Call(t.Context(), by, "msg.send", []byte(c))
			want = append(want, codeOf(err))
		}
		var got []int
		for _, o := range f.CallAll(t.Context(), by, "msg.send", data) {
			got = append(got, codeOf(o.Err))
			if (o.Err == nil) == (o.Answer == nil) {
				t.Errorf("%s: got answer %s and error %v", who, o.Answer, o.Err)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got codes %v, one by one %v", who, got, want)
		}
	}
}

func TestCommandsTogetherKeepTheirOrder(t *testing.T) {
	f := newFixture(t)
	conv := f.conv(skein.Group)
	var data [][]byte
	for i := range 20 {
		data = append(data, fmt.Appendf(nil, `{"conv_id":%q,"type":-1,"text":"%d"}`, conv, i))
	}
	for i, o := range f.CallAll(t.Context(), f.actor("shop", "Member"), "msg.send", data) {
		var sent struct{ Seq int }
		if err := json.Unmarshal(o.Answer, &sent); err != nil || sent.Seq != i+1 {
			t.Errorf("answer %d is %s, error %v", i, o.Answer, o.Err)
		}
	}
	for i, sent := range f.sent {
		if want := fmt.Sprint(i); sent.Text != want {
			t.Errorf("stored %q as message %d", sent.Text, i)
		}
	}
}

func TestCommandsTogetherAreHeldToRateAndToken(t *testing.T) {
	f := newFixture(t)
	conv := f.conv(skein.Group)
	data := slices.Repeat([][]byte{[]byte(`{"conv_id":"` + conv + `","type":-1,"text":"hi"}`)}, skein.DefaultSendBurst+5)
	codes := func(by skein.Actor) map[int]int {
		codes := map[int]int{}
		for _, o := range f.CallAll(t.Context(), by, "msg.send", data) {
			codes[codeOf(o.Err)]++
		}
		return codes
	}
	by := f.actor("shop", "Member")
	if got := codes(by); got[0] != skein.DefaultSendBurst || got[4290] != 5 {
		t.Errorf("got codes %v, want the burst of %d and 4290 after it", got, skein.DefaultSendBurst)
	}
	by = f.actor("shop", "Admin")
	by.Actions = []string{"msg.list"}
	if got := codes(by); got[4004] != len(data) {
		t.Errorf("with a token for msg.list: got codes %v", got)
	}
	f.must(f.store.DeleteApp(t.Context(), "shop"))
	f.clock.Add(2000)
	if got := codes(by); got[4003] != len(data) {
		t.Errorf("after the app's end: got codes %v", got)
	}
}

func TestOnlySendsBatch(t *testing.T) {
	f := newFixture(t)
	for _, op := range f.Rows() {
		if got := f.Batches(op.Name); got != (op.Name == "msg.send") {
			t.Errorf("%s batches: %v", op.Name, got)
		}
	}
	if f.Batches("login") {
		t.Error("what is no op batches")
	}
}
