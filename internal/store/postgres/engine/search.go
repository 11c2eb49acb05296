package engine

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
)

// A search or listing may read many rows, and the apps share the server. Each begins as an
// ordinary read, and most end soon. One whose statement takes longer than quickTime is begun
// anew as one of a few searchers; its statement is ended after searchTime. An app may have half
// of the searchers.
const (
	quickTime  = 50 * time.Millisecond
	searchTime = time.Second
	searchers  = 4
)

// Search is Read for reads of many rows. fn may run twice. Errors: also ErrRateLimited, about
// what, if it is too much work for one call.
func (e *Engine) Search(ctx context.Context, app, what string, fn func(context.Context, pgx.Tx) error) error {
	err := e.search(ctx, quickTime, fn)
	if !Overtime(err) || ctx.Err() != nil {
		return searched(ctx, err)
	}
	if e.searchers.enter(app) {
		err = e.search(ctx, e.searchTime, fn)
		e.searchers.leave(app)
		if !Overtime(err) || ctx.Err() != nil {
			return searched(ctx, err)
		}
	}
	e.log.Warn("a search is ended: too much work", slog.String("app", app), slog.String("search", what))
	return &skein.Fault{
		Err: skein.ErrRateLimited, Field: what, Retry: time.Second,
		Detail: "too much work for one call: ask for less, or use fewer or simpler conditions",
	}
}

// searched says what a search was ended by: a caller who gives up cancels its statement.
func searched(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return Unavailable("search", err)
}

// search is Read with statements of at most limit.
func (e *Engine) search(ctx context.Context, limit time.Duration, fn func(context.Context, pgx.Tx) error) error {
	begin := e.begin(`BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY`)
	begin.BeginQuery += `; SET LOCAL statement_timeout = ` + strconv.FormatInt(limit.Milliseconds(), 10)
	return pgx.BeginTxFunc(ctx, e.pool, begin, func(t pgx.Tx) error { return fn(ctx, t) })
}

// searching counts the searches that take long. The zero value is ready.
type searching struct {
	mu    sync.Mutex
	taken map[string]int // by app; guarded by mu
	all   int            // guarded by mu
}

// enter takes a searcher for an app, if there is one for it now.
func (s *searching) enter(app string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == searchers || s.taken[app] == searchers/2 {
		return false
	}
	if s.taken == nil {
		s.taken = make(map[string]int)
	}
	s.taken[app]++
	s.all++
	return true
}

func (s *searching) leave(app string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.taken[app]--; s.taken[app] == 0 {
		delete(s.taken, app)
	}
}
