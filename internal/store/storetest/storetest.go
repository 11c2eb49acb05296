// Package storetest is the contract of package store as tests: an engine opens
// itself and passes all of them, unchanged. It knows no engine. Two handles on one
// database take turns in every test, so what only one process can promise is not here.
package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/store"
)

// Options are what a test needs of the store it opens.
type Options struct {
	Committed store.CommitHook // of both handles; each tells what it stored
	Now       func() time.Time // the store's clock for bans, mutes and ends
}

// Open opens two handles on one empty database, as two nodes have them, and closes them
// at the end of the test. An engine of one process hands out the one it has twice. A
// handle with a method CatchUp() may answer what was so a moment ago; the method is called
// before each of its calls, and lets that moment pass.
type Open func(t *testing.T, opt Options) (a, b store.Store)

// check is one promise and how to see that it is kept.
type check struct {
	promise string
	see     func(*fixture)
}

// Run checks every promise, each on a store of its own. With names of groups it checks only
// those: what lies over an engine that was checked, and alters little, needs no more.
func Run(t *testing.T, open Open, only ...string) {
	t.Helper()
	for _, group := range []struct {
		noun   string
		checks []check
	}{
		{"apps", apps},
		{"admin", admin},
		{"clients", clients},
		{"revisions", revisions},
		{"conversations", conversations},
		{"find", slices.Concat(find, cursors)},
		{"members", slices.Concat(members, sanctions, adding, authorities)},
		{"positions", positions},
		{"inbox", slices.Concat(inbox, unread)},
		{"sync", syncs},
		{"append", slices.Concat(appends, retries, batches)},
		{"history", slices.Concat(history, findMessages)},
		{"upkeep", upkeep},
		{"changes", changes},
		{"recalls", recalls},
		{"reactions", reactions},
		{"erasures", erasures},
		{"uploads", uploads},
		{"seen", seen},
		{"sessions", sessions},
		{"transfer", transfers},
		{"feed", feed},
		{"leases", leases},
		{"webhooks", webhooks},
		{"usage", usage},
		{"model", slices.Concat(model, inboxModel, syncModel, talks, fileModel)},
	} {
		if len(only) > 0 && !slices.Contains(only, group.noun) {
			continue
		}
		t.Run(group.noun, func(t *testing.T) {
			for _, c := range group.checks {
				t.Run(c.promise, func(t *testing.T) { c.see(newFixture(t, open)) })
			}
		})
	}
}
