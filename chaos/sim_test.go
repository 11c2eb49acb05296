package chaos

import (
	"fmt"
	"slices"
)

// sim plays a small round on a server in memory that does everything right, and
// writes the history of it. It knows one device a client, who are all told at once.
type sim struct {
	events []event
	convs  map[string]*simConv
	order  []string
	calls  int
	n      map[string]int // sends of each client
}

type simConv struct {
	app      string
	private  bool
	members  []string
	messages []message
	changes  []change
	hidden   map[string]bool  // client + msg_id
	join     map[string]int64 // join_seq of each member
	read     map[string]int64
	cleared  map[string]int64
	now      map[string]*talk // what each member's device holds
}

func newSim() *sim {
	s := &sim{convs: map[string]*simConv{}, n: map[string]int{}}
	s.add(event{Kind: kindApp, App: "open"})
	s.add(event{Kind: kindApp, App: "private", Private: true})
	return s
}

func (s *sim) add(e event) int {
	e.N = len(s.events) + 1
	s.events = append(s.events, e)
	return e.N
}

// by is the beginning of an event of a client's only device.
func (c *simConv) by(client string, k kind) event {
	return event{Kind: k, App: c.app, Client: client, Device: "d", Session: 1}
}

// found makes a conversation and logs its members' devices in.
func (s *sim) found(app, conv string, members ...string) {
	c := &simConv{
		app: app, private: app == "private", hidden: map[string]bool{}, join: map[string]int64{},
		read: map[string]int64{}, cleared: map[string]int64{}, now: map[string]*talk{},
	}
	s.convs[conv] = c
	s.order = append(s.order, conv)
	s.add(event{Kind: kindConv, App: app, Conv: conv, Type: group, Members: slices.Clone(members)})
	for _, client := range members {
		s.add(c.by(client, kindLogin))
		s.enter(conv, client, 1)
	}
}

// enter makes somebody a member whose device fetches what it may see.
func (s *sim) enter(conv, client string, joinSeq int64) {
	c := s.convs[conv]
	c.members = append(c.members, client)
	c.join[client], c.cleared[client] = joinSeq, 0
	floor := int64(0)
	if c.private {
		floor = joinSeq - 1
	}
	t := &talk{last: floor, floor: floor, copies: map[int64]message{}}
	c.now[client] = t
	start := c.by(client, kindStart)
	start.Conv, start.Seq = conv, floor
	s.add(start)
	s.fetch(conv, client)
}

// fetch brings a member's device up to date by msg.ranges.
func (s *sim) fetch(conv, client string) {
	c := s.convs[conv]
	t := c.now[client]
	e := c.by(client, kindFetch)
	e.Conv, e.Asked = conv, len(s.events)
	for _, m := range c.messages[t.last:] {
		e.Messages = append(e.Messages, c.seen(client, m))
	}
	for _, ch := range c.changes[t.change:] {
		e.Changes = append(e.Changes, c.told(client, ch))
	}
	s.add(e)
	for _, m := range e.Messages {
		s.take(conv, client, m)
	}
	for _, ch := range e.Changes {
		s.apply(conv, client, ch)
	}
}

// seen is a message as a client sees it.
func (c *simConv) seen(client string, m message) message {
	if c.hidden[client+m.ID] {
		return message{ID: m.ID, Seq: m.Seq, Sender: m.Sender, ClientMsgID: m.ClientMsgID, Status: statusDeleted, Version: m.Version, Change: m.Change}
	}
	return m
}

// told is a change as a client is told of it.
func (c *simConv) told(client string, ch change) change {
	m := c.at(ch.MsgID)
	if ch.Kind == "delete" && ch.Client != client || c.private && m.Seq < c.join[client] {
		return change{Seq: ch.Seq, Kind: "none"}
	}
	shown := c.seen(client, *m)
	ch.Message = &shown
	return ch
}

func (c *simConv) at(id string) *message {
	return &c.messages[slices.IndexFunc(c.messages, func(m message) bool { return m.ID == id })]
}

func (s *sim) take(conv, client string, m message) {
	c := s.convs[conv]
	c.now[client].last = m.Seq
	c.now[client].keep(m)
	e := c.by(client, kindTake)
	e.Conv, e.Seq, e.MsgID = conv, m.Seq, m.ID
	s.add(e)
}

func (s *sim) apply(conv, client string, ch change) {
	c := s.convs[conv]
	t := c.now[client]
	t.change = ch.Seq
	if ch.Message != nil {
		t.keep(*ch.Message)
	}
	ch.Message = nil
	e := c.by(client, kindApply)
	e.Conv, e.Change, e.Changes = conv, ch.Seq, []change{ch}
	s.add(e)
}

// call notes a call and its answer; do happens between.
func (s *sim) call(client, op string, in args, do func() event) {
	c := s.convs[in.ConvID]
	s.calls++
	e := c.by(client, kindCall)
	if client == "" {
		e.Device, e.Session = "", 0
	}
	e.Call, e.Op, e.Conv, e.Args = fmt.Sprintf("c%d", s.calls), op, in.ConvID, &in
	asked := s.add(e)
	r := do()
	r.Kind, r.App, r.Client, r.Device, r.Session = kindReply, e.App, e.Client, e.Device, e.Session
	r.Call, r.Op, r.Conv, r.Asked = e.Call, op, in.ConvID, asked
	s.add(r)
}

// send says something, which everybody hears live; mentions may be empty.
func (s *sim) send(conv, client string, mentions ...string) (id string) {
	s.n[client]++
	text := fmt.Sprintf("%s#%d", client, s.n[client])
	s.call(client, "msg.send", args{ConvID: conv, Type: -1, Text: text, ClientMsgID: text, Mentions: mentions}, func() event {
		c := s.convs[conv]
		m := message{
			ID: conv + "-" + text, Seq: int64(len(c.messages) + 1), Sender: client, ClientMsgID: text,
			Status: statusNormal, Text: text, Mentions: mentions, Version: 1,
		}
		c.messages = append(c.messages, m)
		id = m.ID
		for _, member := range c.members {
			e := c.by(member, kindLive)
			e.Conv, e.Seq, e.Messages = conv, m.Seq, []message{m}
			s.add(e)
			s.take(conv, member, m)
		}
		return event{Seq: m.Seq, MsgID: m.ID}
	})
	return id
}

// change does something to a message; alter is what becomes of it.
func (s *sim) change(conv, client, op string, in args, ch change, alter func(*message)) {
	in.ConvID, in.MsgID = conv, ch.MsgID
	s.call(client, op, in, func() event {
		c := s.convs[conv]
		m := c.at(ch.MsgID)
		ch.Seq, ch.Client = int64(len(c.changes)+1), client
		if ch.Kind != "delete" {
			m.Change = ch.Seq
		}
		alter(m)
		c.changes = append(c.changes, ch)
		for _, member := range c.members {
			told := c.told(member, ch)
			if told.Kind != "none" {
				e := c.by(member, kindLive)
				told.ConvID = conv
				e.Conv, e.Change, e.Changes = conv, ch.Seq, []change{told}
				s.add(e)
			}
			told.ConvID = ""
			s.apply(conv, member, told)
		}
		if op != "msg.edit" && op != "msg.react" {
			return event{}
		}
		return event{MsgID: m.ID, Messages: []message{*m}}
	})
}

func (s *sim) edit(conv, client, id, text string) {
	s.change(conv, client, "msg.edit", args{Text: text}, change{Kind: "edit", MsgID: id}, func(m *message) { m.Text, m.Version = text, m.Version+1 })
}

func (s *sim) recall(conv, client, id string) {
	s.change(conv, client, "msg.recall", args{}, change{Kind: "recall", MsgID: id}, func(m *message) {
		m.Status, m.Text, m.Mentions, m.Pin, m.Reactions = statusRecalled, "", nil, 0, nil
	})
}

func (s *sim) react(conv, client, id, emoji string) {
	on := 1
	s.change(conv, client, "msg.react", args{Emoji: emoji, On: &on}, change{Kind: "react", MsgID: id, Emoji: emoji, On: 1}, func(m *message) {
		m.Reactions = append(slices.Clone(m.Reactions), reaction{emoji, 1, []string{client}})
	})
}

func (s *sim) hide(conv, client, id string) {
	s.convs[conv].hidden[client+id] = true
	s.change(conv, client, "msg.delete", args{}, change{Kind: "delete", MsgID: id}, func(*message) {})
}

func (s *sim) readTo(conv, client string, seq int64) {
	s.call(client, "conv.read", args{ConvID: conv, Seq: &seq}, func() event {
		c := s.convs[conv]
		c.read[client] = max(c.read[client], seq)
		return event{View: &view{ConvID: conv, ReadSeq: c.position(client)}}
	})
}

func (s *sim) clearTo(conv, client string, seq int64) {
	s.call(client, "conv.mark", args{ConvID: conv, ClearToSeq: &seq}, func() event {
		c := s.convs[conv]
		c.cleared[client] = seq
		c.now[client].rise(seq)
		return event{View: &view{ConvID: conv, ReadSeq: c.position(client), FloorSeq: seq}}
	})
}

// leave and join are done by the backend.
func (s *sim) leave(conv, client string) {
	s.call("", "conv.members.remove", args{ConvID: conv, ClientIDs: []string{client}}, func() event {
		c := s.convs[conv]
		c.members = slices.DeleteFunc(c.members, func(m string) bool { return m == client })
		delete(c.now, client)
		e := c.by(client, kindGone)
		e.Conv = conv
		s.add(e)
		return event{}
	})
}

func (s *sim) join(conv, client string) {
	s.call("", "conv.members.add", args{ConvID: conv, ClientIDs: []string{client}}, func() event { return event{} })
	s.enter(conv, client, int64(len(s.convs[conv].messages)+1))
}

// position is skein's rule of what has been read.
func (c *simConv) position(client string) int64 {
	p := max(c.join[client]-1, c.read[client], c.cleared[client])
	for _, m := range c.messages {
		if m.Sender == client && m.Seq >= c.join[client] {
			p = max(p, m.Seq)
		}
	}
	return p
}

// end notes what all hold, and the truth.
func (s *sim) end() []event {
	for _, conv := range s.order {
		c := s.convs[conv]
		for _, client := range c.members {
			t := c.now[client]
			e := c.by(client, kindHold)
			e.Conv, e.Seq, e.Change, e.Messages = conv, t.last, t.change, t.held()
			s.add(e)
			for _, op := range []string{"conv.list", "sync"} {
				s.add(event{Kind: kindView, App: c.app, Client: client, Op: op, Conv: conv, View: c.view(conv, client)})
			}
		}
		s.add(event{
			Kind: kindTruth, App: c.app, Conv: conv, Members: slices.Clone(c.members),
			Messages: slices.Clone(c.messages), Changes: slices.Clone(c.changes),
		})
	}
	return s.events
}

func (c *simConv) view(conv, client string) *view {
	n := int64(len(c.messages))
	v := &view{
		ConvID: conv, LastSeq: n, LastChange: int64(len(c.changes)), ReadSeq: c.position(client),
		JoinSeq: c.join[client], FloorSeq: c.now[client].floor,
	}
	for _, m := range c.messages[v.ReadSeq:] {
		if !m.blank() {
			v.Unread++
		}
		if slices.Contains(m.Mentions, client) {
			v.Mentions++
		}
	}
	if n > v.FloorSeq {
		m := c.seen(client, c.messages[n-1])
		v.Last = &m
	}
	return v
}

// simRound is a small round in which everything happens once.
func simRound() []event {
	s := newSim()
	s.found("open", "g", "ann", "bob", "cat")
	s.found("private", "q", "pia", "quin")
	first := s.send("g", "ann")
	s.send("g", "bob", "ann", "cat")
	gone := s.send("g", "cat", "bob")
	s.edit("g", "ann", first, "ann#1 better")
	s.react("g", "bob", first, "👍")
	s.recall("g", "cat", gone)
	s.hide("g", "bob", first)
	s.readTo("g", "cat", 3)
	s.leave("g", "cat")
	s.send("g", "ann")
	s.join("g", "cat")
	s.send("g", "bob", "cat", "ann")
	s.edit("g", "ann", first, "ann#1 best")
	s.clearTo("g", "bob", 1)
	s.readTo("g", "bob", 5)

	s.send("q", "pia")
	s.join("q", "rob")
	second := s.send("q", "quin", "rob")
	s.send("q", "pia", "rob")
	s.edit("q", "quin", second, "quin#1 better")
	s.leave("q", "quin")
	s.send("q", "pia")
	s.found("open", "z") // nobody is in it: mutations write its truth
	return s.end()
}
