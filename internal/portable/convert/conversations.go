package convert

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/portable"
)

// Texts of the report about conversations, members and standings.
const (
	extendLost       = "conv_extend: over 16 KiB together, left out; the value is in this line"
	extendAsText     = "conv_extend: JSON that Skein does not take (depth over 31, a key twice or a number beyond a double), kept as a text"
	extendCharacters = "conv_extend: U+0000 and invalid characters replaced by U+FFFD"
	noCreator        = "creator: the source names none, or one that Skein cannot have: set to the name of the source"
	pairCreator      = "creator: the source names none of the two members: set to the first of them"
	memberTwice      = "named twice"
	memberBeyond     = "beyond 10,000 members"
	pairOfOne        = "conv_type: marked as the only conversation of its members, which are not two: a group"
	pairTwice        = "conv_type: the second such conversation of its two members: a group"
	standingStranger = "of a client who is no member"
	standingOrphan   = "of a conversation that is not there"
	standingPair     = "a private conversation has no roles"
	standingClient   = "of a client_id that Skein cannot have"
	secondOwner      = "role: a conversation has at most one owner: admin"
	strayMade        = "messages name it, and the source has no row of it any more: a conversation without members"
)

// gathered is a conversation in its final form, except for what its messages add.
type gathered struct {
	C       portable.Conversation
	Members []portable.Member
	Pair    bool
	Owned   bool // the creator is a member, and therefore the owner unless the conversation is private
	At      string
}

// closeConversations ends the reading of conversations: it joins the standings to them and
// builds the index.
func (in *Input) closeConversations() error {
	in.index = &index{}
	standings, err := in.standings.Sorted()
	if err != nil {
		return err
	}
	byConv := &standingReader{ahead: ahead[Standing]{from: standings}, in: in}
	if err := byConv.advance(); err != nil {
		return err
	}
	var last *Conversation
	err = in.conversations.Each(in.ctx, func(_, value []byte) error {
		next := &Conversation{}
		if err := decode(value, next); err != nil {
			return err
		}
		if last != nil && last.Record.ID == next.Record.ID {
			older, newer := last, next
			if older.Record.Updated > newer.Record.Updated {
				older, newer = newer, older
			}
			last = newer
			in.report.count(OfMember, Merged, convTwice, int64(len(older.Members)))
			return in.report.add(Line{Kind: OfConversation, Outcome: Merged, Why: convTwice, ID: older.Origin.ID, Conv: older.Record.ID.String(), At: older.At, Raw: older.Raw})
		}
		err := in.gather(last, byConv)
		last = next
		return err
	})
	if err == nil {
		err = in.gather(last, byConv)
	}
	if err == nil {
		err = byConv.rest()
	}
	return errors.Join(err, standings.Close())
}

// gather brings a conversation into its final form.
func (in *Input) gather(c *Conversation, standings *standingReader) error {
	if c == nil {
		return nil
	}
	id := c.Record.ID
	list, err := standings.of(id)
	if err != nil {
		return err
	}
	if l, skip := in.skipped[id]; skip {
		in.report.count(OfMember, Skipped, ofSkipped, int64(len(c.Members)))
		in.report.count(OfRow, Skipped, ofSkipped, int64(len(list)))
		l.Outcome, l.Why, l.At, l.Raw = Merged, convTwice, c.At, c.Raw
		return in.report.add(l)
	}
	g := gathered{At: c.At, C: portable.Conversation{
		ID: id, Type: c.Record.Type, MuteAll: c.Record.MuteAll, Created: c.Record.Created,
		Updated: clampTime(c.Record.Updated), Active: clampTime(c.Record.Active), TTL: c.Record.TTL, Extend: c.Record.Extend, Unknown: c.Record.Unknown,
	}}
	if g.Members, err = in.members(c); err != nil {
		return err
	}
	if g.Pair = c.Pair; g.Pair && len(g.Members) != 2 {
		g.Pair = false
		if err := in.tell(c, Changed, pairOfOne); err != nil {
			return err
		}
	}
	if err := in.creator(&g, c); err != nil {
		return err
	}
	for _, s := range list {
		if err := in.stand(&g, &s); err != nil {
			return err
		}
	}
	in.index.add(id, g.C.Created)
	return in.store(&g)
}

// store adds a conversation to those that will be written.
func (in *Input) store(g *gathered) error {
	value, err := encode(g)
	if err != nil {
		return err
	}
	key := binary.BigEndian.AppendUint64(nil, uint64(g.C.Created))
	return in.ready.Add(append(key, g.C.ID[:]...), value)
}

// tell adds a line about a conversation.
func (in *Input) tell(c *Conversation, o Outcome, why string) error {
	return in.report.add(Line{Kind: OfConversation, Outcome: o, Why: why, ID: c.Origin.ID, Conv: c.Record.ID.String(), At: c.At, Raw: c.Raw})
}

// extend returns as many of the fields as fit, the most important first.
func (in *Input) extend(c *Conversation) (jsontext.Value, error) {
	var fields []Field
	size := len("{}")
	names := map[string]bool{}
	for _, f := range c.Extend {
		name, oddName := Text(f.Name)
		value, odd, err := Compact(f.Value)
		why := ""
		if err != nil {
			value, why = Quote(string(f.Value)), extendAsText
		} else if odd || oddName {
			why = extendCharacters
		}
		more := len(Quote(name)) + len(":,") + len(value)
		fits := size+more <= skein.MaxExtend && !names[name]
		if !fits {
			why = extendLost
		}
		if why != "" {
			line := Line{Kind: OfConversation, Outcome: Changed, Why: why, Detail: f.Name, ID: c.Origin.ID, Conv: c.Record.ID.String(), At: c.At, Raw: f.Value}
			if err := in.report.add(line); err != nil {
				return nil, err
			}
		}
		if fits {
			size += more
			names[name] = true
			fields = append(fields, Field{name, value})
		}
	}
	return Object(fields...), nil
}

// members returns the members that Skein allows, each once.
func (in *Input) members(c *Conversation) ([]portable.Member, error) {
	var list []portable.Member
	known := make(map[string]bool, len(c.Members))
	for _, m := range c.Members {
		id, ok := in.people.id(m.Client)
		line := Line{Kind: OfMember, Outcome: Refused, ID: c.Origin.ID, Conv: c.Record.ID.String(), Client: m.Client, At: c.At}
		switch {
		case !ok:
			line.Why = clientRefused
		case known[id]:
			line.Outcome, line.Why = Merged, memberTwice
		case len(list) == skein.DefaultMaxMembers:
			line.Why = memberBeyond
		default:
			known[id] = true
			m.Client, m.Conv = id, c.Record.ID
			list = append(list, m)
			continue
		}
		if err := in.report.add(line); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// creator sets the creator of the conversation and makes it the owner.
func (in *Input) creator(g *gathered, c *Conversation) error {
	id, ok := "", false
	if c.Record.Creator != "" {
		id, ok = in.people.id(c.Record.Creator)
	}
	is := slices.IndexFunc(g.Members, func(m portable.Member) bool { return m.Client == id })
	g.Owned = ok && is >= 0
	switch {
	case g.Pair && is < 0:
		id = g.Members[0].Client
		in.report.count(OfConversation, Changed, pairCreator, 1)
	case !ok:
		id = in.source
		if c.Record.Creator == "" {
			in.report.count(OfConversation, Changed, noCreator, 1)
		} else if err := in.tell(c, Changed, noCreator); err != nil {
			return err
		}
	case g.Pair:
	case is >= 0:
		g.Members[is].Role = skein.RoleOwner.String()
	case skein.ConvType(g.C.Type) == skein.Room:
		g.Members = append(g.Members, portable.Member{Conv: g.C.ID, Client: id, Role: skein.RoleOwner.String()})
		in.report.count(OfMember, Made, roomRole, 1)
	}
	g.C.Creator = id
	return nil
}

const roomRole = "has a role in a chat room, which Skein keeps with its members"

// stand applies a standing to its member.
func (in *Input) stand(g *gathered, s *Standing) error {
	line := Line{Kind: OfRow, Outcome: Skipped, ID: s.ID, Conv: g.C.ID.String(), Client: s.Client, At: s.At, Raw: s.Raw}
	id, ok := in.people.id(s.Client)
	if !ok {
		line.Outcome, line.Why = Refused, standingClient
		return in.report.add(line)
	}
	if err := in.people.saw(id, g.C.Created); err != nil {
		return err
	}
	is := slices.IndexFunc(g.Members, func(m portable.Member) bool { return m.Client == id })
	if is < 0 && s.Role != "" && skein.ConvType(g.C.Type) == skein.Room {
		is = len(g.Members)
		g.Members = append(g.Members, portable.Member{Conv: g.C.ID, Client: id})
		in.report.count(OfMember, Made, roomRole, 1)
	}
	switch {
	case is < 0 && s.MutedUntil == 0 && s.BannedUntil == 0:
		line.Why = standingStranger
		return in.report.add(line)
	case is < 0:
		g.C.Sanctions = append(g.C.Sanctions, portable.Sanction{Client: id, BannedUntil: s.BannedUntil, MutedUntil: s.MutedUntil})
		in.report.out[OfRow]++
		return nil
	case s.Role != "" && g.Pair:
		line.Why = standingPair
		return in.report.add(line)
	}
	in.report.out[OfRow]++
	m := &g.Members[is]
	m.Muted = m.Muted || s.Muted
	m.MutedUntil = max(m.MutedUntil, s.MutedUntil)
	owner := skein.RoleOwner.String()
	switch {
	case s.Role == "" || m.Role == owner:
	case s.Role == owner && slices.ContainsFunc(g.Members, func(m portable.Member) bool { return m.Role == owner }):
		m.Role = skein.RoleAdmin.String()
		line.Outcome, line.Why = Changed, secondOwner
		return in.report.add(line)
	default:
		m.Role = s.Role
	}
	return nil
}

// standingReader reads the standings, one conversation after another.
type standingReader struct {
	ahead[Standing]

	in *Input
}

// conv returns the conversation of the next standing.
func (r *standingReader) conv() skein.ID { return skein.ID(r.key) }

// of returns the standings in a conversation. Standings before it belong to conversations that
// are missing.
func (r *standingReader) of(conv skein.ID) (list []Standing, err error) {
	for r.next != nil && bytes.Compare(r.key, conv[:]) <= 0 {
		if r.conv() == conv {
			list = append(list, *r.next)
		} else if err := r.orphan(); err != nil {
			return nil, err
		}
		if err := r.advance(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// rest accounts for the standings after the last conversation.
func (r *standingReader) rest() error {
	for r.next != nil {
		if err := r.orphan(); err != nil {
			return err
		}
		if err := r.advance(); err != nil {
			return err
		}
	}
	return nil
}

func (r *standingReader) orphan() error {
	s, conv := r.next, r.conv()
	why := standingOrphan
	if _, skip := r.in.skipped[conv]; skip {
		why = ofSkipped
	}
	return r.in.report.add(Line{Kind: OfRow, Outcome: Skipped, Why: why, ID: s.ID, Conv: conv.String(), Client: s.Client, At: s.At, Raw: s.Raw})
}

// pairOf returns a key for two members that does not depend on their order.
func pairOf(members []portable.Member) [16]byte {
	a, b := members[0].Client, members[1].Client
	if a > b {
		a, b = b, a
	}
	sum := sha256.Sum256([]byte(a + "\x00" + b))
	return [16]byte(sum[:16])
}
