package load

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/ledger"
)

// talk is a crowd of two whose frames the test makes up.
func talk() (c *Crowd, speaker, listener *member) {
	c = &Crowd{quota: NewQuota(0, 0)}
	conv := ledger.NewConversation("c", 0, &c.Faults)
	c.Convs = []*ledger.Conversation{conv}
	c.Speaker(nil, "a", conv, 1, 0, driver.Body{Conv: "c"})
	c.Listener(nil, "b", conv)
	return c, c.members[0], c.members[1]
}

func TestTheServersFramesAreHeldAgainstEachOther(t *testing.T) {
	type frames = [][]byte
	answers := frames{newAnswer("1", "0"), newAnswer("2", "1"), newAnswer("3", "2")}
	one, two, three := newPush("1", "s1n0 x"), newPush("2", "s1n1 x"), newPush("3", "s1n2 x")
	for name, tt := range map[string]struct {
		answers, pushes frames
		fault           string
	}{
		"once and in order":      {answers, frames{one, two, three}, ""},
		"events beside":          {answers, frames{one, []byte(`{"type":"conv.updated","data":{}}`), two, three}, ""},
		"lost":                   {answers, frames{one, three}, "b never got seq 2: lost"},
		"doubled":                {answers, frames{one, two, two, three}, "b got seq 2 again: doubled"},
		"swapped":                {answers, frames{two, one, three}, "b got seq 1 after 2: swapped"},
		"another text":           {answers, frames{one, newPush("2", "s1n2 x"), three}, "is not what was sent"},
		"somebody else's text":   {answers, frames{newPush("1", "hello")}, "a push of nothing that was sent"},
		"a send that is refused": {frames{[]byte(`{"type":"msg.send.error","msg":"m","code":5030,"data":null,"id":"0"}`)}, nil, "the server says"},
		"a frame not understood": {frames{[]byte(`{"type":"error","msg":"m","code":4406}`)}, nil, "the server says"},
		"a kick":                 {frames{[]byte(`{"type":"logout.kick","data":{}}`)}, nil, "the server says"},
		"a seq answered twice":   {append(answers, newAnswer("3", "3")), frames{one, two, three}, "seq 3 was answered to"},
	} {
		t.Run(name, func(t *testing.T) {
			c, speaker, listener := talk()
			for _, frame := range tt.answers {
				speaker.handle(frame)
			}
			for _, frame := range tt.pushes {
				listener.handle(frame)
			}
			c.Check()
			got := strings.Join(c.Faults.List(), "; ")
			if (tt.fault == "") != (got == "") || !strings.Contains(got, tt.fault) {
				t.Errorf("got %q, want %q", got, tt.fault)
			}
		})
	}
}

func TestWhatIsNotAnsweredIsTold(t *testing.T) {
	c, _, _ := talk()
	q := NewQuota(1, time.Minute)
	q.take()
	if err := c.Settle(context.Background(), q, time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Faults.List(), "; "); !strings.Contains(got, "1 messages were not answered") {
		t.Errorf("got %q", got)
	}
}

func TestLatencyCountsFromWhenAMessageWasDue(t *testing.T) {
	c, start := &Crowd{}, time.Unix(1000, 0)
	c.paced.Store(&start)
	// The third speaker of ten, its fifth message: the 43rd of all.
	if got := c.DueAt(ledger.Message{Sender: 2, N: 4}, 10, time.Millisecond).Sub(start); got != 42*time.Millisecond {
		t.Errorf("got %v after the start, want 42ms", got)
	}
}

func TestAQuotaIsTakenOnce(t *testing.T) {
	q := NewQuota(2, time.Minute)
	if got := []bool{q.take(), q.over(), q.take(), q.over(), q.take()}; got[0] != true || got[1] || !got[2] || !got[3] || got[4] {
		t.Errorf("take, over, take, over, take: got %v", got)
	}
	if n := q.Taken.Load(); n != 2 {
		t.Errorf("taken: got %d, want 2", n)
	}
	if NewQuota(0, -time.Second).take() {
		t.Error("something was taken when the time was over")
	}
}

// newPush is a msg.new as a server writes it.
func newPush(seq, text string) []byte {
	return []byte(`{"type":"msg.new","data":{"from_client":"b1","conv_id":"c","msg_id":"id` + seq + `","ctime":1,"type":-1,"text":"` + text +
		`","attr":null,"url":null,"transient":0,"mention_all":0,"mention_client_ids":null,"seq":` + seq + `,"conv_type":1,"client_msg_id":null,"reply_to":null}}`)
}

// newAnswer is the answer to the send with that id.
func newAnswer(seq, id string) []byte {
	return []byte(`{"type":"msg.send.success","msg":"success","data":{"msg_id":"id` + seq + `","time":1,"seq":` + seq + `},"id":"` + id + `"}`)
}
