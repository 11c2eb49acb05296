package wire

import (
	"time"

	"github.com/skein-im/skein"
)

// ListInbox is the request of conv.list.
type ListInbox struct {
	ClientID ClientID `json:"client_id" en:"the client that this is about; a client may leave itself out" zh:"用户；客户端调用时可省略"`
	Archived Flag     `json:"archived" en:"1: those it archived; else the others" zh:"1 返回已归档的会话，否则返回其余会话"`

	PageRequest
}

// MarkConversation is the request of conv.mark. What is left out stays.
type MarkConversation struct {
	ClientID   ClientID  `json:"client_id" en:"the client that this is about; a client may leave itself out" zh:"用户；客户端调用时可省略"`
	ConvID     ClientID  `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	Pin        *Flag     `json:"pin" en:"1: on top of the list" zh:"1 置顶"`
	Mute       *Flag     `json:"mute" en:"1: no notifications" zh:"1 免打扰"`
	Archive    *Flag     `json:"archive" en:"1: out of the list, into the archive" zh:"1 归档，不在列表中显示"`
	UnreadMark *Flag     `json:"unread_mark" en:"1: to come back to, shown as unread; conv.read takes it away" zh:"1 标为未读，以便稍后再看；conv.read 会清除"`
	Draft      GivenText `json:"draft" prose:"1" en:"a text that was begun and not sent, at most 4 KiB; null or empty removes it" zh:"草稿，最大 4 KiB；null 或空为清除"`
	ClearToSeq *int64    `json:"clear_to_seq" en:"history up to this seq is not shown to oneself any more; past the end: all of it" zh:"清除该 seq 及之前的历史，仅对本人；超出末尾为全部"`
}

// Given reports whether anything is marked, and checks it. Errors:
// skein.ErrMissing, skein.ErrMalformed.
func (r MarkConversation) Given() error {
	switch {
	case r.Pin == nil && r.Mute == nil && r.Archive == nil && r.UnreadMark == nil && !r.Draft.Given && r.ClearToSeq == nil:
		return &skein.Fault{Err: skein.ErrMissing, Detail: "pin, mute, archive, unread_mark, draft or clear_to_seq"}
	case len(r.Draft.Text) > skein.MaxDraft:
		return skein.Malformed("draft", "at most 4 KiB")
	case r.ClearToSeq != nil && *r.ClearToSeq < 0:
		return skein.Malformed("clear_to_seq", "must be at least 0")
	}
	return nil
}

// View is a conversation as one of its members sees it.
type View struct {
	Conversation

	Peer *string `json:"peer" en:"the other member of a private conversation; null: it is not private, or the other member was deleted" zh:"私聊的对方；非私聊或对方已删除为 null"`

	ReadSeq     int64    `json:"read_seq" en:"no message up to this seq is unread: they were read or cleared, came before the client joined, or before its own newest message" zh:"已读位置：此前均不计未读（已读、已清除、加入之前，或本人最新消息之前）"`
	ReceivedSeq int64    `json:"received_seq" en:"up to where one of its devices has received" zh:"任一设备已接收到的位置"`
	Unread      int64    `json:"unread" en:"messages after read_seq, without those that were recalled or that it deleted for itself" zh:"未读数，不含已撤回及本人已删除的消息"`
	Mentions    int64    `json:"mentions" en:"unread messages that mention it, by name or with everyone" zh:"未读消息中 @ 本人或 @全体 的条数"`
	JoinSeq     int64    `json:"join_seq" en:"seq of the first message after it joined" zh:"加入后第一条消息的 seq"`
	FloorSeq    int64    `json:"floor_seq" en:"messages up to this seq are not shown to it: it cleared them, or history is private and they came before it joined" zh:"此 seq 及之前不可见：已清除，或历史私有时加入之前"`
	Role        string   `json:"role" en:"owner, admin or member" zh:"owner、admin 或 member"`
	Nickname    *string  `json:"nickname" en:"in this conversation; null: none" zh:"会话内昵称；无为 null"`
	MuteUntil   *int64   `json:"mute_until" en:"may not speak until, Unix ms; null: may speak" zh:"禁言截止，Unix 毫秒；未禁言为 null"`
	Pin         Flag     `json:"pin" en:"1: on top of the list" zh:"1 置顶"`
	Mute        Flag     `json:"mute" en:"1: no notifications" zh:"1 免打扰"`
	Archive     Flag     `json:"archive" en:"1: in the archive" zh:"1 已归档"`
	UnreadMark  Flag     `json:"unread_mark" en:"1: it marked the conversation as unread, which nobody else sees; unread stays what it is" zh:"1 本人标为未读，他人不可见；不影响 unread"`
	Draft       *string  `json:"draft" en:"begun and not sent; null: none" zh:"草稿；无为 null"`
	Rights      Rights   `json:"rights" en:"what it may do in this conversation now, so that a program offers only that" zh:"当前可执行的操作，客户端据此决定显示哪些功能"`
	LastMessage *Message `json:"last_message" en:"the newest; null: none that it sees" zh:"最新消息；没有可见的为 null"`
}

// Rights are what a member may do in a conversation.
type Rights struct {
	Send       Flag `json:"send" en:"1: send messages; 0 while it is muted" zh:"1 可发送消息；禁言时为 0"`
	MentionAll Flag `json:"mention_all" en:"1: mention everyone" zh:"1 可 @全体"`
	Pin        Flag `json:"pin" en:"1: pin messages" zh:"1 可置顶消息"`
	Add        Flag `json:"add" en:"1: add members, as far as those let it" zh:"1 可添加成员（须对方允许）"`
	Remove     Flag `json:"remove" en:"1: remove members below its role" zh:"1 可移除角色低于自己的成员"`
	SetRole    Flag `json:"set_role" en:"1: change the roles of members" zh:"1 可更改成员角色"`
	Leave      Flag `json:"leave" en:"1: leave" zh:"1 可退出"`
	EditInfo   Flag `json:"edit_info" en:"1: change conv_extend" zh:"1 可修改会话扩展"`
	Delete     Flag `json:"delete" en:"1: delete the conversation for everyone" zh:"1 可为所有人删除会话"`
	MuteAll    Flag `json:"mute_all" en:"1: mute all members" zh:"1 可全员禁言"`
}

func rightsOf(r skein.Rights) Rights {
	return Rights{
		Flag(r.Send), Flag(r.MentionAll), Flag(r.Pin), Flag(r.Add), Flag(r.Remove), Flag(r.SetRole), Flag(r.Leave),
		Flag(r.EditInfo), Flag(r.Delete), Flag(r.MuteAll),
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
		Pin: v.Member.Pinned != 0, Mute: Flag(v.Member.Muted), Archive: Flag(v.Member.Archived), UnreadMark: Flag(v.Member.Unread),
		Draft: sharedText(&v.Member.Draft), Rights: rightsOf(v.Rights),
	}
	if v.Last != nil {
		last := MessageOf(v.Last)
		out.LastMessage = &last
	}
	return out
}

// moment is nil for none.
func moment(m skein.Millis) *int64 {
	if m == 0 {
		return nil
	}
	ms := int64(m)
	return &ms
}
