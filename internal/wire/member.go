package wire

import (
	"strconv"

	"github.com/skein-im/skein"
)

// ListMembers is the request of conv.members.
type ListMembers struct {
	ConvID ClientID `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	Detail Flag     `json:"detail" en:"1: role, join time and mute of each" zh:"1 返回角色、加入时间与禁言"`

	PageRequest
}

// ChangeMembers is the request of conv.members.add and conv.members.remove.
type ChangeMembers struct {
	ConvID    ClientID   `json:"conv_id" need:"1" en:"the conversation" zh:"会话 id"`
	ClientIDs []ClientID `json:"client_ids" need:"1" en:"1..500 clients" zh:"1..500 个用户"`
}

// Member is one member as answered with detail=1.
type Member struct {
	ClientID   string `json:"client_id" en:"the client" zh:"用户 id"`
	Role       string `json:"role" en:"owner, admin or member" zh:"owner、admin 或 member"`
	JoinTime   int64  `json:"join_time" en:"Unix ms" zh:"加入时间，Unix 毫秒"`
	MutedUntil *int64 `json:"mute_until" en:"Unix ms; null: may speak" zh:"禁言截止，Unix 毫秒；未禁言为 null"`
}

// MemberOf writes a member.
func MemberOf(m skein.Member) Member {
	out := Member{ClientID: m.Client, Role: m.Role.String(), JoinTime: int64(m.Joined)}
	if m.MutedUntil != 0 {
		until := int64(m.MutedUntil)
		out.MutedUntil = &until
	}
	return out
}

// ClientIDs checks a list of ids and collapses duplicates, in order. Errors:
// skein.ErrMalformed for more than limit, skein.ErrInvalidClientID naming the place.
func ClientIDs(field string, in []ClientID, limit int, relaxed bool) ([]string, error) {
	if len(in) > limit {
		return nil, skein.Malformed(field, "holds more than "+strconv.Itoa(limit)+" ids")
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
