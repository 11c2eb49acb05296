package storetest

import (
	"github.com/skein-im/skein"
)

var seen = []check{
	{"a client was last seen at the newest of all sightings", func(f *fixture) {
		f.app("shop", "ann", "bob", "cat")
		f.app("game", "ann")
		mark := func(sightings ...skein.Sighting) {
			f.Helper()
			f.must(f.MarkSeen(f.Context(), sightings))
		}
		mark()
		mark(skein.Sighting{App: "shop", Client: "ann", At: start}, skein.Sighting{App: "shop", Client: "bob", At: start + 5},
			skein.Sighting{App: "shop", Client: "eve", At: start}, skein.Sighting{App: "none", Client: "ann", At: start})
		mark(skein.Sighting{App: "shop", Client: "bob", At: start + 4}, skein.Sighting{App: "shop", Client: "ann", At: start + 9},
			skein.Sighting{App: "shop", Client: "ann", At: start + 7})
		page, err := f.Clients(f.Context(), "shop", skein.ClientQuery{Limit: 9})
		f.must(err)
		got := map[string]skein.Millis{}
		for _, c := range page.Clients {
			got[c.ID] = c.Seen
		}
		equal(f, "seen", got, map[string]skein.Millis{"ann": start + 9, "bob": start + 5, "cat": 0})
		other, err := f.Client(f.Context(), "game", "ann")
		f.must(err)
		equal(f, "in the other app", other.Seen, 0)
	}},
	{"only a sighting moves it", func(f *fixture) {
		f.app("shop", "ann")
		f.must(f.MarkSeen(f.Context(), []skein.Sighting{{App: "shop", Client: "ann", At: start}}))
		got, err := f.UpdateClient(f.Context(), "shop", "ann", func(c *skein.Client) error { c.Seen = 1; return nil })
		f.must(err)
		equal(f, "after an update", got.Seen, start)
		_, _, err = f.DeleteClient(f.Context(), "shop", "ann", start, false)
		f.must(err)
		f.must(f.MarkSeen(f.Context(), []skein.Sighting{{App: "shop", Client: "ann", At: start + 1}}))
		got, err = f.Client(f.Context(), "shop", "ann")
		f.must(err)
		equal(f, "of a deleted one", got.Seen, 0)
		got, _, err = f.CreateClient(f.Context(), skein.Client{App: "shop", ID: "ann", Seen: 7})
		f.must(err)
		equal(f, "of a new one", got.Seen, 0)
	}},
}
