package rows

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/store"
)

// Budgets: how often a command may allocate between the frame and the store.
const (
	sendBudget  = 15 // reading the request, its texts, the lists of one, the answer
	sendsBudget = 11 // each of 16 together
	listBudget  = 12 // reading the request, the member, the page (5)
)

func TestAllocsOfCommands(t *testing.T) {
	st := fakeStore{page: make([]skein.Message, 20)}
	gate := access.New(access.Options{Apps: st, Clients: st})
	table := New(Deps{Chat: chat.New(chat.Options{Store: st, Events: noEvents{}}), Gate: gate, Zone: time.UTC})
	app, err := gate.App(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	by := skein.Actor{App: app, Client: "Tom", Session: "s", Device: "phone"}
	for name, tt := range map[string]struct {
		data   string
		budget float64
	}{
		"msg.send": {`{"conv_id":"01020300000000000000000000000000","type":-1,"text":"hello","client_msg_id":"a1"}`, sendBudget},
		"msg.list": {`{"conv_id":"01020300000000000000000000000000","page":1,"size":20}`, listBudget},
	} {
		data := []byte(tt.data)
		got := testing.AllocsPerRun(200, func() {
			if _, err := table.Call(context.Background(), by, name, data); err != nil {
				t.Fatal(err)
			}
		})
		if got > tt.budget {
			t.Errorf("%s: %v allocations, the budget is %v", name, got, tt.budget)
		}
	}
	const together = 16
	sends := make([][]byte, together)
	for i := range sends {
		sends[i] = fmt.Appendf(nil, `{"conv_id":"01020300000000000000000000000000","type":-1,"text":"hello","client_msg_id":"a%d"}`, i)
	}
	got := testing.AllocsPerRun(200, func() {
		for _, o := range table.CallAll(context.Background(), by, "msg.send", sends) {
			if o.Err != nil {
				t.Fatal(o.Err)
			}
		}
	}) / together
	if got > sendsBudget {
		t.Errorf("msg.send, each of %d: %v allocations, the budget is %v", together, got, sendsBudget)
	}
}

// fakeStore is a store that takes and answers at no cost.
type fakeStore struct {
	store.Store

	page []skein.Message
}

func (fakeStore) App(context.Context, string) (skein.App, error) {
	return skein.App{ID: "shop", Settings: skein.Settings{SendRate: -1}}, nil
}

func (fakeStore) AppendAll(_ context.Context, drafts []skein.Draft) ([]store.Appended, error) {
	answers := make([]store.Appended, len(drafts))
	for i, d := range drafts {
		answers[i].Message = d.Message
		answers[i].Message.Seq = 1
	}
	return answers, nil
}

func (v fakeStore) Conversation(context.Context, string, skein.ID, string) (skein.Conversation, *skein.Member, error) {
	return skein.Conversation{LastSeq: int64(len(v.page))}, &skein.Member{}, nil
}

func (v fakeStore) Messages(context.Context, string, skein.ID, skein.SeqRange) ([]skein.Message, error) {
	return v.page, nil
}
