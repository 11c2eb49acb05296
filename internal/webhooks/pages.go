package webhooks

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/store"
)

// Bounds of how the feed is read.
const (
	pageSize  = 500
	pollEvery = time.Second
	gather    = 10 * time.Millisecond // commits in this time are read together
	pagesKept = 32
)

// page is a part of the feed.
type page struct {
	entries []store.Entry
	next    store.FeedCursor

	ready chan struct{} // closed when the fields above, or err, are set
	err   error
}

// pages reads the feed for all endpoints. Those that are at the same place, as nearly all are,
// share one read.
type pages struct {
	feed store.Feed

	mu   sync.Mutex
	kept map[store.FeedCursor]*page // guarded by mu
	old  []store.FeedCursor         // the keys of kept in the order in which they came; guarded by mu
	wake chan struct{}              // closed and replaced at each Wake; guarded by mu
}

func newPages(feed store.Feed) *pages {
	return &pages{feed: feed, kept: map[store.FeedCursor]*page{}, wake: make(chan struct{})}
}

// Wake tells the readers at the end of the feed that something was committed.
func (p *pages) Wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.wake)
	p.wake = make(chan struct{})
}

func (p *pages) woken() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.wake
}

// next is the page behind a cursor; it waits until there is one. Errors: store.ErrFeedCursor.
func (p *pages) next(ctx context.Context, after store.FeedCursor) (*page, error) {
	for {
		p.mu.Lock()
		got, known := p.kept[after]
		if !known {
			got = &page{ready: make(chan struct{})}
			p.kept[after] = got
			p.old = append(p.old, after)
			if len(p.old) > pagesKept {
				delete(p.kept, p.old[0])
				p.old = p.old[1:]
			}
		}
		p.mu.Unlock()
		if !known {
			p.read(ctx, after, got)
		}
		select {
		case <-got.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if got.err == nil {
			return got, nil
		}
		if known && errors.Is(got.err, context.Canceled) && ctx.Err() == nil {
			continue // the endpoint that read for all was removed
		}
		return nil, got.err
	}
}

// read fills a page, for all who wait for it.
func (p *pages) read(ctx context.Context, after store.FeedCursor, into *page) {
	defer close(into.ready)
	for {
		woken := p.woken()
		entries, next, err := p.feed.Feed(ctx, after, pageSize)
		if err == nil && next == after {
			wait(ctx, pollEvery, woken)
			wait(ctx, gather, nil)
			if err = ctx.Err(); err == nil {
				continue
			}
		}
		if into.entries, into.next, into.err = entries, next, err; err != nil {
			p.mu.Lock()
			if p.kept[after] == into {
				delete(p.kept, after)
			}
			p.mu.Unlock()
		}
		return
	}
}

// wait returns after a time, a wake, or the end of ctx.
func wait(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
}
