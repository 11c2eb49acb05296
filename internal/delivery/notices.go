package delivery

import (
	"context"
	"hash/fnv"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire"
)

// Notices about a conversation and its members have no numbers, so a lane cannot see a gap
// between two of them. Instead it remembers for a while which deeds its notices told, and
// the doorbell brings from the feed which deeds were committed. For a deed that no notice
// told, the lane asks the clients concerned to sync.

// deedKey names a deed in a conversation.
type deedKey struct {
	app  string
	conv skein.ID
	deed uint64
}

// tellings are the notices that told a deed and were not yet compared with the feed.
type tellings struct {
	n    int
	last time.Time
}

const (
	maxTold     = 50_000          // deeds that a lane remembers; if it forgets one, clients sync in vain
	rememberFor = 5 * time.Second // the doorbell brings a deed within two seconds of its notice
)

// deedOf identifies a deed by its kind and the clients whom it is about.
func deedOf(kind store.EntryKind, clients ...string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte{byte(kind)})
	for _, c := range clients {
		_, _ = h.Write([]byte(c))
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}

// deedOfNotice is what a notice tells; zero: nothing that the feed tells too.
func deedOfNotice(n skein.Notice) uint64 {
	switch {
	case n.Kind == skein.EventConvCreated:
		return deedOf(store.EntryConversationCreated)
	case n.Kind == skein.EventConvDeleted:
		return deedOf(store.EntryConversationDeleted)
	case n.Kind == skein.EventMembersAdded:
		return deedOf(store.EntryMembersAdded, n.Clients...)
	case n.Kind == skein.EventMembersRemoved:
		return deedOf(store.EntryMembersRemoved, n.Clients...)
	case n.Kind != skein.EventConvUpdated || n.View != nil:
		return 0
	case len(n.Clients) != 0:
		return deedOf(store.EntryMemberUpdated, n.Clients...)
	default:
		return deedOf(store.EntryConversationUpdated)
	}
}

// deedOfEntry is what an entry tells.
func deedOfEntry(e *store.Entry) uint64 {
	switch e.Kind {
	case store.EntryMembersAdded, store.EntryMembersRemoved:
		return deedOf(e.Kind, e.Clients...)
	case store.EntryMemberUpdated:
		return deedOf(e.Kind, e.Client)
	default:
		return deedOf(e.Kind)
	}
}

// remember notes that a notice told a deed.
func (l *lane) remember(k deedKey) {
	t, _ := l.told.Get(k)
	now := time.Now()
	if now.Sub(t.last) > rememberFor {
		t.n = 0 // the feed told those before, or never will
	}
	l.told.Put(k, tellings{t.n + 1, now})
}

// wasTold reports whether a notice told a deed. Each notice answers for one deed.
func (l *lane) wasTold(k deedKey) bool {
	t, _ := l.told.Get(k)
	if t.n == 0 || time.Since(t.last) > rememberFor {
		return false
	}
	l.told.Put(k, tellings{t.n - 1, t.last})
	return true
}

// compareEdits asks the clients whom an edit concerns to sync, if no notice told it here.
func (l *lane) compareEdits(ctx context.Context, t task) error {
	missed := false
	var concerned []string
	for edits := t.edits; len(edits) > 0; {
		n, told := oneDeed(edits), false
		for i := range edits[:n] {
			e := &edits[i]
			told = l.wasTold(deedKey{t.app, t.conv, deedOfEntry(e)}) || told
		}
		if !told {
			missed = true
			l.d.metrics.missed.Inc()
			for i := range edits[:n] {
				concerned = appendMissing(concerned, edits[i].Clients)
			}
		}
		edits = edits[n:]
	}
	if !missed {
		return nil
	}
	members, _, err := l.d.opts.Logs.Audience(ctx, t.app, t.conv, 0)
	if err != nil {
		return err
	}
	l.askToSync(t.app, members, concerned, 0)
	return nil
}

// oneDeed is how many of the first entries tell one deed. A deed about many clients takes
// several entries; so does a change of the owner, of which the notice names the new one.
func oneDeed(edits []store.Entry) int {
	n := 1
	for ; n < len(edits) && edits[n].At == edits[0].At; n++ {
		switch {
		case edits[0].Kind == store.EntryConversationCreated && edits[n].Kind == store.EntryMembersAdded:
		case edits[0].Kind == store.EntryConversationDeleted && edits[n].Kind == store.EntryMembersRemoved:
		case edits[0].Kind == store.EntryMemberUpdated && edits[n].Kind == store.EntryMemberUpdated:
		default:
			return n
		}
	}
	return n
}

// askToSync asks those members, and other clients, who are on this node, in the sessions with
// numbers above from; see hub.Newest.
func (l *lane) askToSync(app string, members []skein.Listener, others []string, from int64) {
	frame, except := wire.AppendResync(nil), hub.Except{Withheld: skein.EventSetOf(skein.EventResync), From: from}
	people := l.people[:0]
	for i := range members {
		if l.d.opts.Hub.MayHave(members[i].Mark) {
			people = append(people, members[i].Client)
		}
	}
	people = appendMissing(people, others)
	l.people = people
	delivered := 0
	for _, client := range people {
		delivered += l.d.opts.Hub.Deliver(app, client, frame, except)
	}
	l.d.delivered(app, delivered)
}
