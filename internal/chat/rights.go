package chat

import "github.com/skein-im/skein"

// What a call asks of a client, and what a client is told that it may do, are the same
// functions: here are those that the op's need alone does not say.

// addingNeed is what adding members asks of a client, where the op asks for need.
func addingNeed(s skein.Settings, need skein.Need) skein.Need {
	if s.MembersMayInvite {
		return skein.NeedMember
	}
	return need
}

// sendingNeed is what sending a message asks of a client, where the op asks for need.
func sendingNeed(s skein.Settings, need skein.Need, mentionAll bool) skein.Need {
	if mentionAll && s.ManagersMentionAll {
		return skein.NeedManager
	}
	return need
}

// pinningNeed is what pinning asks of a member, where the op asks for need.
func pinningNeed(t skein.ConvType, need skein.Need) skein.Need {
	if t == skein.Private {
		return skein.NeedMember
	}
	return need
}

// fixed reports whether who is in a conversation, and in which role, never changes.
func fixed(t skein.ConvType) bool { return t == skein.Private }

// silencing reports whether all members of a conversation can be muted.
func silencing(t skein.ConvType) bool { return t == skein.Group || t == skein.Room }

// namesRoles reports whether who has a role may give roles to others.
func namesRoles(role skein.Role) bool { return role == skein.RoleOwner }

// Rights are what the member of a view may do in its conversation now, with the caller's
// token. needs is what an op asks of a client.
func (s *Service) Rights(by skein.Actor, v *skein.View, needs func(op string) skein.Need) skein.Rights {
	set, changes := by.App.Settings, !fixed(v.Type)
	may := func(op string, need func(skein.Need) skein.Need) bool {
		n := needs(op)
		if need != nil {
			n = need(n)
		}
		return by.MayDo(op) && n.Met(true, v.Member.Role)
	}
	speaks := !s.silenced(v.Conversation, &v.Member)
	return skein.Rights{
		Send:       speaks && may("msg.send", nil),
		MentionAll: speaks && may("msg.send", func(n skein.Need) skein.Need { return sendingNeed(set, n, true) }),
		Pin:        may("msg.pin", func(n skein.Need) skein.Need { return pinningNeed(v.Type, n) }),
		Add:        changes && may("conv.members.add", func(n skein.Need) skein.Need { return addingNeed(set, n) }),
		Remove:     changes && may("conv.members.remove", nil),
		SetRole:    changes && may("conv.members.update", nil) && namesRoles(v.Member.Role),
		Leave:      changes && may("conv.leave", nil),
		EditInfo:   may("conv.update", nil),
		Delete:     may("conv.delete", nil),
		MuteAll:    silencing(v.Type) && may("conv.mute_all", nil),
	}
}
