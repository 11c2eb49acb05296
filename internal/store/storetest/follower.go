package storetest

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/skein-im/skein"
)

// follower is a device of a client: what it knows, as a device keeps it.
type follower struct {
	*fixture

	app, client string
	cursor      skein.SyncCursor
	knows       map[skein.ID]skein.View
}

func (f *fixture) follow(app, client string) *follower {
	return &follower{fixture: f, app: app, client: client, knows: map[skein.ID]skein.View{}}
}

// page asks for one page and keeps what it tells.
func (w *follower) page(limit int) skein.SyncPage {
	w.Helper()
	page, err := w.Sync(w.Context(), w.app, w.client, w.cursor, limit)
	w.must(err)
	w.keep(page)
	return page
}

func (w *follower) keep(page skein.SyncPage) {
	w.cursor = page.Next
	if page.Reset {
		clear(w.knows)
	}
	for _, v := range page.Views {
		w.knows[v.ID] = v
	}
	for _, id := range page.Gone {
		delete(w.knows, id)
	}
}

// news follows to the end and answers what it was told of, by id.
func (w *follower) news() (views, gone []skein.ID) {
	w.Helper()
	for {
		page := w.page(2)
		if page.Reset {
			w.Fatal("asked to begin anew")
		}
		views = append(views, viewIDs(page)...)
		gone = append(gone, page.Gone...)
		if page.Done {
			return sortedIDs(views), sortedIDs(gone)
		}
	}
}

// wantNews wants to be told of these, and to be gone from those.
func (w *follower) wantNews(what string, views, gone []skein.ID) {
	w.Helper()
	gotViews, gotGone := w.news()
	equal(w.fixture, what+": news of "+w.client, gotViews, sortedIDs(views))
	equal(w.fixture, what+": gone from "+w.client, gotGone, sortedIDs(gone))
}

func viewIDs(page skein.SyncPage) (ids []skein.ID) {
	for _, v := range page.Views {
		ids = append(ids, v.ID)
	}
	return ids
}

// whileAny follows as long as anyone is at work.
func (w *follower) whileAny(working *atomic.Int64) error {
	for working.Load() > 0 {
		page, err := w.Sync(w.Context(), w.app, w.client, w.cursor, 3)
		if err != nil {
			return err
		}
		w.keep(page)
		if slices.ContainsFunc(page.Views, func(v skein.View) bool { return v.Last != nil && v.Last.Seq != v.LastSeq }) {
			return fmt.Errorf("a view of two moments: %+v", page.Views)
		}
	}
	return nil
}
