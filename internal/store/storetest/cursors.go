package storetest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/skein-im/skein"
)

// turnPages follows a listing to its end and answers how often each conversation came;
// between moves what is listed after each page.
func (f *fixture) turnPages(what string, size int, list func(after skein.Cursor) ([]skein.ID, skein.Cursor, error), between func()) map[skein.ID]int {
	f.Helper()
	seen := map[skein.ID]int{}
	after := skein.Cursor{}
	for range 500 {
		ids, next, err := list(after)
		f.must(err)
		if len(ids) > size {
			f.Fatalf("%s: %d on a page of %d", what, len(ids), size)
		}
		for _, id := range ids {
			seen[id]++
		}
		if next.IsZero() {
			return seen
		}
		after = next
		between()
	}
	f.Fatalf("%s: no end after 500 pages", what)
	return nil
}

var cursors = []check{
	{"a cursor loses no conversation, whatever moves meanwhile", func(f *fixture) {
		f.app("shop", "ann", "bob")
		const n = 9
		var ids []skein.ID
		for range n {
			f.pass(1e9)
			ids = append(ids, f.group("shop", "ann", "bob"))
		}
		where := []skein.Condition{{Field: skein.FieldType, Op: skein.Eq, Values: []any{int64(skein.Group)}}}
		find := func(q skein.ConvQuery) func(skein.Cursor) ([]skein.ID, skein.Cursor, error) {
			return func(after skein.Cursor) (list []skein.ID, next skein.Cursor, err error) {
				q.After, q.Count = after, true
				page, err := f.FindConversations(f.Context(), "shop", q)
				for _, c := range page.Conversations {
					list = append(list, c.ID)
				}
				return list, page.Next, err
			}
		}
		random := rand.New(rand.NewPCG(1, 2))  //nolint:gosec // repeatable on purpose
		for _, round := range []int{0, 1, 3} { // how much moves after each page
			for _, size := range []int{1, 2, 4, n, n + 1} {
				for name, list := range map[string]func(skein.Cursor) ([]skein.ID, skein.Cursor, error){
					"all":         find(skein.ConvQuery{Limit: size}),
					"a where":     find(skein.ConvQuery{Limit: size, Where: where}),
					"a member's":  find(skein.ConvQuery{Limit: size, Member: "ann"}),
					"by creation": find(skein.ConvQuery{Limit: size, ByCreation: true}),
					"the inbox": func(after skein.Cursor) (list []skein.ID, next skein.Cursor, err error) {
						page, err := f.Views(f.Context(), "shop", "ann", skein.ViewQuery{Limit: size, After: after})
						for _, v := range page.Views {
							list = append(list, v.ID)
						}
						return list, page.Next, err
					},
				} {
					moves := 0
					what := fmt.Sprintf("%s by %d, round %d", name, size, round)
					seen := f.turnPages(what, size, list, func() {
						f.pass(time.Duration(random.IntN(2)) * time.Second)
						for range round {
							moves++
							id := ids[random.IntN(n)]
							f.say("shop", id, "bob", "hi")
							if random.IntN(3) == 0 {
								f.alter("shop", id, "ann", func(m *skein.Member) { m.Pinned = map[bool]skein.Millis{true: f.now()}[m.Pinned == 0] })
							}
						}
						if round == 3 && random.IntN(4) == 0 {
							f.group("shop", "ann")
						}
					})
					for i, id := range ids {
						if seen[id] == 0 || seen[id] > 3 || seen[id] > 1 && (moves == 0 || name == "by creation") {
							f.Fatalf("%s: conversation %d came %d times after %d moves", what, i, seen[id], moves)
						}
					}
				}
			}
		}
	}},
	{"the oldest that moves to the top behind the first page is not lost", func(f *fixture) {
		f.app("shop", "ann")
		var ids []skein.ID
		for range 3 {
			f.pass(1e9)
			ids = append(ids, f.group("shop", "ann"))
		}
		var came []skein.ID
		f.turnPages("pages of one", 1, func(after skein.Cursor) (list []skein.ID, next skein.Cursor, err error) {
			page, err := f.FindConversations(f.Context(), "shop", skein.ConvQuery{Limit: 1, After: after})
			for _, c := range page.Conversations {
				list = append(list, c.ID)
			}
			came = append(came, list...)
			return list, page.Next, err
		}, func() {
			if len(came) == 1 {
				f.pass(1e9)
				f.say("shop", ids[0], "ann", "hi")
			}
		})
		equal(f, "came", came, []skein.ID{ids[2], ids[1], ids[0]})
	}},
}
