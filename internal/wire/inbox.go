package wire

import (
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/cursor"
	"github.com/skein-im/skein/internal/wire/strict"
)

// SyncAnswer is the answer of sync.
type SyncAnswer struct {
	Conversations []View     `json:"conversations" en:"conversations in which anything changed: messages, changes, members, positions, marks" zh:"有任何变化的会话：消息、变更、成员、位置、标记"`
	Deleted       []skein.ID `json:"deleted" en:"conv_ids of conversations that the client is no longer in" zh:"用户已不在其中的会话 id"`
	NextCursor    string     `json:"next_cursor" en:"send it as cursor to get what follows, now or later" zh:"用于取后续内容，现在或下次"`
	Done          bool       `json:"done" en:"true: there is no more for now" zh:"当前是否已到末尾"`
	ResetRequired bool       `json:"reset_required" en:"true: drop everything that you stored and call again with next_cursor" zh:"true 时丢弃全部已知内容，用 next_cursor 重新同步"`
	Epoch         int64      `json:"epoch" en:"identifies the history; it changes when the server has another one, for example a restored backup" zh:"历史版本；数值变化表示历史已更换（如恢复备份）"`
}

// SyncAnswerOf writes a page with times in zone, and its cursor under a seal.
func SyncAnswerOf(p skein.SyncPage, zone *time.Location, seal cursor.Seal) SyncAnswer {
	out := SyncAnswer{
		Conversations: make([]View, len(p.Views)), Deleted: p.Gone, NextCursor: cursor.OfSync(p.Next, seal),
		Done: p.Done, ResetRequired: p.Reset, Epoch: p.Next.Epoch,
	}
	for i := range p.Views {
		out.Conversations[i] = ViewOf(&p.Views[i], zone)
	}
	return out
}

// UnreadTotal is the answer of conv.unread.
type UnreadTotal struct {
	Unread        int64 `json:"unread" en:"sum of unread over the conversations that count" zh:"计入的会话未读数之和"`
	Mentions      int64 `json:"mentions" en:"sum of mentions over them" zh:"其中 @ 本人或 @全体 的条数"`
	Conversations int   `json:"conversations" en:"how many of them have unread messages or are marked as unread" zh:"有未读消息或被标为未读的会话数"`
}

// UnreadTotalOf writes a total.
func UnreadTotalOf(t skein.UnreadTotal) UnreadTotal {
	return UnreadTotal{Unread: t.Unread, Mentions: t.Mentions, Conversations: t.Conversations}
}

// AllRead is the answer of conv.read_all.
type AllRead struct {
	Conversations int `json:"conversations" en:"conversations that had unread messages or were marked as unread" zh:"有内容未读或被标为未读的会话数"`
}

// View is a conversation as one of its members sees it.
type View struct {
	Conversation

	Peer *string `json:"peer" en:"the other member of a private conversation; null: the conversation is not private, or the other member was deleted" zh:"私聊的对方；非私聊或对方已删除为 null"`

	ReadSeq     int64       `json:"read_seq" en:"no message up to this seq is unread: the client read or cleared it, joined after it, or sent a later message itself" zh:"已读位置：此前均不计未读（已读、已清除、加入之前，或本人最新消息之前）"`
	ReceivedSeq int64       `json:"received_seq" en:"one of the client's devices has received all messages up to this seq" zh:"任一设备已接收到的位置"`
	Unread      int64       `json:"unread" en:"messages after read_seq, except those that were recalled or that the client deleted for itself" zh:"未读数，不含已撤回及本人已删除的消息"`
	Mentions    int64       `json:"mentions" en:"unread messages that mention the client, by name or with everyone" zh:"未读消息中 @ 本人或 @全体 的条数"`
	JoinSeq     int64       `json:"join_seq" en:"seq of the first message after the client joined" zh:"加入后第一条消息的 seq"`
	FloorSeq    int64       `json:"floor_seq" en:"the client does not see messages up to this seq: it cleared them, or history is private and they were sent before it joined" zh:"此 seq 及之前不可见：已清除，或历史私有时加入之前"`
	Role        string      `json:"role" en:"owner, admin or member" zh:"owner、admin 或 member"`
	Nickname    *string     `json:"nickname" en:"in this conversation; null: none" zh:"会话内昵称；无为 null"`
	MuteUntil   *int64      `json:"mute_until" en:"muted until, Unix ms; null: not muted" zh:"禁言截止，Unix 毫秒；未禁言为 null"`
	Pin         strict.Flag `json:"pin" en:"1: pinned to the top of the list" zh:"1 置顶"`
	Mute        strict.Flag `json:"mute" en:"1: no notifications" zh:"1 免打扰"`
	Archive     strict.Flag `json:"archive" en:"1: archived" zh:"1 已归档"`
	UnreadMark  strict.Flag `json:"unread_mark" en:"1: the client marked the conversation as unread; nobody else sees it, and unread does not change" zh:"1 本人标为未读，他人不可见；不影响 unread"`
	Draft       *string     `json:"draft" en:"draft of a message; null: none" zh:"草稿；无为 null"`
	Rights      Rights      `json:"rights" en:"what the client may do in this conversation now, so that a program offers only that" zh:"当前可执行的操作，客户端据此决定显示哪些功能"`
	LastMessage *Message    `json:"last_message" en:"the newest message; null: there is none that the client sees" zh:"最新消息；没有可见的为 null"`
}

// Rights are what a member may do in a conversation.
type Rights struct {
	Send       strict.Flag `json:"send" en:"1: may send messages; 0 while muted" zh:"1 可发送消息；禁言时为 0"`
	MentionAll strict.Flag `json:"mention_all" en:"1: may mention everyone" zh:"1 可 @全体"`
	Pin        strict.Flag `json:"pin" en:"1: may pin messages" zh:"1 可置顶消息"`
	Add        strict.Flag `json:"add" en:"1: may add members who allow it" zh:"1 可添加成员（须对方允许）"`
	Remove     strict.Flag `json:"remove" en:"1: may remove members whose role is below its own" zh:"1 可移除角色低于自己的成员"`
	SetRole    strict.Flag `json:"set_role" en:"1: may change the roles of members" zh:"1 可更改成员角色"`
	Leave      strict.Flag `json:"leave" en:"1: may leave" zh:"1 可退出"`
	EditInfo   strict.Flag `json:"edit_info" en:"1: may change conv_extend" zh:"1 可修改会话扩展"`
	Delete     strict.Flag `json:"delete" en:"1: may delete the conversation for everyone" zh:"1 可为所有人删除会话"`
	MuteAll    strict.Flag `json:"mute_all" en:"1: may mute all members" zh:"1 可全员禁言"`
}

func rightsOf(r skein.Rights) Rights {
	return Rights{
		strict.Flag(r.Send), strict.Flag(r.MentionAll), strict.Flag(r.Pin), strict.Flag(r.Add), strict.Flag(r.Remove), strict.Flag(r.SetRole), strict.Flag(r.Leave),
		strict.Flag(r.EditInfo), strict.Flag(r.Delete), strict.Flag(r.MuteAll),
	}
}

// ViewOf writes a view with times in zone; it shares v's bytes.
func ViewOf(v *skein.View, zone *time.Location) View {
	out := View{
		Conversation: ConversationOf(v.Conversation, zone), Peer: sharedText(&v.Peer),
		ReadSeq: v.Member.Read(), ReceivedSeq: v.Member.Received(),
		Unread: v.Unread(), Mentions: v.Mentions,
		JoinSeq: v.Member.JoinSeq, FloorSeq: v.Floor,
		Role: v.Member.Role.String(), Nickname: sharedText(&v.Member.Nickname), MuteUntil: moment(v.Member.MutedUntil),
		Pin: v.Member.Pinned != 0, Mute: strict.Flag(v.Member.Muted), Archive: strict.Flag(v.Member.Archived), UnreadMark: strict.Flag(v.Member.Unread),
		Draft: sharedText(&v.Member.Draft), Rights: rightsOf(v.Rights),
	}
	if v.Last != nil {
		last := MessageOf(v.Last)
		out.LastMessage = &last
	}
	return out
}
