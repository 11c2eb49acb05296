package convert

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/portable"
	"github.com/skein-im/skein/internal/portable/convert/sorter"
)

// clients are the client ids that appear in the source, each with the first time it was seen.
type clients struct {
	rename  map[string]string
	relaxed bool // an id needs the relaxed alphabet
	renamed map[string]bool

	seen   map[string]int64 // since the last flush
	all    *sorter.Sorter   // by id, then by time
	refuse map[string]int64 // ids that Skein does not allow, with their number of uses
	more   int64            // uses of further such ids, beyond maxRefused
}

const (
	maxSeen    = 100_000 // ids in memory
	maxRefused = 10_000  // ids listed
)

func newClients(all *sorter.Sorter, rename map[string]string) *clients {
	return &clients{rename: rename, renamed: map[string]bool{}, seen: map[string]int64{}, all: all, refuse: map[string]int64{}}
}

// id returns Skein's client id for an id of the source. ok is false if Skein does not allow the
// id.
func (c *clients) id(source string) (id string, ok bool) {
	id = source
	if to, found := c.rename[source]; found {
		id = to
		if len(c.renamed) < maxSeen {
			c.renamed[source] = true
		}
	}
	if !skein.ValidClientID(id, true) {
		if _, known := c.refuse[source]; known || len(c.refuse) < maxRefused {
			c.refuse[source]++
		} else {
			c.more++
		}
		return "", false
	}
	c.relaxed = c.relaxed || !skein.ValidClientID(id, false)
	return id, true
}

// saw records that a client existed at a time.
func (c *clients) saw(id string, at int64) error {
	if first, known := c.seen[id]; !known || at < first {
		c.seen[id] = at
	}
	if len(c.seen) < maxSeen {
		return nil
	}
	return c.flush()
}

func (c *clients) flush() error {
	var key []byte
	for _, id := range slices.Sorted(maps.Keys(c.seen)) {
		key = binary.BigEndian.AppendUint64(append(append(key[:0], id...), 0), uint64(c.seen[id]))
		if err := c.all.Add(key, nil); err != nil {
			return err
		}
	}
	clear(c.seen)
	return nil
}

// neverSeen is the time of clients that the source names without a time.
const neverSeen = int64(skein.Forever)

// each calls its function for every client in order of creation. A client was created when it
// was first seen, or now if the source has no time for it.
func (c *clients) each(ctx context.Context, byAge *sorter.Sorter, now int64, f func(portable.Client) error) error {
	if err := c.flush(); err != nil {
		return err
	}
	var last, key []byte
	err := c.all.Each(ctx, func(k, _ []byte) error {
		id := k[:len(k)-9]
		if bytes.Equal(id, last) {
			return nil
		}
		last = append(last[:0], id...)
		first := int64(binary.BigEndian.Uint64(k[len(k)-8:]))
		if first == neverSeen {
			first = now
		}
		key = append(binary.BigEndian.AppendUint64(key[:0], uint64(first)), id...)
		return byAge.Add(key, nil)
	})
	if err != nil {
		return err
	}
	return byAge.Each(ctx, func(k, _ []byte) error {
		return f(portable.Client{ID: string(k[8:]), Created: int64(binary.BigEndian.Uint64(k))})
	})
}

// refused lists the ids that Skein does not allow.
func (c *clients) refused() []Usage {
	list := make([]Usage, 0, len(c.refuse))
	for id, n := range c.refuse {
		text, _ := Text(id)
		list = append(list, Usage{text, n})
	}
	slices.SortFunc(list, func(a, b Usage) int {
		return cmp.Or(cmp.Compare(b.Records, a.Records), cmp.Compare(a.Client, b.Client))
	})
	return list
}
