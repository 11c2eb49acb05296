package cache

import (
	"time"

	"github.com/skein-im/skein"
)

// maxMembers bounds the members of one conversation that are kept whole.
const maxMembers = 1000

// convEntry is what is known of one conversation. Slices are shared with readers and
// never written to within their length. Guarded by the lock of its shard.
type convEntry struct {
	turns

	conv      skein.Conversation
	hasConv   bool
	ends      bool // the conversation ends by itself, so nothing of it is kept
	members   map[string]memberEntry
	audience  []skein.Listener // in order of joining; nil: not known
	listRead  time.Time        // of audience; see Options.Trust
	rosterRev int64            // of audience
	page      page
	volume    int // bytes of audience and members, about
}

// memberEntry is a member, or that there is none.
type memberEntry struct {
	member skein.Member
	is     bool // a member
}

func (p *convEntry) size() int {
	const fixed = 600
	return fixed + p.volume + p.page.volume
}

// forget drops all.
func (p *convEntry) forget() {
	p.turn++
	p.conv, p.hasConv, p.ends = skein.Conversation{}, false, false
	p.members, p.audience, p.page, p.volume = nil, nil, page{}, 0
}

// forgetRoster drops who is a member, and the conversation, which counts them.
func (p *convEntry) forgetRoster() {
	p.hasConv = false
	p.members, p.audience, p.volume = nil, nil, 0
}

// forgetMembers drops the members but not the audience.
func (p *convEntry) forgetMembers() {
	p.volume -= len(p.members) * memberSize
	p.members = nil
}

func (p *convEntry) forgetMember(client string) {
	if _, there := p.members[client]; there {
		p.volume -= memberSize
		delete(p.members, client)
	}
}

const listenerSize, memberSize, hidingSize = 40, 400, 60 // bytes, about

// keepConversation keeps a conversation, unless it ends by itself, and reports whether it
// did.
func (p *convEntry) keepConversation(conv skein.Conversation) bool {
	p.ends = conv.TTL > 0
	if !p.ends {
		p.conv, p.hasConv = conv, true
	}
	return p.hasConv
}

func (p *convEntry) keepAudience(all []skein.Listener, rev int64, read time.Time) {
	p.volume -= listenerSize * len(p.audience)
	p.audience, p.rosterRev, p.listRead = all, rev, read
	p.volume += listenerSize * len(all)
}

// join takes in the members that came with a message, for callers who name its revision or an older
// one. A change of the members may have been committed and forgotten here since: so the list does not
// answer callers who name none.
func (p *convEntry) join(all []skein.Listener, rev int64) {
	if p.writing == 0 && (p.audience == nil || p.rosterRev < rev) {
		p.keepAudience(all, rev, time.Time{})
	}
}

func (p *convEntry) keepMember(client string, s memberEntry) {
	if len(p.members) >= maxMembers {
		p.forgetMembers()
	}
	if p.members == nil {
		p.members = make(map[string]memberEntry)
	}
	if _, there := p.members[client]; !there {
		p.volume += memberSize
	}
	p.members[client] = s
}

func memberOf(m *skein.Member) memberEntry {
	if m == nil {
		return memberEntry{}
	}
	return memberEntry{member: *m, is: true}
}

// said takes in a message that was stored. What was read between its commit and
// now has it already.
func (p *convEntry) said(m skein.Message, spoken bool) {
	p.turn++
	if p.hasConv {
		p.conv.LastSeq = max(p.conv.LastSeq, m.Seq)
		p.conv.Active = max(p.conv.Active, m.Created)
	}
	if s, known := p.members[m.Sender]; known && s.is && spoken {
		s.member.SentSeq = max(s.member.SentSeq, m.Seq)
		p.members[m.Sender] = s
	}
	p.page.push(m)
}

// changed takes in a change that was stored, on the terms of said.
func (p *convEntry) changed(c skein.Change) {
	p.turn++
	if p.hasConv {
		p.conv.Changes = max(p.conv.Changes, c.Seq)
	}
	if c.Kind == skein.ChangeHide {
		p.page.hide(skein.Hiding{Client: c.By, Seq: c.Message.Seq})
		return
	}
	p.page.replace(c.Message)
}
