package convert

import (
	"fmt"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/portable"
)

// pass writes the conversations in order of creation, each with its messages.
type pass struct {
	in       *Input
	w        *portable.Writer
	o        Options
	again    map[string]bool
	messages ahead[kept]
	pairs    map[[16]byte]bool // pairs of clients that have a private conversation
	written  int64
}

// conversation writes a conversation, its messages and its members.
func (p *pass) conversation(g *gathered) error {
	if err := p.kind(g); err != nil {
		return err
	}
	if err := p.w.Conversation(g.C); err != nil {
		return fmt.Errorf("conversation %v: %w", g.C.ID, err)
	}
	p.in.report.out[OfConversation]++
	t := talk{pass: p, conv: g.C.ID, created: g.C.Created, members: map[string]*portable.Member{}}
	for i := range g.Members {
		m := &g.Members[i]
		m.Joined, m.JoinSeq = g.C.Created, 1
		t.members[m.Client] = m
	}
	if err := t.messages(); err != nil {
		return err
	}
	people := p.in.people
	if err := people.saw(g.C.Creator, g.C.Created); err != nil {
		return err
	}
	for _, s := range g.C.Sanctions {
		if err := people.saw(s.Client, g.C.Created); err != nil {
			return err
		}
	}
	for _, m := range g.Members {
		if p.o.MarkRead {
			m.ReadSeq = t.seq
		}
		if err := p.w.Member(m); err != nil {
			return fmt.Errorf("member %s of %v: %w", m.Client, g.C.ID, err)
		}
		p.in.report.out[OfMember]++
		if err := people.saw(m.Client, g.C.Created); err != nil {
			return err
		}
	}
	return nil
}

// kind decides that the first conversation of a pair is private and later ones are groups.
func (p *pass) kind(g *gathered) error {
	if !g.Pair {
		return nil
	}
	pair := pairOf(g.Members)
	if !p.pairs[pair] {
		p.pairs[pair] = true
		g.C.Type = int(skein.Private)
		return nil
	}
	g.C.Type = int(skein.Group)
	for i := range g.Members {
		if g.Owned && g.Members[i].Client == g.C.Creator {
			g.Members[i].Role = skein.RoleOwner.String()
		}
	}
	return p.in.report.add(Line{Kind: OfConversation, Outcome: Changed, Why: pairTwice, Conv: g.C.ID.String(), At: g.At})
}
