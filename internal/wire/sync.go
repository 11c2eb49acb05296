package wire

import (
	"encoding/binary"
	"time"

	"github.com/skein-im/skein"
)

// DefaultSync is the limit of sync where none is given; MaxLimit is the greatest.
const DefaultSync = 100

// SyncRequest is the request of sync.
type SyncRequest struct {
	ClientID ClientID `json:"client_id" en:"the client that this is about; a client may leave itself out" zh:"用户；客户端调用时可省略"`
	Cursor   string   `json:"cursor" en:"next_cursor of the answer before; absent: from the beginning" zh:"上一次返回的 next_cursor；省略为从头开始"`
	Limit    *int64   `json:"limit" en:"conversations, 1..200, default 100; a page of about 1 MiB ends earlier" zh:"会话数，1..200，默认 100；约 1 MiB 时提前结束"`
}

// Place checks the request, whose cursor has the seal. Errors: skein.ErrMalformed
// naming the field.
func (r SyncRequest) Place(seal Seal) (after skein.SyncCursor, limit int, err error) {
	limit, err = limitOf("limit", r.Limit, DefaultSync)
	if err != nil || r.Cursor == "" {
		return after, limit, err
	}
	after, err = parseSyncCursor(r.Cursor, seal)
	return after, limit, err
}

// SyncAnswer is the answer of sync.
type SyncAnswer struct {
	Conversations []View     `json:"conversations" en:"of which anything is different: messages, changes, members, positions, marks" zh:"有任何变化的会话：消息、变更、成员、位置、标记"`
	Deleted       []skein.ID `json:"deleted" en:"conv_ids it is in no more" zh:"已不在其中的会话 id"`
	NextCursor    string     `json:"next_cursor" en:"asks for what follows, now or the next time" zh:"用于取后续内容，现在或下次"`
	Done          bool       `json:"done" en:"whether nothing follows now" zh:"当前是否已到末尾"`
	ResetRequired bool       `json:"reset_required" en:"true: drop all that is known and ask again with next_cursor" zh:"true 时丢弃全部已知内容，用 next_cursor 重新同步"`
	Epoch         int64      `json:"epoch" en:"when this number changes, the server has another history, such as a restored backup" zh:"历史版本；数值变化表示历史已更换（如恢复备份）"`
}

// SyncAnswerOf writes a page with times in zone, and its cursor under a seal.
func SyncAnswerOf(p skein.SyncPage, zone *time.Location, seal Seal) SyncAnswer {
	out := SyncAnswer{
		Conversations: make([]View, len(p.Views)), Deleted: p.Gone, NextCursor: syncCursorText(p.Next, seal),
		Done: p.Done, ResetRequired: p.Reset, Epoch: p.Next.Epoch,
	}
	for i := range p.Views {
		out.Conversations[i] = ViewOf(&p.Views[i], zone)
	}
	return out
}

// syncCursorSize is the four numbers of a cursor, in bytes.
const syncCursorSize = 4 * 8

func syncCursorText(c skein.SyncCursor, seal Seal) string {
	b := make([]byte, 0, syncCursorSize)
	for _, n := range [...]int64{c.Epoch, c.Since, c.Upto, c.Key} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return seal.close(b)
}

// ofEarlier is what a cursor that an earlier version wrote, without a seal, is taken
// for: one of another history, since no epoch is negative. It is answered with a reset.
var ofEarlier = skein.SyncCursor{Epoch: -1}

func parseSyncCursor(s string, seal Seal) (skein.SyncCursor, error) {
	if _, err := decodeCursor(s, syncCursorSize); err == nil {
		return ofEarlier, nil
	}
	b, err := seal.open(s, syncCursorSize)
	if err != nil {
		return skein.SyncCursor{}, err
	}
	at := func(i int) int64 { return int64(binary.BigEndian.Uint64(b[8*i:])) }
	return skein.SyncCursor{Epoch: at(0), Since: at(1), Upto: at(2), Key: at(3)}, nil
}
