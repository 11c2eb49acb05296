package wire

import (
	"strconv"

	"github.com/skein-im/skein"
)

// ListMemberIDs is the request of conv.members. What is marked old is read for
// programs from before conv.members.list; the documents leave it out.
type ListMemberIDs struct {
	ConvID ClientID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	Detail Flag     `json:"detail" old:"1"`

	PageRequest `old:"1"`
}

// ListMembers is the request of conv.members.list.
type ListMembers struct {
	ConvID ClientID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`

	PageRequest
}

// ChangeMembers is the request of conv.members.add.
type ChangeMembers struct {
	ConvID    ClientID   `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	ClientIDs []ClientID `json:"client_ids" need:"1" en:"1..500 clients" zh:"1..500 个用户"`
}

// RemoveMembers is the request of conv.members.remove.
type RemoveMembers struct {
	ChangeMembers

	BanUntil GivenInt `json:"ban_until" en:"chat rooms: Unix ms until when a removed client cannot join by itself; absent: until somebody adds it; null or 0: no ban, and an earlier ban is lifted" zh:"聊天室：被移出者在此时间（Unix 毫秒）前不可自行加入；省略为直到被重新添加；null 或 0 为可立即加入，同时解除此前的禁入"`
}

// Ban is until when those who are removed are banned; nil: not said. Errors:
// skein.ErrMalformed.
func (r RemoveMembers) Ban() (*skein.Millis, error) {
	until := skein.Millis(r.BanUntil.Int)
	switch {
	case until < 0 || until > skein.Forever:
		return nil, skein.Malformed("ban_until", "must be a time in Unix milliseconds")
	case !r.BanUntil.Given:
		return nil, nil //nolint:nilnil // none is an answer
	}
	return &until, nil
}

// Member is one member of a conversation.
type Member struct {
	ClientID   string  `json:"client_id" en:"the client" zh:"用户 id"`
	Role       string  `json:"role" en:"owner, admin or member" zh:"owner、admin 或 member"`
	JoinTime   int64   `json:"join_time" en:"Unix ms" zh:"加入时间，Unix 毫秒"`
	MutedUntil *int64  `json:"mute_until" en:"Unix ms; null: may speak" zh:"禁言截止，Unix 毫秒；未禁言为 null"`
	Nickname   *string `json:"nickname" en:"in this conversation; null: none" zh:"会话内昵称；无为 null"`
}

// MemberOf writes a member.
func MemberOf(m skein.Member) Member {
	return Member{
		ClientID: m.Client, Role: m.Role.String(), JoinTime: int64(m.Joined),
		MutedUntil: moment(m.MutedUntil), Nickname: nullable(m.Nickname),
	}
}

// UpdateMember is the request of conv.members.update. What is left out stays.
type UpdateMember struct {
	ConvID    ClientID  `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	ClientID  ClientID  `json:"client_id" need:"1" en:"the member" zh:"成员"`
	Role      *string   `json:"role" en:"owner, admin or member; a new owner makes the old one an admin" zh:"owner、admin 或 member；新所有者产生后原所有者成为管理员"`
	MuteUntil GivenInt  `json:"mute_until" en:"may not speak until, Unix ms; null or 0: may speak" zh:"禁言截止，Unix 毫秒；null 或 0 为解除"`
	Nickname  GivenText `json:"nickname" prose:"1" en:"in this conversation, at most 128 bytes, no control characters; null or empty: none" zh:"会话内昵称，最多 128 字节，不含控制字符；null 或空为清除"`
}

// Given checks the request and is the role it names, nil for none. Errors:
// skein.ErrMissing, skein.ErrMalformed.
func (r UpdateMember) Given() (*skein.Role, error) {
	switch {
	case r.Role == nil && !r.MuteUntil.Given && !r.Nickname.Given:
		return nil, &skein.Fault{Err: skein.ErrMissing, Detail: "role, mute_until or nickname"}
	case r.MuteUntil.Int < 0 || skein.Millis(r.MuteUntil.Int) > skein.Forever:
		return nil, skein.Malformed("mute_until", "must be a time in Unix milliseconds")
	case len(r.Nickname.Text) > skein.MaxNickname:
		return nil, skein.Malformed("nickname", "at most 128 bytes")
	case !skein.ValidNickname(r.Nickname.Text):
		return nil, skein.Malformed("nickname", "must not be blank or hold control characters")
	case r.Role == nil:
		return nil, nil //nolint:nilnil // none is an answer
	}
	for _, role := range [...]skein.Role{skein.RoleMember, skein.RoleAdmin, skein.RoleOwner} {
		if role.String() == *r.Role {
			return &role, nil
		}
	}
	return nil, skein.Malformed("role", "must be owner, admin or member")
}

// MuteAll is the request of conv.mute_all.
type MuteAll struct {
	ConvID ClientID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	On     *Flag    `json:"on" en:"0: all may speak again; default 1" zh:"0 为解除；默认 1"`
}

// ClientIDs checks a list of ids and collapses duplicates, in order. Errors:
// skein.ErrMalformed for more than limit, skein.ErrInvalidClientID naming the place.
func ClientIDs(field string, in []ClientID, limit int, relaxed bool) ([]string, error) {
	if len(in) > limit {
		return nil, skein.Malformed(field, "at most "+strconv.Itoa(limit))
	}
	out := make([]string, 0, len(in))
	seen := make(map[ClientID]bool, len(in))
	for i, id := range in {
		if err := CheckClientID(field+"."+strconv.Itoa(i), id, relaxed); err != nil {
			return nil, err
		}
		if !seen[id] {
			seen[id] = true
			out = append(out, string(id))
		}
	}
	return out, nil
}

// CheckClientID holds an id to the app's rule. Errors: skein.ErrInvalidClientID.
func CheckClientID(field string, id ClientID, relaxed bool) error {
	if !skein.ValidClientID(string(id), relaxed) {
		return skein.About(skein.ErrInvalidClientID, field)
	}
	return nil
}
