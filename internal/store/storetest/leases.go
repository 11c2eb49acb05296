package storetest

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein/internal/store"
)

const leaseFor = 4 * time.Second

var leases = []check{
	{"of many nodes that claim a lease one gets it", func(f *fixture) {
		var won atomic.Int64
		f.together(20, func(i int) error {
			_, ok, err := f.ClaimLease(f.Context(), "hooks", fmt.Sprint("node ", i), leaseFor)
			if ok {
				won.Add(1)
			}
			return err
		})
		equal(f, "winners", won.Load(), 1)
		f.claim("other", "b")
	}},
	{"a lease is taken over when it ends, not before", func(f *fixture) {
		first := f.claim("hooks", "a")
		f.pass(leaseFor - time.Millisecond)
		f.refused("hooks", "b")
		f.must(f.RenewLease(f.Context(), first, leaseFor))
		f.pass(leaseFor - time.Millisecond)
		f.refused("hooks", "b")
		f.pass(time.Millisecond)
		second := f.claim("hooks", "b")
		if second.Fence <= first.Fence {
			f.Fatalf("got fence %d after %d", second.Fence, first.Fence)
		}
		f.refused("hooks", "a")
	}},
	{"a stale fence writes nothing", func(f *fixture) {
		f.app("shop", "ann")
		early := f.end()
		f.clients("shop", "bob")
		late := f.end()
		first := f.claim("hooks", "a")
		f.pass(leaseFor)
		second := f.claim("hooks", "b")
		f.must(f.KeepCursor(f.Context(), second, late))
		f.wantErr(f.KeepCursor(f.Context(), first, early), store.ErrLeaseLost)
		f.wantErr(f.RenewLease(f.Context(), first, time.Hour), store.ErrLeaseLost)
		f.must(f.ReleaseLease(f.Context(), first))
		f.refused("hooks", "c")
		f.pass(leaseFor)
		equal(f, "cursor", f.claim("hooks", "c").Cursor, late)
	}},
	{"a lease that ended is still its holder's while nobody else claims it", func(f *fixture) {
		l := f.claim("hooks", "a")
		f.pass(time.Hour)
		f.must(f.KeepCursor(f.Context(), l, f.end()))
		f.must(f.RenewLease(f.Context(), l, leaseFor))
		f.refused("hooks", "b")
	}},
	{"a released lease is free at once, and nothing is written under it", func(f *fixture) {
		l := f.claim("hooks", "a")
		f.must(f.ReleaseLease(f.Context(), l))
		f.wantErr(f.RenewLease(f.Context(), l, leaseFor), store.ErrLeaseLost)
		f.wantErr(f.KeepCursor(f.Context(), l, f.end()), store.ErrLeaseLost)
		next := f.claim("hooks", "b")
		equal(f, "kept", next.Kept, false)
		equal(f, "cursor", next.Cursor, store.FeedStart)
	}},
	{"a node that claims what it has gets a new fence", func(f *fixture) {
		first, second := f.claim("hooks", "a"), f.claim("hooks", "a")
		if second.Fence <= first.Fence {
			f.Fatalf("got fence %d after %d", second.Fence, first.Fence)
		}
		f.wantErr(f.RenewLease(f.Context(), first, leaseFor), store.ErrLeaseLost)
		f.must(f.RenewLease(f.Context(), second, leaseFor))
	}},
	{"a kept cursor goes on after a restored backup", func(f *fixture) {
		f.app("shop", "ann")
		l := f.claim("hooks", "a")
		f.must(f.KeepCursor(f.Context(), l, f.end()))
		f.clients("shop", "bob")
		f.must(f.NewEpoch(f.Context()))
		l = f.claim("hooks", "a")
		equal(f, "kept", l.Kept, true)
		got, _ := f.feedAfter(l.Cursor, 10)
		equal(f, "kinds", kinds(got), []store.EntryKind{store.EntryClientCreated})
		f.wantErr(f.KeepCursor(f.Context(), l, "x"), store.ErrFeedCursor)
	}},
}

func (f *fixture) end() store.FeedCursor {
	f.Helper()
	end, err := f.FeedEnd(f.Context())
	f.must(err)
	return end
}

// claim wants to be granted a lease.
func (f *fixture) claim(name, node string) store.Lease {
	f.Helper()
	l, ok, err := f.ClaimLease(f.Context(), name, node, leaseFor)
	f.must(err)
	if !ok {
		f.Fatalf("%s was refused the lease %s", node, name)
	}
	return l
}

// refused wants a claim to be refused.
func (f *fixture) refused(name, node string) {
	f.Helper()
	l, ok, err := f.ClaimLease(f.Context(), name, node, leaseFor)
	f.must(err)
	if ok {
		f.Fatalf("%s was granted the lease %s with fence %d", node, name, l.Fence)
	}
}
