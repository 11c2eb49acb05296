package skein

// AddBy says which clients may add a client to conversations that are not private. It
// may always join and create by itself, and the backend may always add it.
type AddBy int8

// Choices of AddBy.
const (
	AddByDefault AddBy = iota // of a client: as its app says; of an app: anyone
	AddByAnyone
	AddByKnown  // those it knows; see Adder
	AddByNobody // no client
)

// Or is a, or what the app says where the client chose nothing.
func (a AddBy) Or(app AddBy) AddBy {
	if a != AddByDefault {
		return a
	}
	return max(app, AddByAnyone)
}

// Adder is what somebody who adds a client to a conversation is to that client. Two
// clients know each other when both have sent a message to their private conversation.
type Adder int8

// Kinds of Adder.
const (
	AdderSelf     Adder = iota // the client itself, or the backend
	AdderKnown                 // a client it knows
	AdderStranger              // another client
)

// Share is how many of the most conversations that a client may be in such an adder may
// fill. What is left is kept for those the client would rather talk to: private
// conversations of strangers, those it knows, itself. See docs/decisions/0017.
func (a Adder) Share(most int, t ConvType) int {
	percent := 100
	switch {
	case a == AdderKnown:
		percent = 90
	case a == AdderStranger && t == Private:
		percent = 80
	case a == AdderStranger:
		percent = 60
	}
	return max(1, most/100*percent+most%100*percent/100)
}

// MostOfOneAdder is how many of its conversations one other client may have added a
// client to.
func MostOfOneAdder(most int) int { return max(3, most/10) }
