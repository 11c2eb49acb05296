package engine

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/share"
)

// A search or listing may read many rows, and the apps share the server. Each begins as an
// ordinary read, and most end soon. One whose statement takes longer than a part of searchTime is
// begun anew as one of a few searchers, for which it may wait; its statement is ended after searchTime.
// An app may have half of the searchers.
const (
	searchTime = time.Second
	quickPart  = 20 // a quick search takes one of so many parts of searchTime at most
	searchers  = 4
)

// Search is Read for reads of many rows. fn may run twice. Errors: also ErrRateLimited, about
// what, if it is too much work for one call.
func (e *Engine) Search(ctx context.Context, app, what string, fn func(context.Context, Conn) error) error {
	err := e.search(ctx, app, e.searchTime/quickPart, fn)
	if Overtime(err) && ctx.Err() == nil {
		err = e.searchLong(ctx, app, fn)
	}
	if !Overtime(err) || ctx.Err() != nil {
		return searched(ctx, err)
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

// searchLong is search as one of the searchers, for which it waits without a connection.
func (e *Engine) searchLong(ctx context.Context, app string, fn func(context.Context, Conn) error) error {
	defer share.Pause(ctx).Resume()
	if err := e.searchers.Enter(ctx, app, e.Metrics.search); err != nil {
		return err
	}
	start := time.Now()
	defer func() { e.searchers.Leave(app, time.Since(start), e.Metrics.search) }()
	return e.search(ctx, app, e.searchTime, fn)
}

// search is Read with statements of at most limit.
func (e *Engine) search(ctx context.Context, app string, limit time.Duration, fn func(context.Context, Conn) error) error {
	begin := append(e.begin(readOnlyBegin), `SET LOCAL statement_timeout = `+strconv.FormatInt(limit.Milliseconds(), 10))
	return e.snapshot(ctx, app, e.Metrics.read, begin, fn)
}
