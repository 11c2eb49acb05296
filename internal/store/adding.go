package store

import "github.com/skein-im/skein"

// Joining is what an engine knows about a client who is to become a member.
type Joining interface {
	// Chosen is whom the client lets add it.
	Chosen() (skein.AddBy, error)
	// Knows reports whether the client and the adder have both sent a message in their
	// private conversation.
	Knows() (bool, error)
	// IsIn reports whether the client is in at least that many conversations.
	IsIn(most int) (bool, error)
	// WasAdded reports whether the adder has added the client to at least that many
	// conversations, of which it still is a member.
	WasAdded(most int) (bool, error)
}

// Refusal is why a client may not become a member of a conversation of type t; nil: it may.
// Errors: ErrForbidden and ErrTooLarge as of Members.AddMembers, and those of j.
func (l MemberLimit) Refusal(t skein.ConvType, client string, j Joining) error {
	allowed, err := l.allowed(t, client, j)
	if err != nil {
		return err
	}
	if !allowed {
		return &skein.Fault{Err: skein.ErrForbidden, Field: client, Detail: "does not allow you to add it"}
	}
	full, err := l.full(t, client, j)
	if err == nil && full {
		err = skein.About(skein.ErrTooLarge, client)
	}
	return err
}

// byItself reports whether no other client adds the client.
func (l MemberLimit) byItself(client string) bool { return l.Adder == "" || l.Adder == client }

// allowed reports whether the client lets the adder add it. Anyone may begin a private
// conversation: it is how two clients come to know each other.
func (l MemberLimit) allowed(t skein.ConvType, client string, j Joining) (bool, error) {
	if l.byItself(client) || t == skein.Private {
		return true, nil
	}
	chosen, err := j.Chosen()
	if err != nil {
		return false, err
	}
	switch chosen.Or(l.AddBy) {
	case skein.AddByNobody:
		return false, nil
	case skein.AddByKnown:
		return j.Knows()
	}
	return true, nil
}

// full reports whether the client may not be in one more conversation added by this adder.
func (l MemberLimit) full(t skein.ConvType, client string, j Joining) (bool, error) {
	most := l.PerClient
	if most <= 0 {
		return false, nil
	}
	if l.byItself(client) {
		return j.IsIn(most)
	}
	full, err := j.IsIn(skein.AdderStranger.Share(most, t))
	if err == nil && full {
		var known bool
		if known, err = j.Knows(); err == nil && known {
			full, err = j.IsIn(skein.AdderKnown.Share(most, t))
		}
	}
	if err != nil || full {
		return full, err
	}
	return j.WasAdded(skein.MostOfOneAdder(most))
}
