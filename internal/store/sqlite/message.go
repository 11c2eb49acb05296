package sqlite

import (
	"encoding/json"
	"slices"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
)

// Bits of the flags column.
const (
	flagMentionAll = 1 << iota
	flagNoSync
	flagServer   // sent with the server role
	_            // not used any more: a former holder of the sender's id sent it
	flagImported // the feed does not tell of it
)

func flagsOf(d skein.Draft) int {
	flags := mentionAllFlag(d.Body)
	if d.NoSync {
		flags |= flagNoSync
	}
	if d.Need == skein.NeedServer {
		flags |= flagServer
	}
	return flags
}

// mentionAllFlag is the one flag of a message that an edit may change.
func mentionAllFlag(b skein.Body) int {
	if b.MentionAll {
		return flagMentionAll
	}
	return 0
}

// messageColumns are what readMessage reads, in its order.
const (
	messageColumns = `seq, id, sender, client_msg_id, type, status, flags, created, updated,
		reply_to, mentions, url, attr, text, version, changed, pinned, reactions`
	messageColumnCount = 18
)

// readMessage copies one row of messageColumns.
func readMessage(r *sqlite3.Stmt, conv skein.ID) skein.Message {
	flags := r.ColumnInt64(6)
	return skein.Message{
		Conv:        conv,
		Seq:         r.ColumnInt64(0),
		ID:          idColumn(r, 1),
		Sender:      r.ColumnText(2),
		ClientMsgID: r.ColumnText(3),
		Status:      smallColumn[skein.Status](r, 5),
		Created:     millisColumn(r, 7),
		Updated:     millisColumn(r, 8),
		Body: skein.Body{
			Type:       int(r.ColumnInt64(4)),
			MentionAll: flags&flagMentionAll != 0,
			NoSync:     flags&flagNoSync != 0,
			ReplyTo:    idColumn(r, 9),
			Mentions:   mentionsColumn(r, 10),
			URL:        r.ColumnText(11),
			Attr:       slices.Clone(r.ColumnRawText(12)),
			Text:       r.ColumnText(13),
		},
		Version:   int(r.ColumnInt64(14)),
		Changed:   r.ColumnInt64(15),
		Pinned:    millisColumn(r, 16),
		Reactions: reactionsColumn(r, 17),
	}
}

// readSeen is readMessage, blank where the column behind says that the viewer
// deleted it for itself.
func readSeen(r *sqlite3.Stmt, conv skein.ID) skein.Message {
	m := readMessage(r, conv)
	if r.ColumnBool(messageColumnCount) {
		m.Blank(skein.StatusDeleted)
	}
	return m
}

// mentionsJSON is the list as it is stored; nil: none.
func mentionsJSON(ids []string) []byte {
	if len(ids) == 0 {
		return nil
	}
	list, _ := json.Marshal(ids) //nolint:errchkjson // a list of texts
	return list
}

// mentionsColumn reads the list that mentionsJSON wrote. One that cannot be read is
// none: the message is worth more than its mentions.
func mentionsColumn(r *sqlite3.Stmt, col int) []string {
	raw := r.ColumnRawText(col)
	if len(raw) == 0 {
		return nil
	}
	var ids []string
	if err := json.Unmarshal(raw, &ids); err != nil {
		return nil
	}
	return ids
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func idOrNull(id skein.ID) any {
	if id.IsZero() {
		return nil
	}
	return id
}
