package driver

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/bench/ledger"
)

// push is a msg.new as a server writes it.
func push(seq, text string) []byte {
	return []byte(`{"type":"msg.new","data":{"from_client":"b1","conv_id":"c","msg_id":"id` + seq + `","ctime":1,"type":-1,"text":"` + text +
		`","attr":null,"url":null,"transient":0,"mention_all":0,"mention_client_ids":null,"seq":` + seq + `,"conv_type":1,"client_msg_id":null,"reply_to":null}}`)
}

// answer is the answer to the send with that id.
func answer(seq, id string) []byte {
	return []byte(`{"type":"msg.send.success","msg":"success","data":{"msg_id":"id` + seq + `","time":1,"seq":` + seq + `},"id":"` + id + `"}`)
}

func TestACommandIsJSONWithATextOfItsSize(t *testing.T) {
	for name, b := range map[string]Body{
		"with client_msg_id":    {Conv: "c", Tag: "b-0", Padding: strings.Repeat("x", TextBytes)},
		"without client_msg_id": {Conv: "c", Padding: strings.Repeat("x", TextBytes)},
	} {
		var got struct {
			Type string
			ID   string
			Data struct {
				ConvID      string `json:"conv_id"`
				Type        int
				Text        string
				ClientMsgID string `json:"client_msg_id"`
			}
		}
		command := b.AppendCommand(nil, 12, 345)
		if err := json.Unmarshal(command, &got); err != nil {
			t.Fatalf("%s: %v in %s", name, err, command)
		}
		who, n, ok := parseText([]byte(got.Data.Text))
		if got.Type != "msg.send" || got.ID != "345" || got.Data.ConvID != "c" || len(got.Data.Text) != TextBytes || who != 12 || n != 345 || !ok {
			t.Errorf("%s: %s", name, command)
		}
		if want := map[bool]string{true: "b-0-12-345"}[b.Tag != ""]; got.Data.ClientMsgID != want {
			t.Errorf("%s: client_msg_id: got %q, want %q", name, got.Data.ClientMsgID, want)
		}
	}
}

func TestTextsOfOthersAreNotOurs(t *testing.T) {
	for _, text := range []string{"", "hello", "s1", "s1 x", "s1n x", "sn1 x", "s1n99999999999 x", "s1n2"} {
		if who, n, ok := parseText([]byte(text)); ok {
			t.Errorf("%q: got message %d of %d, want none", text, n, who)
		}
	}
}

func TestFramesAreRead(t *testing.T) {
	id := ledger.Hash([]byte("id7"))
	if seq, m, ok := ParsePush(push("7", "s3n4 xxx")); !ok || seq != 7 || m != (ledger.Message{Sender: 3, N: 4, ID: id}) {
		t.Errorf("push: got %d, %+v, %v", seq, m, ok)
	}
	if seq, m, ok := ParseAnswer(answer("7", "4"), 3); !ok || seq != 7 || m != (ledger.Message{Sender: 3, N: 4, ID: id}) {
		t.Errorf("answer: got %d, %+v, %v", seq, m, ok)
	}
	for _, frame := range []string{`{"type":"msg.new","data":{}}`, `{"type":"msg.new","data":{"seq":1,"text":"hello"}}`} {
		if _, _, ok := ParsePush([]byte(frame)); ok {
			t.Errorf("%s was read as one of ours", frame)
		}
	}
	if _, _, ok := ParseAnswer([]byte(`{"type":"msg.send.success","data":{"seq":1}}`), 3); ok {
		t.Error("an answer without an id was read")
	}
}
