package storetest

import (
	"fmt"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// react is a decision to set an emoji.
func react(emoji string) skein.Change {
	return skein.Change{Kind: skein.ChangeReact, Emoji: emoji, On: true}
}

// unreact is a decision to take an emoji away.
func unreact(emoji string) skein.Change { return skein.Change{Kind: skein.ChangeReact, Emoji: emoji} }

// reaction is an emoji from few.
func reaction(emoji string, clients ...string) skein.Reaction {
	return skein.Reaction{Emoji: emoji, Count: len(clients), Clients: clients}
}

// crowd is n clients.
func crowd(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("client%02d", i))
	}
	return ids
}

var reactions = []check{
	{"reactions are counted, the emoji in the order they came", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		said := f.say("shop", conv, "ann", "hi")
		for _, step := range []struct {
			by   string
			c    skein.Change
			want []skein.Reaction
		}{
			{"ann", react("b"), []skein.Reaction{reaction("b", "ann")}},
			{"bob", react("a"), []skein.Reaction{reaction("b", "ann"), reaction("a", "bob")}},
			{"bob", react("b"), []skein.Reaction{reaction("b", "ann", "bob"), reaction("a", "bob")}},
			{"ann", unreact("b"), []skein.Reaction{reaction("b", "bob"), reaction("a", "bob")}},
			{"ann", react("b"), []skein.Reaction{reaction("b", "bob", "ann"), reaction("a", "bob")}},
			{"bob", unreact("b"), []skein.Reaction{reaction("b", "ann"), reaction("a", "bob")}},
			{"ann", unreact("b"), []skein.Reaction{reaction("a", "bob")}},
			{"ann", react("b"), []skein.Reaction{reaction("a", "bob"), reaction("b", "ann")}},
			{"ann", unreact("b"), []skein.Reaction{reaction("a", "bob")}},
			{"bob", unreact("a"), nil},
		} {
			got := f.change("shop", said, step.by, step.c)
			equal(f, "answer", got.Message.Reactions, step.want)
			equal(f, "message", f.look("shop", said, ""), got.Message)
			log := f.log("shop", conv, "")
			equal(f, "logged", log[len(log)-1], got)
			equal(f, "emoji", got.Emoji+fmt.Sprint(got.On), step.c.Emoji+fmt.Sprint(step.c.On))
		}
		equal(f, "is no edit", f.look("shop", said, "").Updated, 0)
	}},
	{"the first ten are named, and the next when one of them leaves", func(f *fixture) {
		people := crowd(13)
		f.app("shop", people...)
		said := f.say("shop", f.group("shop", people...), people[0], "hi")
		slices.Reverse(people) // so that the order is none of the ids'
		for _, id := range people {
			f.change("shop", said, id, react("a"))
		}
		named := func() skein.Reaction { return f.look("shop", said, "").Reactions[0] }
		equal(f, "all", named(), skein.Reaction{Emoji: "a", Count: 13, Clients: people[:10]})
		f.change("shop", said, people[11], unreact("a"))
		equal(f, "one not named left", named(), skein.Reaction{Emoji: "a", Count: 12, Clients: people[:10]})
		f.change("shop", said, people[3], unreact("a"))
		left := slices.Concat(people[:3], people[4:11])
		equal(f, "one named left", named(), skein.Reaction{Emoji: "a", Count: 11, Clients: left})
		f.change("shop", said, people[3], react("a"))
		equal(f, "it is back, behind", named(), skein.Reaction{Emoji: "a", Count: 12, Clients: left})
	}},
	{"a message takes twenty different emoji, each from as many as like", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		said := f.say("shop", conv, "ann", "hi")
		for i := range skein.MaxReactions {
			f.change("shop", said, "ann", react(fmt.Sprint(i)))
		}
		_, err := f.ChangeMessage(f.Context(), "shop", conv, said.ID, store.Needs("bob", skein.NeedClient), "more", makes(react("")))
		f.wantFault(err, skein.ErrTooLarge, "emoji")
		f.change("shop", said, "bob", react("19"))
		got := f.look("shop", said, "").Reactions
		equal(f, "different", len(got), skein.MaxReactions)
		equal(f, "count of the last", got[19].Count, 2)
		f.change("shop", said, "ann", unreact("0"))
		f.change("shop", said, "bob", react("more"))
		equal(f, "log", len(f.log("shop", conv, "")), skein.MaxReactions+3)
	}},
	{"one client has one of each", func(f *fixture) {
		f.app("shop", "ann", "bob")
		conv := f.group("shop", "ann", "bob")
		said, other := f.say("shop", conv, "ann", "hi"), f.say("shop", conv, "ann", "ho")
		f.change("shop", said, "ann", react("a"))
		equal(f, "again", f.change("shop", said, "ann", react("a")).Kind, skein.ChangeNone)
		equal(f, "taken away where it is not", f.change("shop", other, "ann", unreact("a")).Kind, skein.ChangeNone)
		equal(f, "taken away by another", f.change("shop", said, "bob", unreact("a")).Kind, skein.ChangeNone)
		equal(f, "reactions", f.look("shop", said, "").Reactions, []skein.Reaction{reaction("a", "ann")})
		for _, c := range []skein.Change{react("a"), hide} {
			_, err := f.ChangeMessage(f.Context(), "shop", conv, said.ID, store.Authority{}, "a", makes(c))
			f.wantFault(err, skein.ErrMissing, "client_id")
		}
	}},
	{"many at once are all counted", func(f *fixture) {
		people := crowd(40)
		f.app("shop", people...)
		conv := f.group("shop", people...)
		said := f.say("shop", conv, people[0], "hi")
		f.together(len(people), func(i int) error {
			for _, on := range []bool{true, false, true} {
				c := skein.Change{Kind: skein.ChangeReact, On: on}
				if _, err := f.ChangeMessage(f.Context(), "shop", conv, said.ID, store.Needs(people[i], skein.NeedClient), "a", makes(c)); err != nil {
					return err
				}
			}
			return nil
		})
		got := f.look("shop", said, "").Reactions
		equal(f, "emoji", len(got), 1)
		equal(f, "count", got[0].Count, 40)
		equal(f, "log", len(f.log("shop", conv, "")), 120)
	}},
}
