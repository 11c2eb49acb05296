// Package transfer holds the rules of store.Transfer that every engine shares: what an export
// shows and in which order, and which records an import takes. It knows no database.
package transfer

import (
	"bytes"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
)

// Source reads an app as it is at one moment. The functions that take each call it with one
// record after the other, in the order of their keys, and hold few of them in memory.
type Source interface {
	// Begin is the app, and about how many messages it has.
	Begin() (app store.AppRecord, messages int64, err error)
	Client(id string) (c *store.ClientRecord, found bool, err error)
	Clients(each func(*store.ClientRecord) error) error
	// Conversations are the living ones.
	Conversations(each func(Conv) error) error
	// Member is a client as a member; nil: it is not one.
	Member(c Conv, client string) (*store.MemberRecord, error)
	Members(c Conv, each func(*store.MemberRecord) error) error
	Messages(c Conv, each func(*store.MessageRecord) error) error
	Changes(c Conv, each func(*store.ChangeRecord) error) error
	// Uploads are the files that are not due for removal. They never change.
	Uploads(each func(*store.UploadRecord) error) error
}

// Conv is a conversation with the engine's key.
type Conv struct {
	*store.ConversationRecord

	Key int64
}

// export is one call of Export.
type export struct {
	src     Source
	only    string // client; empty: all
	private bool   // the app's history is private
	sink    store.Sink
}

// Export gives the sink an app without its files; with a client, that client's data. Errors:
// ErrUnknownClient, those of src and sink.
func Export(src Source, only string, sink store.Sink) error {
	app, messages, err := src.Begin()
	if err != nil {
		return err
	}
	x := &export{src: src, only: only, private: app.Settings.PrivateHistory, sink: sink}
	if err = sink.Begin(app, messages); err == nil {
		err = x.clients()
	}
	if err != nil {
		return err
	}
	if only != "" {
		return src.Conversations(x.mine)
	}
	return src.Conversations(x.conversation)
}

// ExportUploads gives the sink the files; with a client, those that it uploaded.
func ExportUploads(src Source, only string, sink store.Sink) error {
	return src.Uploads(func(u *store.UploadRecord) error {
		if only != "" && u.Client != only {
			return nil
		}
		return sink.Record(u)
	})
}

func (x *export) clients() error {
	if x.only == "" {
		return x.src.Clients(func(c *store.ClientRecord) error { return x.sink.Record(c) })
	}
	c, found, err := x.src.Client(x.only)
	if err == nil && !found {
		err = skein.About(skein.ErrUnknownClient, x.only)
	}
	if err != nil {
		return err
	}
	return x.sink.Record(c)
}

// conversation exports all of a conversation.
func (x *export) conversation(c Conv) error {
	err := x.sink.Record(c.ConversationRecord)
	if err == nil {
		err = x.src.Members(c, func(m *store.MemberRecord) error { return x.sink.Record(m) })
	}
	if err == nil {
		err = x.src.Messages(c, func(m *store.MessageRecord) error { return x.sink.Record(m) })
	}
	if err == nil {
		err = x.src.Changes(c, func(l *store.ChangeRecord) error { return x.sink.Record(l) })
	}
	return err
}

// mine exports the client's part of a conversation: all that it may see if it is a member,
// else only what it sent.
func (x *export) mine(c Conv) error {
	record := c.ConversationRecord
	record.Sanctions = slices.DeleteFunc(record.Sanctions, func(s store.Sanction) bool { return s.Client != x.only })
	member, err := x.src.Member(c, x.only)
	if err != nil {
		return err
	}
	shown := false
	show := func(r any) error {
		if !shown {
			shown = true
			if err := x.sink.Record(record); err != nil {
				return err
			}
		}
		return x.sink.Record(r)
	}
	if member == nil {
		record.Extend, record.Unknown = nil, nil
	} else if err := show(member); err != nil {
		return err
	}
	err = x.src.Messages(c, func(m *store.MessageRecord) error {
		if !x.sees(member, m) {
			return nil
		}
		if m.Hidden = nil; m.Sender != x.only {
			m.ClientMsgID, m.Hash, m.Unknown = "", nil, nil
		}
		return show(m)
	})
	if err != nil {
		return err
	}
	return x.src.Changes(c, func(l *store.ChangeRecord) error {
		if l.By != x.only {
			return nil
		}
		return show(l)
	})
}

// sees reports whether the client sent a message or may see it.
func (x *export) sees(member *store.MemberRecord, m *store.MessageRecord) bool {
	if m.Sender == x.only && !m.Former {
		return true
	}
	return member != nil && m.Seq > member.Floor(x.private) && !slices.Contains(m.Hidden, x.only)
}

// Holders is what an engine reads once to know who said a message: which clients were created
// anew, and whose messages are being erased.
type Holders struct {
	Renewed map[string]int64 // the client's incarnation; clients that are not here have 1
	Erased  map[string]int64 // up to which incarnation
}

// Finish makes the row of a message the record of it: without the summary of its reactions,
// without a hash that says no more than the content, and blank if the sender's messages are
// being erased.
func (h *Holders) Finish(m *store.MessageRecord, flags, incarnation int64) {
	m.ByServer = flags&rows.FlagServer != 0
	m.Former = incarnation != max(1, h.Renewed[m.Sender])
	if m.Reactions = nil; m.Status == skein.StatusNormal && bytes.Equal(m.Hash, rows.ContentHash(rows.Canonical(m.Body))) {
		m.Hash = nil
	}
	if h.erases(m.Sender, incarnation) {
		m.Blank(skein.StatusDeleted)
		m.Hash = nil
	}
}

// React adds a reaction to the record of its message, unless it is being erased.
func (h *Holders) React(m *store.MessageRecord, one store.ReactionRecord, incarnation int64) {
	if m.Status == skein.StatusNormal && !h.erases(one.Client, incarnation) {
		m.Reacted = append(m.Reacted, one)
	}
}

func (h *Holders) erases(client string, incarnation int64) bool {
	upto, erased := h.Erased[client]
	return erased && incarnation <= upto
}

// Kinds of fields that only others know, the column kind of table unknown_fields.
const (
	UnknownMessage = 1 + iota
	UnknownConversation
	UnknownClient
	UnknownMember
	UnknownUpload
	UnknownChange
	UnknownApp
)
