package request

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// ListMemberIDs is the request of conv.members. Fields marked old are
// for programs from before conv.members.list; the documents omit them.
type ListMemberIDs struct {
	ConvID strict.ID   `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	Detail strict.Flag `json:"detail" old:"1"`

	Paging `old:"1"`
}

// Older reports whether the call is one of an older program.
func (r ListMemberIDs) Older() bool { return bool(r.Detail) || r.Paged() }

// Paged reports whether the call asks for a page.
func (r ListMemberIDs) Paged() bool { return r.Page != nil || r.Size != nil || r.Cursor != "" }

// ListMembers is the request of conv.members.list.
type ListMembers struct {
	ConvID strict.ID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`

	Paging
}

// ChangeMembers is the request of conv.members.add.
type ChangeMembers struct {
	ConvID    strict.ID   `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	ClientIDs []strict.ID `json:"client_ids" need:"1" en:"1..500 clients" zh:"1..500 个用户"`
}

// RemoveMembers is the request of conv.members.remove.
type RemoveMembers struct {
	ChangeMembers

	BanUntil strict.GivenInt `json:"ban_until" en:"chat rooms: time in Unix ms until which a removed client cannot join by itself; absent: until somebody adds it; null or 0: no ban, and an earlier ban is lifted" zh:"聊天室：被移出者在此时间（Unix 毫秒）前不可自行加入；省略为直到被重新添加；null 或 0 为可立即加入，同时解除此前的禁入"`
}

// Ban is the end of the ban of the removed clients; nil: the request does not say. Errors:
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

// UpdateMember is the request of conv.members.update. Absent fields do not change.
type UpdateMember struct {
	ConvID    strict.ID        `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	ClientID  strict.ID        `json:"client_id" need:"1" en:"the member" zh:"成员"`
	Role      *string          `json:"role" en:"owner, admin or member; when a new owner is named, the old one becomes an admin" zh:"owner、admin 或 member；新所有者产生后原所有者成为管理员"`
	MuteUntil strict.GivenInt  `json:"mute_until" en:"muted until, Unix ms; null or 0: not muted" zh:"禁言截止，Unix 毫秒；null 或 0 为解除"`
	Nickname  strict.GivenText `json:"nickname" prose:"1" en:"in this conversation, at most 128 bytes, no control characters; null or empty: none" zh:"会话内昵称，最多 128 字节，不含控制字符；null 或空为清除"`
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
	ConvID strict.ID    `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	On     *strict.Flag `json:"on" en:"1 mutes all (default), 0 ends that" zh:"0 为解除；默认 1"`
}
