package chaos

import (
	"fmt"
	"slices"
	"testing"
)

func TestACleanRoundBreaksNothing(t *testing.T) {
	if found := check(simRound()); len(found) > 0 {
		t.Errorf("%d breaches in a round without any:\n%s", len(found), report(found))
	}
}

// tape is a history that is about to be spoilt.
type tape struct{ events []event }

// only is the one event that pick accepts; more is how many it skips before it.
func (t *tape) only(more int, pick func(event) bool) *event {
	for i := range t.events {
		if pick(t.events[i]) {
			if more--; more < 0 {
				return &t.events[i]
			}
		}
	}
	panic("no such event: the round of the self test is another")
}

// of is an event of a kind, client and conversation.
func (t *tape) of(k kind, client, conv string, more int) *event {
	return t.only(more, func(e event) bool { return e.Kind == k && e.Client == client && e.Conv == conv })
}

// drop takes an event out and numbers the rest anew as they were: a number that is
// missing says nothing.
func (t *tape) drop(e *event) {
	n := e.N
	t.events = slices.DeleteFunc(t.events, func(e event) bool { return e.N == n })
}

// insert puts an event right after another.
func (t *tape) insert(after *event, e event) {
	at := slices.IndexFunc(t.events, func(e event) bool { return e.N == after.N }) + 1
	t.events = slices.Insert(t.events, at, e)
	for i := range t.events {
		t.events[i].moveFrom(at + 1)
	}
	t.events[at].N = at + 1
}

// moveFrom makes room for an event at a place.
func (e *event) moveFrom(place int) {
	if e.N >= place {
		e.N++
	}
	if e.Asked >= place {
		e.Asked++
	}
}

// called adds a call and its answer at the end of what happened.
func (t *tape) called(client, op string, in args, reply event) {
	app := t.of(kindConv, "", in.ConvID, 0).App
	call := event{Kind: kindCall, App: app, Client: client, Device: "d", Session: 1, Call: "late", Op: op, Conv: in.ConvID, Args: &in}
	at := t.only(0, func(e event) bool { return e.Kind == kindHold })
	before := t.events[slices.IndexFunc(t.events, func(e event) bool { return e.N == at.N })-1]
	t.insert(&before, call)
	asked := before.N + 1
	call.N, call.Kind, call.Args = asked, kindReply, nil
	call.Asked, call.Code, call.Seq, call.MsgID, call.Messages, call.View = asked, reply.Code, reply.Seq, reply.MsgID, reply.Messages, reply.View
	t.insert(&event{N: asked}, call)
}

// held is what a client's device holds of a message at the end.
func (t *tape) held(client, conv string, seq int64) *message {
	e := t.of(kindHold, client, conv, 0)
	e.Messages = slices.Clone(e.Messages)
	return &e.Messages[slices.IndexFunc(e.Messages, func(m message) bool { return m.Seq == seq })]
}

// view is a client's view at the end by one of the ops; a copy that can be spoilt.
func (t *tape) view(op, client, conv string) *view {
	e := t.only(0, func(e event) bool { return e.Kind == kindView && e.Op == op && e.Client == client && e.Conv == conv })
	v := *e.View
	e.View = &v
	return e.View
}

// left is the answer with which a client was out of a conversation.
func (t *tape) left(client string) *event {
	call := t.only(0, func(e event) bool {
		return e.Kind == kindCall && e.Op == "conv.members.remove" && e.Args.ClientIDs[0] == client
	})
	return t.only(0, func(e event) bool { return e.Kind == kindReply && e.Call == call.Call })
}

// sent is a send's answer.
func (t *tape) sent(text string) *event {
	call := t.only(0, func(e event) bool { return e.Kind == kindCall && e.Op == "msg.send" && e.Args.Text == text })
	return t.only(0, func(e event) bool { return e.Kind == kindReply && e.Call == call.Call })
}

// heard is a live event of a client's device that was not in the round.
func heard(app, client, conv string) event {
	return event{Kind: kindLive, App: app, Client: client, Device: "d", Session: 1, Conv: conv}
}

// lone is a message of the conversation that nobody is in.
func lone(seq int64, id string) message {
	return message{ID: fmt.Sprintf("z-%d", seq), Seq: seq, Sender: "zoe", ClientMsgID: id, Status: statusNormal, Text: id, Version: 1}
}

// spoilt are rounds in which one promise was broken, and which.
var spoilt = map[string]struct {
	breaks promise
	spoil  func(t *tape)
}{
	"an acked message is nowhere": {acked, func(t *tape) {
		t.called("ann", "msg.send", args{ConvID: "g", Text: "lost", ClientMsgID: "lost"}, event{Seq: 6, MsgID: "g-lost"})
	}},
	"the ack names another seq": {acked, func(t *tape) { t.sent("bob#1").Seq = 1 }},
	"an acked edit is not in the log": {acked, func(t *tape) {
		in := args{ConvID: "g", MsgID: "g-bob#2", Text: "bob#2 better"}
		t.called("bob", "msg.edit", in, event{Messages: []message{{ID: in.MsgID, Seq: 5, Version: 2, Change: 6, Text: in.Text, Status: statusNormal}}})
	}},
	"an acked deletion for oneself is not in the log": {acked, func(t *tape) {
		t.called("yan", "msg.delete", args{ConvID: "z", MsgID: "z-1"}, event{})
		t.of(kindTruth, "", "z", 0).Messages = []message{lone(1, "a")}
	}},
	"an acked pin is not in the log": {acked, func(t *tape) {
		on := 1
		t.called("ann", "msg.pin", args{ConvID: "g", MsgID: "g-bob#2", On: &on}, event{})
	}},
	"a seq is missing in the store": {dense, func(t *tape) {
		t.of(kindTruth, "", "z", 0).Messages = []message{lone(1, "a"), lone(3, "b")}
	}},
	"a client_msg_id is stored twice": {retried, func(t *tape) {
		t.of(kindTruth, "", "z", 0).Messages = []message{lone(1, "a"), lone(2, "a")}
	}},
	"a retry is answered as another message": {retried, func(t *tape) {
		first := *t.sent("bob#1")
		call := *t.only(0, func(e event) bool { return e.Kind == kindCall && e.Call == first.Call })
		t.insert(&first, call)
		again := first
		again.N, again.Seq, again.MsgID, again.Asked = first.N+1, 6, "g-twin", first.N+1
		t.insert(&event{N: first.N + 1}, again)
	}},
	"a retry is refused as another message": {retried, func(t *tape) {
		first := *t.sent("bob#1")
		call := *t.only(0, func(e event) bool { return e.Kind == kindCall && e.Call == first.Call })
		t.insert(&first, call)
		again := first
		again.N, again.Code, again.Seq, again.MsgID, again.Asked = first.N+1, codeConflict, 0, "", first.N+1
		t.insert(&event{N: first.N + 1}, again)
	}},
	"what was refused is stored": {refused, func(t *tape) {
		e := t.sent("bob#1")
		e.Code, e.Seq, e.MsgID = codeForbidden, 0, ""
	}},
	"a reader misses a message": {once, func(t *tape) { t.drop(t.of(kindTake, "ann", "g", 1)) }},
	"a reader takes a message twice": {once, func(t *tape) {
		e := t.of(kindTake, "ann", "g", 1)
		t.insert(e, *e)
	}},
	"a reader takes two messages the wrong way round": {once, func(t *tape) {
		a, b := t.of(kindTake, "ann", "g", 1), t.of(kindTake, "ann", "g", 2)
		a.Seq, a.MsgID, b.Seq, b.MsgID = b.Seq, b.MsgID, a.Seq, a.MsgID
	}},
	"a reader has another message under a seq": {once, func(t *tape) { t.of(kindTake, "ann", "g", 1).MsgID = "g-cat#1" }},
	"a reader never sees the last message": {once, func(t *tape) {
		t.drop(t.of(kindTake, "ann", "g", 4))
		e := t.of(kindHold, "ann", "g", 0)
		e.Seq, e.Messages = e.Seq-1, e.Messages[:4]
	}},
	"a member's device knows nothing of a conversation": {once, func(t *tape) { t.drop(t.of(kindHold, "pia", "q", 0)) }},
	"an edit did not come to a reader": {sameState, func(t *tape) {
		m := t.held("ann", "g", 1)
		m.Version, m.Text, m.Change = 2, "ann#1 better", 2
	}},
	"a reaction did not come to a reader": {sameState, func(t *tape) { t.held("ann", "g", 1).Reactions = nil }},
	"a recall did not come to a reader": {sameState, func(t *tape) {
		m := t.held("ann", "g", 3)
		m.Status, m.Text, m.Change = statusNormal, "cat#1", 0
	}},
	"who deleted a message for itself still reads it": {sameState, func(t *tape) {
		t.of(kindHold, "bob", "g", 0).Messages = append([]message{{ID: "g-ann#1", Seq: 1, Text: "ann#1 best", Version: 3, Status: statusNormal}}, t.of(kindHold, "bob", "g", 0).Messages...)
	}},
	"who deleted a message for itself is answered it": {sameState, func(t *tape) {
		e := *t.of(kindFetch, "cat", "g", 1)
		e.Client, e.Asked = "bob", e.N-1
		e.Changes, e.Messages = nil, []message{{ID: "g-ann#1", Seq: 1, Sender: "ann", ClientMsgID: "ann#1", Text: "ann#1 better", Version: 2, Status: statusNormal}}
		t.insert(t.of(kindFetch, "cat", "g", 1), e)
	}},
	"one version reads two ways": {sameState, func(t *tape) {
		e := t.only(0, func(e event) bool { return e.Kind == kindLive && e.Client == "ann" && e.Change == 1 })
		m := *e.Changes[0].Message
		m.Text = "ann#1 worse"
		e.Changes = []change{{Seq: 1, Kind: "edit", MsgID: m.ID, Client: "ann", Message: &m}}
	}},
	"an edit comes to a member as none": {sameState, func(t *tape) { t.of(kindApply, "ann", "g", 0).Changes = []change{{Seq: 1, Kind: "none"}} }},
	"live messages come the wrong way round": {inOrder, func(t *tape) {
		pick := func(e event) bool { return e.Kind == kindLive && e.Client == "ann" && e.Seq > 0 && e.Conv == "g" }
		a, b := t.only(0, pick), t.only(1, pick)
		a.Seq, a.Messages, b.Seq, b.Messages = b.Seq, b.Messages, a.Seq, a.Messages
	}},
	"a live message comes twice": {inOrder, func(t *tape) {
		e := t.of(kindLive, "ann", "g", 1)
		t.insert(e, *e)
	}},
	"live changes come the wrong way round": {inOrder, func(t *tape) {
		pick := func(e event) bool { return e.Kind == kindLive && e.Client == "ann" && e.Change > 0 && e.Conv == "g" }
		a, b := t.only(0, pick), t.only(1, pick)
		a.Change, a.Changes, b.Change, b.Changes = b.Change, b.Changes, a.Change, a.Changes
	}},
	"a change_seq is missing in the store": {logged, func(t *tape) {
		e := t.of(kindTruth, "", "z", 0)
		e.Messages = []message{lone(1, "a")}
		e.Changes = []change{{Seq: 1, Kind: "delete", MsgID: "z-1", Client: "zoe"}, {Seq: 3, Kind: "delete", MsgID: "z-1", Client: "yan"}}
	}},
	"a message was edited without a change": {logged, func(t *tape) {
		m := lone(1, "a")
		m.Version = 2
		t.of(kindTruth, "", "z", 0).Messages = []message{m}
	}},
	"a reaction of the log is not under the message": {logged, func(t *tape) {
		m := lone(1, "a")
		m.Change = 1
		e := t.of(kindTruth, "", "z", 0)
		e.Messages, e.Changes = []message{m}, []change{{Seq: 1, Kind: "react", MsgID: m.ID, Client: "zoe", Emoji: "x", On: 1}}
	}},
	"a reader misses a change": {applied, func(t *tape) { t.drop(t.of(kindApply, "ann", "g", 1)) }},
	"a reader never learns of the last change": {applied, func(t *tape) {
		t.drop(t.of(kindApply, "ann", "g", 4))
		t.of(kindHold, "ann", "g", 0).Change--
	}},
	"a message comes live to who has left": {stranger, func(t *tape) {
		e := heard("open", "cat", "g")
		e.Seq, e.Messages = 4, []message{{ID: "g-ann#2", Seq: 4, Sender: "ann", ClientMsgID: "ann#2", Text: "ann#2", Version: 1, Status: statusNormal}}
		t.insert(t.sent("ann#2"), e)
	}},
	"who has left is answered history": {stranger, func(t *tape) {
		out := t.left("cat")
		e := *t.of(kindFetch, "cat", "g", 1) // of when it came back
		e.Asked, e.Messages, e.Changes = out.N+1, e.Messages[:2], nil
		t.insert(t.sent("ann#2"), e)
	}},
	"private history is answered from before joining": {stranger, func(t *tape) {
		e := t.of(kindFetch, "rob", "q", 0)
		e.Messages = []message{{ID: "q-pia#1", Seq: 1, Sender: "pia", ClientMsgID: "pia#1", Text: "pia#1", Version: 1, Status: statusNormal}}
	}},
	"a change of private history comes live from before joining": {stranger, func(t *tape) {
		e := heard("private", "rob", "q")
		e.Session = 2
		m := message{ID: "q-pia#1", Seq: 1, Sender: "pia", ClientMsgID: "pia#1", Text: "pia#1", Version: 1, Status: statusNormal}
		e.Change, e.Changes = 9, []change{{Seq: 9, Kind: "react", MsgID: m.ID, Client: "pia", Emoji: "x", On: 1, Message: &m}}
		t.insert(t.of(kindFetch, "rob", "q", 0), e)
	}},
	"another's own deletion is told": {stranger, func(t *tape) {
		e := heard("open", "ann", "g")
		e.Change, e.Changes = 4, []change{{Seq: 4, Kind: "delete", MsgID: "g-ann#1", Client: "bob"}}
		t.insert(t.of(kindApply, "ann", "g", 3), e)
	}},
	"recalled text is answered": {recalled, func(t *tape) {
		e := *t.of(kindFetch, "cat", "g", 1)
		e.Client, e.Asked = "ann", e.N-1
		e.Changes, e.Messages = nil, []message{{ID: "g-cat#1", Seq: 3, Sender: "cat", ClientMsgID: "cat#1", Text: "cat#1", Version: 1, Status: statusNormal}}
		t.insert(t.of(kindFetch, "cat", "g", 1), e)
	}},
	"recalled text is stored": {recalled, func(t *tape) {
		m := lone(1, "a")
		m.Status, m.Change = statusRecalled, 1
		e := t.of(kindTruth, "", "z", 0)
		e.Messages, e.Changes = []message{m}, []change{{Seq: 1, Kind: "recall", MsgID: m.ID, Client: "zoe"}}
	}},
	"what was cleared is answered": {cleared, func(t *tape) {
		mark := t.only(0, func(e event) bool { return e.Kind == kindReply && e.Op == "conv.mark" })
		e := *t.of(kindFetch, "bob", "g", 0)
		e.Asked, e.Messages = mark.N+1, []message{{ID: "g-ann#1", Seq: 1, Status: statusDeleted, Version: 3}}
		t.insert(&event{N: mark.N + 2}, e)
	}},
	"the floor forgets a clear": {cleared, func(t *tape) { t.view("sync", "bob", "g").FloorSeq = 0 }},
	"sync lacks a conversation": {inbox, func(t *tape) {
		t.drop(t.only(0, func(e event) bool { return e.Kind == kindView && e.Op == "sync" && e.Client == "ann" }))
	}},
	"the list has a conversation that was left": {inbox, func(t *tape) {
		e := *t.only(0, func(e event) bool { return e.Kind == kindView && e.Client == "pia" })
		e.Client = "quin"
		t.insert(t.of(kindTruth, "", "q", 0), e)
	}},
	"the list is a message behind": {inbox, func(t *tape) {
		v := t.view("conv.list", "cat", "g")
		v.LastSeq, v.Unread = v.LastSeq-1, v.Unread-1
	}},
	"join_seq is after what came after joining": {inbox, func(t *tape) {
		v := t.view("sync", "cat", "g")
		v.JoinSeq, v.ReadSeq, v.Unread, v.Mentions = 6, 5, 0, 0
	}},
	"unread is one too many":   {unread, func(t *tape) { t.view("sync", "ann", "g").Unread++ }},
	"a mention is not counted": {unread, func(t *tape) { t.view("conv.list", "ann", "g").Mentions-- }},
	"a read position is forgotten": {unread, func(t *tape) {
		v := t.view("sync", "ann", "g")
		v.ReadSeq, v.Unread = 3, 2
	}},
	"a read position runs back": {forward, func(t *tape) {
		five := int64(5)
		t.called("bob", "conv.read", args{ConvID: "g", Seq: &five}, event{View: &view{ConvID: "g", ReadSeq: 3}})
	}},
	"who has left is not told": {departed, func(t *tape) {
		e := *t.of(kindHold, "pia", "q", 0)
		e.Client = "quin"
		t.insert(t.of(kindHold, "pia", "q", 0), e)
	}},
	"an answer cannot be read": {readable, func(t *tape) {
		t.only(0, func(e event) bool { return e.Kind == kindReply && e.Op == "conv.mark" }).Code = -1
	}},
}

func TestEachBrokenPromiseIsNamed(t *testing.T) {
	for name, tt := range spoilt {
		t.Run(name, func(t *testing.T) {
			tape := &tape{events: simRound()}
			tt.spoil(tape)
			found := check(tape.events)
			if len(found) == 0 {
				t.Fatalf("got no breach, want %q", tt.breaks)
			}
			for _, b := range found {
				if b.promise != tt.breaks {
					t.Errorf("got %v, want %q alone", b, tt.breaks)
				}
			}
		})
	}
}

func TestEveryPromiseIsBrokenOnce(t *testing.T) {
	for _, p := range []promise{
		acked, dense, once, sameState, retried, refused, inOrder, logged, applied, stranger, recalled, cleared,
		inbox, unread, forward, departed, readable,
	} {
		broken := false
		for _, tt := range spoilt {
			broken = broken || tt.breaks == p
		}
		if !broken {
			t.Errorf("%q is broken by no row of the table", p)
		}
	}
}

func TestAHistoryReadsAsItWasWritten(t *testing.T) {
	path := t.TempDir() + "/history.jsonl"
	if err := writeHistory(path, simRound()); err != nil {
		t.Fatal(err)
	}
	events, err := readHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != len(simRound()) || len(check(events)) > 0 {
		t.Errorf("got %d events and %v, want %d that break nothing", len(events), check(events), len(simRound()))
	}
}
