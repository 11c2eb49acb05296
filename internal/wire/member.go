package wire

import (
	"github.com/skein-im/skein"
)

// Member is one member of a conversation.
type Member struct {
	ClientID   string  `json:"client_id" en:"the client" zh:"用户 id"`
	Role       string  `json:"role" en:"owner, admin or member" zh:"owner、admin 或 member"`
	JoinTime   int64   `json:"join_time" en:"Unix ms" zh:"加入时间，Unix 毫秒"`
	MutedUntil *int64  `json:"mute_until" en:"muted until, Unix ms; null: not muted" zh:"禁言截止，Unix 毫秒；未禁言为 null"`
	Nickname   *string `json:"nickname" en:"in this conversation; null: none" zh:"会话内昵称；无为 null"`
}

// MemberOf writes a member.
func MemberOf(m skein.Member) Member {
	return Member{
		ClientID: m.Client, Role: m.Role.String(), JoinTime: int64(m.Joined),
		MutedUntil: moment(m.MutedUntil), Nickname: nullable(m.Nickname),
	}
}
