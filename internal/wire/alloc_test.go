package wire

import (
	"testing"

	"github.com/skein-im/skein"
)

// Budgets: how often one piece of work may allocate. A change that needs more says
// here what for.
const (
	frameBudget  = 1 // its type as a string
	answerBudget = 0
	newBudget    = 0
	eventBudget  = 1 // its bytes
	updateBudget = 1 // the message as it is shown
	pageBudget   = 5 // the list of messages as they are shown, the total, and the bytes as they grow: the head, then all
)

func wantAllocs(t *testing.T, what string, budget float64, work func()) {
	t.Helper()
	if got := testing.AllocsPerRun(200, work); got > budget {
		t.Errorf("%s: %v allocations, the budget is %v", what, got, budget)
	}
}

func TestAllocsOfFrames(t *testing.T) {
	command := []byte(`{"type":"msg.send","id":"1","data":{"conv_id":"04050600000000000000000000000000","type":-1,"text":"hello"}}`)
	wantAllocs(t, "reading a command", frameBudget, func() {
		if _, err := ParseFrame(command); err != nil {
			t.Fatal(err)
		}
	})
	buf, data := make([]byte, 0, 4096), []byte(`{"seq":1}`)
	wantAllocs(t, "an answer", answerBudget, func() { buf = AppendSuccess(buf[:0], "msg.send", []byte(`"1"`), data) })
	wantAllocs(t, "a pong", answerBudget, func() { buf = AppendPong(buf[:0], nil, 1) })
	wantAllocs(t, "an envelope", answerBudget, func() { buf = AppendEnvelope(buf[:0], 0, "ok", data, "request") })
}

func TestAllocsOfEvents(t *testing.T) {
	plain := skein.Message{Seq: 7, Sender: "Tom", Version: 1, Body: skein.Body{Type: skein.TypeText, Text: "hello"}}
	change := &skein.Change{Seq: 5, Kind: skein.ChangeEdit, By: "Tom", Message: plain}
	sent := &skein.Committed{Message: plain, ConvType: skein.Group}
	buf := make([]byte, 0, 4096)
	wantAllocs(t, "msg.new", newBudget, func() { buf = AppendNewMessage(buf[:0], sent) })
	wantAllocs(t, "msg.new in memory of its own", eventBudget, func() { buf = NewMessageFrame(sent) })
	wantAllocs(t, "msg.updated", updateBudget, func() { buf = AppendUpdate(buf[:0], plain.Conv, change) })
}

// A page costs the same number of allocations however many messages it has.
func TestAllocsOfAPageOfTheHistory(t *testing.T) {
	for _, n := range []int{1, 20, 100} {
		messages := make([]skein.Message, n)
		for i := range messages {
			messages[i] = skein.Message{Seq: int64(i), Sender: "Tom", Body: skein.Body{Type: skein.TypeText, Text: "hello"}}
		}
		wantAllocs(t, "a page", pageBudget, func() { NewMessagePage(PageRequest{Page: 1, Size: n}, messages, 1000).AppendJSON(nil) })
	}
}
