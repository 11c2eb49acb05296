package chat

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// A rule is why a caller may not do something in a conversation, or nil. The rules that
// decide are those that members are shown (Rights): there is no other table of rights.
type rule func(asking) error

// asking is a caller who asks to do something, and the conversation where.
type asking struct {
	settings skein.Settings
	backend  bool
	need     skein.Need // what the op asks of a client
	conv     skein.Conversation
	me       *skein.Member // nil: no member, or the backend
	now      skein.Millis
}

// must is nil where the caller meets a need.
func (a asking) must(need skein.Need) error {
	if !a.backend && !need.MetBy(a.me) {
		return skein.ErrForbidden
	}
	return nil
}

func toDo(a asking) error { return a.must(a.need) }

func toAdd(a asking) error {
	need := a.need
	if a.settings.MembersMayInvite {
		need = skein.NeedMember
	}
	switch {
	case a.must(need) != nil:
		return a.must(need)
	case !fixed(a.conv.Type):
		return nil
	case a.backend:
		return aboutPair
	default:
		return skein.ErrForbidden
	}
}

// toChangeMembers is the rule of removing and leaving. Who is removed must also be below
// the caller, which the store sees to.
func toChangeMembers(a asking) error {
	if err := toDo(a); err != nil || !fixed(a.conv.Type) {
		return err
	}
	return aboutPair
}

func toJoin(a asking) error {
	if err := toDo(a); err != nil || a.conv.Type == skein.Room {
		return err
	}
	return &skein.Fault{Err: skein.ErrConvType, Field: "conv_id", Detail: "not a chat room"}
}

func toGiveRoles(a asking) error {
	if err := toChangeMembers(a); err != nil || a.backend || a.me.Role == skein.RoleOwner {
		return err
	}
	return skein.About(skein.ErrForbidden, "role")
}

func toMuteAll(a asking) error {
	if err := toDo(a); err != nil || a.conv.Type == skein.Group || a.conv.Type == skein.Room {
		return err
	}
	return &skein.Fault{Err: skein.ErrConvType, Field: "conv_id", Detail: "not a group or chat room"}
}

func toPin(a asking) error {
	if a.conv.Type == skein.Private {
		return a.must(skein.NeedMember)
	}
	return a.must(a.need)
}

// toSpeak is about whatever others are shown: a message, an edit, a free text as a
// reaction, a nickname, that it types.
func toSpeak(a asking) error {
	if err := toDo(a); err != nil || a.me == nil || !skein.Silenced(a.me.Role, a.me.MutedUntil, a.conv.MuteAll, a.now) {
		return err
	}
	return skein.ErrForbidden
}

func toMentionAll(a asking) error {
	a.need = mentioningNeed(a.settings, a.need)
	return toSpeak(a)
}

// mentioningNeed is what mentioning everyone asks of a client, where the op asks for need.
func mentioningNeed(s skein.Settings, need skein.Need) skein.Need {
	if s.ManagersMentionAll {
		return skein.NeedManager
	}
	return need
}

// fixed reports whether who is in a conversation, and in which role, never changes.
func fixed(t skein.ConvType) bool { return t == skein.Private }

// aboutPair refuses to change who is in a private pair.
var aboutPair = &skein.Fault{Err: skein.ErrConvType, Field: "conv_id", Detail: "the members of a private conversation cannot change"}

// asks is the caller about a conversation; me is itself as a member, nil: it is none, or
// the backend.
func (s *Service) asks(by skein.Actor, conv skein.Conversation, me *skein.Member) asking {
	return asking{settings: by.App.Settings, backend: by.Server(), need: by.Need, conv: conv, me: me, now: s.now()}
}

// authority has the store hold the caller to a rule, in the transaction of the write.
func (s *Service) authority(by skein.Actor, r rule) store.Authority {
	return store.Authority{Client: by.Client, Rule: func(c skein.Conversation, me *skein.Member) error { return r(s.asks(by, c, me)) }}
}

// Rights are what the member of a view may do in its conversation now, with the caller's
// token. needs is what an op asks of a client.
func (s *Service) Rights(by skein.Actor, v *skein.View, needs func(op string) skein.Need) skein.Rights {
	a := s.asks(by, v.Conversation, &v.Member)
	a.backend = false // it asks for the member
	may := func(op string, r rule) bool {
		a.need = needs(op)
		return by.MayDo(op) && r(a) == nil
	}
	return skein.Rights{
		Send:       may("msg.send", toSpeak),
		MentionAll: may("msg.send", toMentionAll),
		Pin:        may("msg.pin", toPin),
		Add:        may("conv.members.add", toAdd),
		Remove:     may("conv.members.remove", toChangeMembers),
		SetRole:    may("conv.members.update", toGiveRoles),
		Leave:      may("conv.leave", toChangeMembers),
		EditInfo:   may("conv.update", toDo),
		Delete:     may("conv.delete", toDo),
		MuteAll:    may("conv.mute_all", toMuteAll),
	}
}
