package storetest

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// account is what the model knows of a client that was created at least once.
type account struct {
	rev, incarnation int64
	deleted          bool
	banned, cut      skein.Millis
}

// alive reports whether a client can be called.
func (w *world) alive(id string) bool {
	a := w.accounts[id]
	return a != nil && !a.deleted
}

// firstMissing is the first client that is not alive.
func (w *world) firstMissing(clients []string) string {
	for _, id := range clients {
		if !w.alive(id) {
			return id
		}
	}
	return ""
}

func (w *world) createClient(t *rapid.T) {
	id := drawClient(t)
	_, created, err := w.f.CreateClient(w.f.Context(), skein.Client{App: w.app, ID: id})
	if !expectErr(t, "CreateClient", err, nil) {
		return
	}
	expect(t, "created", created, !w.alive(id))
	if !created {
		return
	}
	w.returned(id)
	a := w.accounts[id]
	if a == nil {
		a = &account{}
		w.accounts[id] = a
	}
	a.rev++
	a.incarnation++
	a.deleted = false
}

// returned makes what was said under an id a former holder's.
func (w *world) returned(id string) {
	for _, r := range w.conversations {
		for _, m := range r.messages {
			if m.Sender == id {
				r.former[m.Seq] = true
			}
		}
	}
}

func (w *world) deleteClient(t *rapid.T) {
	id := drawClient(t)
	left, rev, err := w.f.DeleteClient(w.f.Context(), w.app, id, start, false)
	if !expectErr(t, "DeleteClient", err, w.unknownClient(id)) {
		return
	}
	a := w.accounts[id]
	a.rev++
	a.deleted, a.banned, a.cut = true, 0, max(a.cut, start)
	w.cut(id, skein.KickDeleted)
	expect(t, "rev", rev, a.rev)
	var wantLeft []skein.ID
	for _, r := range w.conversations {
		if slices.Contains(r.pair[:], id) { // also where it was removed before
			r.pair = [2]string{}
		}
		if !r.has(id) {
			continue
		}
		r.drop(id)
		if !r.deleted {
			wantLeft = append(wantLeft, r.id)
		}
	}
	expect(t, "left", sortedIDs(left), sortedIDs(wantLeft))
}

// unknownClient is the error of a call about a client that is not alive.
func (w *world) unknownClient(id string) error {
	if !w.alive(id) {
		return skein.ErrUnknownClient
	}
	return nil
}

func (w *world) ban(t *rapid.T) {
	until := rapid.SampledFrom([]skein.Millis{0, start + 1000, skein.Forever}).Draw(t, "until")
	w.updateClient(t, func(c *skein.Client) { c.BannedUntil = until }, func(a *account) (changed bool, reason string) {
		if until > a.banned {
			reason = skein.KickBanned
		}
		changed = until != a.banned
		a.banned = until
		return changed, reason
	})
}

func (w *world) logOut(t *rapid.T) {
	at := start.Add(rapid.SampledFrom([]time.Duration{time.Second, 2 * time.Second}).Draw(t, "at"))
	w.updateClient(t, func(c *skein.Client) { c.Cut = at }, func(a *account) (changed bool, reason string) {
		if at > a.cut {
			reason = skein.KickLoggedOut
		}
		changed = at != a.cut
		a.cut = at
		return changed, reason
	})
}

// updateClient changes a client in the store and in the model, which answers whether that
// changed anything and, if it ended logins, why.
func (w *world) updateClient(t *rapid.T, change func(*skein.Client), model func(*account) (changed bool, reason string)) {
	id := drawClient(t)
	got, err := w.f.UpdateClient(w.f.Context(), w.app, id, func(c *skein.Client) error {
		change(c)
		return nil
	})
	if !expectErr(t, "UpdateClient", err, w.unknownClient(id)) {
		return
	}
	a := w.accounts[id]
	changed, reason := model(a)
	if changed {
		a.rev++
	}
	if reason != "" {
		w.cut(id, reason)
	}
	expect(t, "rev of the update", got.Rev, a.rev)
}

// cut notes that all logins of a client have ended.
func (w *world) cut(id, reason string) {
	w.cuts = append(w.cuts, skein.Cut{App: w.app, Client: id, Reason: reason, Rev: w.accounts[id].rev})
}

// hear reads the cuts behind the watermark, of which some may have been told before.
func (w *world) hear(t *rapid.T) {
	for {
		const page = 2
		cuts, next, err := w.f.CutsSince(w.f.Context(), w.after, page)
		if !expectErr(t, "CutsSince", err, nil) {
			return
		}
		more := false
		for _, c := range cuts {
			if !w.heard[c] {
				w.heard[c], more = true, true
				w.told = append(w.told, c)
			}
		}
		if w.after = next; !more {
			break
		}
	}
	expect(t, "cuts", w.told, w.cuts)
}

func (w *world) sameClients(t *rapid.T) {
	for id, want := range w.accounts {
		got, err := w.f.Client(w.f.Context(), w.app, id)
		expectErr(t, "Client", err, nil)
		expect(t, id, account{got.Rev, got.Incarnation, got.Deleted, got.BannedUntil, got.Cut}, *want)
	}
}

// watermark is where the cuts of a new world begin.
func (f *fixture) watermark(t *rapid.T) store.Watermark {
	_, at, err := f.CutsSince(f.Context(), 0, 1)
	expectErr(t, "CutsSince", err, nil)
	return at
}
