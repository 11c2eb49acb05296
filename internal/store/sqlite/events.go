package sqlite

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// clientEvents tells how a client was altered.
func (g group) clientEvents(before, after skein.Client) error {
	for _, one := range []struct {
		happened bool
		kind     store.EntryKind
	}{
		{!sameCuts(before, after), store.EntryClientLoggedOut},
		{after.BannedUntil > before.BannedUntil, store.EntryClientBanned},
		{after.BannedUntil < before.BannedUntil, store.EntryClientUnbanned},
		{string(after.Ext) != string(before.Ext) || after.AddBy != before.AddBy, store.EntryClientUpdated},
	} {
		if !one.happened {
			continue
		}
		if err := g.Event(store.Entry{Kind: one.kind, App: before.App, Client: before.ID}); err != nil {
			return err
		}
	}
	return nil
}

func sameCuts(before, after skein.Client) bool {
	if before.Cut != after.Cut || len(before.DeviceCuts) != len(after.DeviceCuts) {
		return false
	}
	for device, cut := range after.DeviceCuts {
		if before.DeviceCuts[device] != cut {
			return false
		}
	}
	return true
}

// leftEvents tells that a client who is being deleted left conversations.
func (g group) leftEvents(app, client string, left []skein.ID) error {
	for _, conv := range left {
		if err := g.Event(store.Entry{Kind: store.EntryMembersRemoved, App: app, Conv: conv, Clients: []string{client}}); err != nil {
			return err
		}
	}
	return nil
}
