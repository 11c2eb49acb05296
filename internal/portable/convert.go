package portable

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// RecordOf converts a record of the store to the record of the folder.
func RecordOf(r any) (any, error) {
	switch r := r.(type) {
	case *store.ClientRecord:
		return clientOf(r), nil
	case *store.ConversationRecord:
		return conversationOf(r), nil
	case *store.MemberRecord:
		return memberOf(r), nil
	case *store.MessageRecord:
		return messageOf(r), nil
	case *store.ChangeRecord:
		return &Change{
			Conv: r.Conv, Seq: r.Seq, Kind: r.Kind.String(), MsgSeq: r.Message, By: r.By, At: int64(r.At),
			Emoji: r.Emoji, On: r.On, Unknown: r.Unknown,
		}, nil
	case *store.UploadRecord:
		return &File{Name: r.Name, Title: r.Title, Client: r.Client, Created: int64(r.At), Size: r.Size, Unknown: r.Unknown}, nil
	default:
		return nil, fmt.Errorf("no form of a %T", r)
	}
}

func clientOf(r *store.ClientRecord) *Client {
	c := &Client{
		ID: r.ID, Ext: r.Ext, Created: int64(r.Created), Updated: int64(r.Updated), BannedUntil: int64(r.BannedUntil), BanReason: r.BanReason,
		Cut: int64(r.Cut), AddBy: addByOf(r.AddBy), Seen: int64(r.Seen), Deleted: r.Deleted, Unknown: r.Unknown,
	}
	for device, cut := range r.DeviceCuts {
		if c.DeviceCuts == nil {
			c.DeviceCuts = map[string]int64{}
		}
		c.DeviceCuts[device] = int64(cut)
	}
	return c
}

func conversationOf(r *store.ConversationRecord) *Conversation {
	c := &Conversation{
		ID: r.ID, Type: int(r.Type), Creator: r.Creator, Extend: r.Extend, MuteAll: r.MuteAll, LastSeq: r.LastSeq, LastChange: r.Changes,
		Created: int64(r.Created), Updated: int64(r.Updated), Active: int64(r.Active), TTL: r.TTL.Milliseconds(), Unknown: r.Unknown,
	}
	for _, s := range r.Sanctions {
		c.Sanctions = append(c.Sanctions, Sanction{Client: s.Client, BannedUntil: int64(s.BannedUntil), MutedUntil: int64(s.MutedUntil)})
	}
	return c
}

func memberOf(r *store.MemberRecord) *Member {
	m := &Member{
		Conv: r.Conv, Client: r.Client, Nickname: r.Nickname, Adder: r.Adder, Joined: int64(r.Joined), JoinSeq: r.JoinSeq, MutedUntil: int64(r.MutedUntil),
		ReadSeq: r.ReadSeq, ReceivedSeq: r.ReceivedSeq, SentSeq: r.SentSeq, ClearedSeq: r.ClearedSeq,
		Pinned: int64(r.Pinned), Muted: r.Muted, Archived: r.Archived, UnreadMark: r.Unread, Draft: r.Draft, Unknown: r.Unknown,
	}
	if r.Role != skein.RoleMember {
		m.Role = r.Role.String()
	}
	return m
}

func messageOf(r *store.MessageRecord) *Message {
	m := &Message{
		Conv: r.Conv, Seq: r.Seq, ID: r.ID, Sender: r.Sender, ClientMsgID: r.ClientMsgID, Hash: r.Hash, Type: r.Type, Text: r.Text,
		Attr: r.Attr, URL: r.URL, MentionAll: r.MentionAll, Mentions: r.Mentions, ReplyTo: r.ReplyTo, NoSync: r.NoSync,
		ByServer: r.ByServer, Former: r.Former, Created: int64(r.Created), Updated: int64(r.Updated), Changed: r.Changed,
		Pinned: int64(r.Pinned), Hidden: r.Hidden, Unknown: r.Unknown,
	}
	if r.Status != skein.StatusNormal {
		m.Status = int(r.Status)
	}
	if r.Version > 1 {
		m.Version = r.Version
	}
	for _, one := range r.Reacted {
		m.Reactions = append(m.Reactions, Reaction{Emoji: one.Emoji, Client: one.Client, Change: one.Change})
	}
	return m
}

// StoreRecord converts a checked record of the folder to the record of the store.
func StoreRecord(app string, value any) (any, error) {
	switch v := value.(type) {
	case *Client:
		return v.record(app), nil
	case *Conversation:
		return v.record(app), nil
	case *Member:
		return v.record(), nil
	case *Message:
		return v.record(), nil
	case *Change:
		return &store.ChangeRecord{
			Conv: v.Conv, Seq: v.Seq, Kind: kinds[v.Kind], Message: v.MsgSeq, By: v.By, At: skein.Millis(v.At), Emoji: v.Emoji, On: v.On, Unknown: some(v.Unknown),
		}, nil
	case *File:
		return &store.UploadRecord{Upload: skein.Upload{
			App: app, Name: v.Name, Client: v.Client, At: skein.Millis(v.Created), Size: v.Size, Title: v.Title,
		}, Unknown: some(v.Unknown)}, nil
	case *App:
		return &store.AppRecord{Unknown: some(v.Unknown)}, nil
	case *End:
		return &store.End{Conv: v.Conv, LastSeq: v.LastSeq, Changes: v.LastChange, Abandon: v.Abandon}, nil
	default:
		return nil, fmt.Errorf("no record of a %T", value)
	}
}

// some returns a JSON object, or nil if it is empty.
func some(fields jsontext.Value) []byte {
	if len(fields) <= len("{}") {
		return nil
	}
	return fields
}

func (c *Client) record(app string) *store.ClientRecord {
	r := &store.ClientRecord{Client: skein.Client{
		App: app, ID: c.ID, Ext: c.Ext, Created: skein.Millis(c.Created), Updated: skein.Millis(c.Updated),
		BannedUntil: skein.Millis(c.BannedUntil), BanReason: c.BanReason, Cut: skein.Millis(c.Cut), AddBy: addBys[c.AddBy],
		Seen: skein.Millis(c.Seen), Deleted: c.Deleted,
	}, Unknown: some(c.Unknown)}
	for device, cut := range c.DeviceCuts {
		if r.DeviceCuts == nil {
			r.DeviceCuts = map[string]skein.Millis{}
		}
		r.DeviceCuts[device] = skein.Millis(cut)
	}
	return r
}

func (c *Conversation) record(app string) *store.ConversationRecord {
	r := &store.ConversationRecord{Conversation: skein.Conversation{
		App: app, ID: c.ID, Type: skein.ConvType(c.Type), Creator: c.Creator, Extend: c.Extend, MuteAll: c.MuteAll,
		LastSeq: c.LastSeq, Changes: c.LastChange, Created: skein.Millis(c.Created), Updated: skein.Millis(c.Updated), Active: skein.Millis(c.Active),
		TTL: time.Duration(c.TTL) * time.Millisecond,
	}, Unknown: some(c.Unknown)}
	for _, s := range c.Sanctions {
		r.Sanctions = append(r.Sanctions, store.Sanction{Client: s.Client, BannedUntil: skein.Millis(s.BannedUntil), MutedUntil: skein.Millis(s.MutedUntil)})
	}
	return r
}

func (m *Member) record() *store.MemberRecord {
	return &store.MemberRecord{Conv: m.Conv, Adder: m.Adder, Member: skein.Member{
		Client: m.Client, Role: roles[m.Role], Nickname: m.Nickname, Joined: skein.Millis(m.Joined), JoinSeq: m.JoinSeq, MutedUntil: skein.Millis(m.MutedUntil),
		ReadSeq: m.ReadSeq, ReceivedSeq: m.ReceivedSeq, SentSeq: m.SentSeq, ClearedSeq: m.ClearedSeq,
		Marks: skein.Marks{Pinned: skein.Millis(m.Pinned), Muted: m.Muted, Archived: m.Archived, Unread: m.UnreadMark, Draft: m.Draft},
	}, Unknown: some(m.Unknown)}
}

// roles are the words of Member.Role.
var roles = map[string]skein.Role{"": skein.RoleMember, "admin": skein.RoleAdmin, "owner": skein.RoleOwner}

func (m *Message) record() *store.MessageRecord {
	r := &store.MessageRecord{
		Message: skein.Message{
			ID: m.ID, Conv: m.Conv, Seq: m.Seq, Sender: m.Sender, ClientMsgID: m.ClientMsgID, Status: skein.Status(max(m.Status, int(skein.StatusNormal))),
			Created: skein.Millis(m.Created), Updated: skein.Millis(m.Updated), Version: max(m.Version, 1), Changed: m.Changed, Pinned: skein.Millis(m.Pinned),
			Body: skein.Body{
				Type: m.Type, Text: m.Text, Attr: m.Attr, URL: m.URL, MentionAll: m.MentionAll, Mentions: m.Mentions, ReplyTo: m.ReplyTo, NoSync: m.NoSync,
			},
		},
		Hash: m.Hash, ByServer: m.ByServer, Former: m.Former, Hidden: m.Hidden, Unknown: some(m.Unknown),
	}
	for _, one := range m.Reactions {
		r.Reacted = append(r.Reacted, store.ReactionRecord{Emoji: one.Emoji, Client: one.Client, Change: one.Change})
	}
	return r
}
