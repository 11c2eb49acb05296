package chaos

import (
	"encoding/json"
	"fmt"
	"slices"
)

// protocol is what a client does on one socket so that it sees each message
// exactly once. It alone changes what its device holds.
type protocol struct {
	*device

	socket  *socket
	session int
	stale   bool // something happened that only a sync tells
}

// synced is the answer of sync.
type synced struct {
	Views   []view   `json:"conversations"`
	Deleted []string `json:"deleted"`
	Next    string   `json:"next_cursor"`
	Done    bool     `json:"done"`
	Reset   bool     `json:"reset_required"`
}

// syncPage is small, so that a round sees many pages.
const syncPage = 3

// sync follows the cursor to its end and fetches what it shows to be missing.
func (p *protocol) sync() error {
	p.stale = false
	for {
		p.mu.Lock()
		cursor := p.cursor
		p.mu.Unlock()
		f, err := p.socket.ask("sync", args{Cursor: cursor, Limit: syncPage})
		if err != nil {
			return err
		}
		if f.Code != 0 {
			return fmt.Errorf("sync: %d %s", f.Code, f.Msg)
		}
		var page synced
		if err := json.Unmarshal(f.Data, &page); err != nil {
			return err
		}
		p.apply(page)
		if page.Done {
			break
		}
	}
	if err := p.repair(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.stale {
		p.rested++
	}
	return nil
}

// apply takes a page of sync. The cursor goes on with it: what is to fetch is
// remembered with the conversations.
func (p *protocol) apply(page synced) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if page.Reset {
		for conv := range p.talks {
			p.forget(conv)
		}
	}
	for _, conv := range page.Deleted {
		p.forget(conv)
	}
	for _, v := range page.Views {
		p.look(v)
	}
	p.cursor = page.Next
}

// forget lets go of a conversation; mu is held.
func (p *protocol) forget(conv string) {
	if p.talks[conv] == nil {
		return
	}
	delete(p.talks, conv)
	p.note(event{Kind: kindGone, Conv: conv})
}

// look takes a view; mu is held.
func (p *protocol) look(v view) {
	t := p.talks[v.ConvID]
	if t == nil {
		t = &talk{last: v.FloorSeq, floor: v.FloorSeq, copies: map[int64]message{}}
		if p.thrifty {
			t.change = v.LastChange
		}
		p.talks[v.ConvID] = t
		p.note(event{Kind: kindStart, Conv: v.ConvID, Seq: t.last, Change: t.change})
	}
	t.role = v.Role
	p.skip(v.ConvID, t, v.FloorSeq)
	t.wantSeq = max(t.wantSeq, v.LastSeq)
	t.wantChange = max(t.wantChange, v.LastChange)
}

// skip passes over what the client may not see any more; mu is held.
func (p *protocol) skip(conv string, t *talk, floor int64) {
	t.rise(floor)
	if floor > t.last {
		t.last = floor
		p.note(event{Kind: kindSkip, Conv: conv, Seq: floor})
	}
}

// rangeLimit is small, so that a round sees many pages.
const rangeLimit = 20

// repair fetches until nothing is missing.
func (p *protocol) repair() error {
	for {
		ranges := p.missing()
		if len(ranges) == 0 {
			return nil
		}
		asked := p.note(event{Kind: kindCall, Session: p.session, Op: "msg.ranges"})
		f, err := p.socket.ask("msg.ranges", args{Ranges: ranges})
		if err != nil {
			return err
		}
		if f.Code != 0 {
			return fmt.Errorf("msg.ranges: %d %s", f.Code, f.Msg)
		}
		var got []span
		if err := json.Unmarshal(f.Data, &got); err != nil {
			return err
		}
		if len(got) != len(ranges) {
			return fmt.Errorf("msg.ranges: %d answers to %d ranges", len(got), len(ranges))
		}
		p.mu.Lock()
		for i, s := range got {
			p.fetched(asked, ranges[i], s)
		}
		p.mu.Unlock()
	}
}

// missing is what to ask msg.ranges for.
func (p *protocol) missing() []seqSpan {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []seqSpan
	for conv, t := range p.talks {
		if !t.behind() {
			continue
		}
		s := seqSpan{ConvID: conv, Limit: rangeLimit}
		if t.last < t.wantSeq {
			after := t.last
			s.AfterSeq = &after
		}
		if t.change < t.wantChange {
			after := t.change
			s.AfterChange = &after
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b seqSpan) int {
		if a.ConvID < b.ConvID {
			return -1
		}
		return 1
	})
	return out
}

// span is one item of the answer of msg.ranges.
type span struct {
	ConvID      string    `json:"conv_id"`
	Code        int       `json:"code"`
	Data        []message `json:"data"`
	HasMore     bool      `json:"has_more"`
	LastSeq     int64     `json:"last_seq"`
	FloorSeq    int64     `json:"floor_seq"`
	Changes     []change  `json:"changes"`
	MoreChanges bool      `json:"more_changes"`
	LastChange  int64     `json:"last_change"`
}

// fetched takes the answer to one range; mu is held. Where it says that there is no
// more nothing more is wanted: what then is missing the checker will see.
func (p *protocol) fetched(asked int, want seqSpan, s span) {
	t := p.talks[want.ConvID]
	if t == nil {
		return
	}
	p.note(event{
		Kind: kindFetch, Session: p.session, Asked: asked, Conv: want.ConvID, Code: s.Code,
		Seq: s.FloorSeq, Messages: s.Data, Changes: s.Changes,
	})
	if s.Code != 0 { // it is no member any more: the next sync says so
		t.wantSeq, t.wantChange = t.last, t.change
		p.stale = true
		return
	}
	p.skip(s.ConvID, t, s.FloorSeq)
	for _, m := range s.Data {
		if m.Seq > t.last {
			p.take(s.ConvID, t, m)
		}
	}
	for _, c := range s.Changes {
		if c.Seq > t.change {
			p.change(s.ConvID, t, c)
		}
	}
	t.wantSeq = max(s.LastSeq, t.last)
	if want.AfterSeq != nil && !s.HasMore {
		t.wantSeq = t.last
	}
	t.wantChange = max(s.LastChange, t.change)
	if want.AfterChange != nil && !s.MoreChanges {
		t.wantChange = t.change
	}
}

// take puts a message at the end of the log; mu is held.
func (p *protocol) take(conv string, t *talk, m message) {
	t.last = m.Seq
	t.keep(m)
	p.note(event{Kind: kindTake, Conv: conv, Seq: m.Seq, MsgID: m.ID})
}

// change applies a change; mu is held. What it shows of a message that has not come
// yet is kept until it comes.
func (p *protocol) change(conv string, t *talk, c change) {
	t.change = c.Seq
	if c.Message != nil && c.Message.Seq > t.floor {
		t.keep(*c.Message)
	}
	c.Message = nil
	p.note(event{Kind: kindApply, Conv: conv, Change: c.Seq, Changes: []change{c}})
}

// handle takes one live event.
func (p *protocol) handle(f frame) error {
	var err error
	switch f.Type {
	case "msg.new":
		err = p.newMessage(f.Data)
	case "msg.updated":
		err = p.updated(f.Data)
	case "conv.updated":
		err = p.marked(f.Data)
	case "conv.created", "conv.deleted", "conv.members.added", "conv.members.removed", "resync":
		p.stale = true
	case "logout.kick":
		return errClosed
	}
	if err != nil {
		return fmt.Errorf("%s: %w in %s", f.Type, err, f.Data)
	}
	if p.stale {
		return p.sync()
	}
	return p.repair()
}

func (p *protocol) newMessage(data []byte) error {
	var in struct {
		message

		ConvID string `json:"conv_id"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	m := in.heard()
	p.note(event{Kind: kindLive, Session: p.session, Conv: in.ConvID, Seq: m.Seq, Messages: []message{m}})
	t := p.talks[in.ConvID]
	switch {
	case t == nil:
		p.stale = true
	case m.Seq == t.last+1:
		p.take(in.ConvID, t, m)
	default:
		t.wantSeq = max(t.wantSeq, m.Seq)
	}
	return nil
}

func (p *protocol) updated(data []byte) error {
	var c change
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note(event{Kind: kindLive, Session: p.session, Conv: c.ConvID, Change: c.Seq, Changes: []change{c}})
	t := p.talks[c.ConvID]
	switch {
	case t == nil:
		p.stale = true
	case c.Seq == t.change+1:
		p.change(c.ConvID, t, c)
	default:
		t.wantChange = max(t.wantChange, c.Seq)
	}
	return nil
}

// marked takes conv.updated, which shows the view to the client's own devices.
func (p *protocol) marked(data []byte) error {
	var in struct {
		View *view `json:"view"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if in.View != nil && p.talks[in.View.ConvID] != nil {
		p.look(*in.View)
	}
	return nil
}
