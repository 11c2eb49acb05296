package store

import "github.com/skein-im/skein"

// Authority is who asks for a write to a conversation, and the rule that it must pass.
// The engine calls Check inside the transaction of the write, with the conversation and
// the member as they are then, and changes nothing where it refuses: who was removed or
// demoted a moment ago, on whatever node, is refused. The zero Authority is the
// backend's, which may everything.
type Authority struct {
	Client string // who asks; empty: the backend
	// Rule is nil where the write may happen; a nil Rule refuses nothing. me is the
	// client as a member; nil: it is none, or the backend asks. It may run more than
	// once, and must not wait or call the store.
	Rule func(c skein.Conversation, me *skein.Member) error
}

// Needs is the authority of a client who must meet a need in the conversation.
func Needs(client string, need skein.Need) Authority {
	return Authority{Client: client, Rule: func(_ skein.Conversation, me *skein.Member) error {
		if !need.MetBy(me) {
			return skein.ErrForbidden
		}
		return nil
	}}
}

// Check is nil where the write may happen. Errors: those of Rule.
func (a Authority) Check(c skein.Conversation, me *skein.Member) error {
	if a.Rule == nil {
		return nil
	}
	return a.Rule(c, me)
}
