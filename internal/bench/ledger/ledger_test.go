package ledger_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/bench/ledger"
)

// message is the nth of sender 1, as the server knows it.
func message(n uint32) ledger.Message { return ledger.Message{Sender: 1, N: n, ID: uint64(n) * 1000} }

func entry(seq int64) ledger.Entry { return ledger.Entry{Seq: seq, Message: message(uint32(seq))} }

// five is a conversation in which seq 1..5 were answered.
func five(faults *ledger.Faults) *ledger.Conversation {
	c := ledger.NewConversation("c", 0, faults)
	for seq := int64(1); seq <= 5; seq++ {
		c.Answered(seq, message(uint32(seq)))
	}
	return c
}

func TestTheHistoryHoldsEachAnsweredMessageOnceInItsPlace(t *testing.T) {
	whole := []ledger.Entry{entry(1), entry(2), entry(3), entry(4), entry(5)}
	for name, tt := range map[string]struct {
		history []ledger.Entry
		fault   string // a part of the first; empty: none
	}{
		"as it was answered":          {whole, ""},
		"one lost in the middle":      {slices.Delete(slices.Clone(whole), 2, 3), "seq 4 is where 3 is due"},
		"one lost at the end":         {whole[:4], "seq 5 is lost"},
		"all lost":                    {nil, "seq 1 is lost"},
		"one doubled under its seq":   {slices.Insert(slices.Clone(whole), 3, entry(3)), "seq 3 is where 4 is due"},
		"one doubled under a new seq": {append(slices.Clone(whole), ledger.Entry{Seq: 6, Message: message(5)}), "which nobody was answered"},
		"two swapped":                 {[]ledger.Entry{entry(1), {Seq: 2, Message: message(3)}, {Seq: 3, Message: message(2)}, entry(4), entry(5)}, "answered was message 2"},
		"another id": {[]ledger.Entry{entry(1), entry(2), {Seq: 3, Message: ledger.Message{Sender: 1, N: 3, ID: 7}},
			entry(4), entry(5)}, "seq 3 holds"},
	} {
		t.Run(name, func(t *testing.T) {
			var faults ledger.Faults
			five(&faults).Stored(tt.history)
			wantFault(t, &faults, tt.fault)
		})
	}
}

func TestAReceiverGetsEachMessageOnceInOrder(t *testing.T) {
	for name, tt := range map[string]struct {
		pushed []int64
		fault  string
	}{
		"in order":     {[]int64{1, 2, 3, 4, 5}, ""},
		"lost":         {[]int64{1, 2, 4, 5}, "never got seq 3"},
		"lost at last": {[]int64{1, 2, 3, 4}, "never got seq 5"},
		"nothing":      {nil, "never got seq 1"},
		"doubled":      {[]int64{1, 2, 3, 3, 4, 5}, "seq 3 again: doubled"},
		"swapped":      {[]int64{1, 3, 2, 4, 5}, "seq 2 after 3: swapped"},
		"unanswered":   {[]int64{1, 2, 3, 4, 5, 6}, "is not what was sent"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, history := range []bool{true, false} {
				var faults ledger.Faults
				c := five(&faults)
				r := ledger.NewReceiver("r", c, ledger.NoSender)
				for _, seq := range tt.pushed {
					r.Got(seq, message(uint32(seq)))
				}
				if history {
					c.Stored([]ledger.Entry{entry(1), entry(2), entry(3), entry(4), entry(5)})
				}
				r.Done()
				wantFault(t, &faults, tt.fault)
			}
		})
	}
}

func TestAPushShowsTheMessageOfTheHistory(t *testing.T) {
	var faults ledger.Faults
	c := five(&faults)
	r := ledger.NewReceiver("r", c, ledger.NoSender)
	for seq := int64(1); seq <= 5; seq++ {
		m := message(uint32(seq))
		if seq == 3 {
			m = message(2)
		}
		r.Got(seq, m)
	}
	r.Done()
	wantFault(t, &faults, "is not what was sent")
}

func TestASenderIsNotDueItsOwn(t *testing.T) {
	var faults ledger.Faults
	c := ledger.NewConversation("c", 10, &faults)
	own := ledger.Message{Sender: 2, N: 1, ID: 1}
	c.Answered(11, message(1))
	c.Answered(12, own)
	c.Answered(13, message(2))
	c.Answered(14, own)
	r := ledger.NewReceiver("r", c, 2)
	r.Got(11, message(1))
	if !r.Behind() {
		t.Error("seq 13 is due, but it is not behind")
	}
	r.Got(13, message(2))
	if r.Behind() {
		t.Error("its own seq 14 is not due, but it is behind")
	}
	r.Done()
	wantFault(t, &faults, "")
}

func TestASeqIsAnsweredOnce(t *testing.T) {
	var faults ledger.Faults
	c := five(&faults)
	c.Answered(3, message(9))
	wantFault(t, &faults, "seq 3 was answered to message 3 of sender 1 and to message 9 of sender 1")
}

func TestASeqIsNotAnsweredBelowTheBeginning(t *testing.T) {
	var faults ledger.Faults
	ledger.NewConversation("c", 10, &faults).Answered(10, message(1))
	wantFault(t, &faults, "was answered seq 10, after 10")
}

func TestFaultsAreCountedPastThoseShown(t *testing.T) {
	var faults ledger.Faults
	for i := range 50 {
		faults.Addf("fault %d", i)
	}
	list := faults.List()
	if len(list) != 21 || list[20] != "and 30 more" {
		t.Errorf("got %q", list)
	}
}

// wantFault wants a first fault that says part, or none.
func wantFault(t *testing.T, faults *ledger.Faults, part string) {
	t.Helper()
	list := faults.List()
	switch {
	case part == "" && len(list) > 0:
		t.Errorf("got %q, want no fault", list)
	case part != "" && (len(list) == 0 || !strings.Contains(list[0], part)):
		t.Errorf("got %q, want first a fault with %q", list, part)
	}
}
