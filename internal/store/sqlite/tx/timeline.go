package tx

import (
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// Timeline is what a new message needs to know about a conversation.
type Timeline struct {
	Key       int64
	Type      skein.ConvType
	MuteAll   bool
	LastSeq   int64
	RosterRev int64

	app        int64
	ttl        time.Duration // zero: none
	lastSender int64         // key of the member that sent the newest message by a member; zero: none
	lastSent   int64         // seq of that message
	active     skein.Millis
	expires    skein.Millis
	dirty      bool // ahead of its row, and in Group.dirty
	shifted    bool // its row moves in the indexes
}

// Timeline is the conversation of a draft. Errors: ErrUnknownConversation.
func (g *Group) Timeline(app string, id skein.ID) (*Timeline, error) {
	t := g.Known.Timeline(app, id)
	if t == nil {
		t = new(Timeline)
		found, err := g.Row(func(r *sqlite3.Stmt) {
			t.Key = r.ColumnInt64(0)
			t.Type = engine.Small[skein.ConvType](r, 1)
			t.ttl = time.Duration(r.ColumnInt64(2)) * time.Millisecond
			t.LastSeq = r.ColumnInt64(3)
			t.active = engine.Millis(r, 4)
			t.expires = engine.Millis(r, 5)
			t.MuteAll = r.ColumnBool(6)
			t.app = r.ColumnInt64(7)
			t.lastSender = r.ColumnInt64(8)
			t.lastSent = r.ColumnInt64(9)
			t.RosterRev = r.ColumnInt64(10)
		}, `SELECT conv_key, type, ttl, last_seq, active, expires, mute_all, app_key, speaker, spoke, roster_rev FROM conversations
			WHERE app_key = `+AppKey+` AND id = ?2 AND deleted = 0`, app, id)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, skein.ErrUnknownConversation
		}
		g.Known.timelines[timelineName{strings.Clone(app), id}] = t
	}
	if t.expires <= g.Now {
		return nil, skein.ErrUnknownConversation
	}
	return t, nil
}

// Advance sets the newest message of a conversation; Flush writes the row. Active never gets
// smaller, even if the clock is set back.
func (g *Group) Advance(t *Timeline, m skein.Message) {
	active, expires := max(t.active, m.Created), t.expires
	if t.ttl > 0 {
		expires = max(expires, m.Created.Add(t.ttl))
	}
	t.shifted = t.shifted || rows.PeriodOf(active) != rows.PeriodOf(t.active) || expires != t.expires
	t.LastSeq, t.active, t.expires = m.Seq, active, expires
	if !t.dirty {
		t.dirty = true
		g.dirty = append(g.dirty, t)
	}
}

// SentBy records that a client sent the newest message. byMember reports whether the client is
// a member and has read the message by sending it. unread reports whether the member had
// unread messages before it; in that case the message counts as read only if reads is set.
//
// The conversation's row names the member that sent last, so a member's own row is written
// only when another member sends. Flush writes both.
func (g *Group) SentBy(t *Timeline, client string, seq int64, reads bool) (byMember, unread bool, err error) {
	m, err := g.Member(t.Key, client)
	if err != nil || m == nil {
		return false, false, err
	}
	if t.lastSender == m.key {
		m.Read = max(m.Read, t.lastSent)
	}
	if unread = m.Read < seq-1; unread && !reads {
		return false, false, nil
	}
	m.Read = seq
	if t.lastSender != m.key && t.lastSender != 0 {
		g.behind[t.lastSender] = t.lastSent
	}
	t.lastSender, t.lastSent = m.key, seq
	return true, unread, nil
}

// Sender is what a message needs to know about its sender.
type Sender struct {
	BannedUntil skein.Millis
	Incarnation int64
}

// Sender is a living client. Errors: ErrUnknownClient as a Fault.
func (g *Group) Sender(app, client string) (Sender, error) {
	if s, ok := g.Known.senders[clientName{app, client}]; ok {
		return s, nil
	}
	s, err := g.Conn.Sender(app, client)
	if err != nil {
		return Sender{}, err
	}
	g.Known.senders[clientName{strings.Clone(app), strings.Clone(client)}] = s
	return s, nil
}

// Sender is a living client. Errors: ErrUnknownClient as a Fault.
func (c Conn) Sender(app, client string) (s Sender, err error) {
	found, err := c.Row(func(r *sqlite3.Stmt) { s = Sender{engine.Millis(r, 0), r.ColumnInt64(1)} },
		`SELECT banned_until, incarnation FROM clients WHERE app_key = `+AppKey+` AND id = ?2 AND deleted = 0`, app, client)
	if err == nil && !found {
		err = skein.About(skein.ErrUnknownClient, client)
	}
	return s, err
}

// Member is what a message needs to know about a member.
type Member struct {
	Read int64 // skein.Member.Read; may be too small while the member is the one that sent last

	key        int64
	Role       skein.Role
	mutedUntil skein.Millis
}

// Member is a client as a member of a conversation; nil: it is not a member.
func (g *Group) Member(conv int64, client string) (*Member, error) {
	if m := g.Known.Member(conv, client); m != nil {
		return m, nil
	}
	m, err := g.Conn.Member(conv, client)
	if err == nil && m != nil {
		g.Known.members[memberName{conv, strings.Clone(client)}] = m
	}
	return m, err
}

// Member is a client as a member of a conversation; nil: it is not a member.
func (c Conn) Member(conv int64, client string) (m *Member, err error) {
	_, err = c.Row(func(r *sqlite3.Stmt) {
		m = &Member{
			key:        r.ColumnInt64(0),
			Role:       engine.Small[skein.Role](r, 1),
			mutedUntil: engine.Millis(r, 2),
			Read:       r.ColumnInt64(3),
		}
	}, `SELECT member_key, role, muted_until, max(join_seq - 1, cleared_seq, read_seq, sent_seq) FROM members WHERE conv_key = ?1 AND client_id = ?2`, conv, client)
	return m, err
}

// MaySend reports whether the member meets need and is not muted. A nil m is a client that is
// not a member.
func (m *Member) MaySend(need skein.Need, muteAll bool, now skein.Millis) bool {
	if m == nil {
		return rows.MaySend(false, skein.RoleMember, 0, need, muteAll, now)
	}
	return rows.MaySend(true, m.Role, m.mutedUntil, need, muteAll, now)
}
