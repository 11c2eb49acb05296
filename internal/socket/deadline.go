package socket

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein/internal/ops"
)

// sameTime: calls that begin within it end together.
const sameTime = time.Second

// deadlines bounds calls that come in numbers under one context, such as that of a
// server. A timer for each would cost as much as reading its frame, and take the
// lock of the context that all of them hang on. Safe for concurrent use.
type deadlines struct{ newest atomic.Pointer[deadline] }

type deadline struct {
	parent context.Context //nolint:containedctx // to know it by
	ctx    context.Context //nolint:containedctx // for the calls to come
	cancel func()          // for nobody: the calls of others go on
	began  time.Time
}

// under is a context that ends with parent, or once ops.CallTime is over: at most
// sameTime earlier.
func (d *deadlines) under(parent context.Context) context.Context {
	now := time.Now()
	last := d.newest.Load()
	if last != nil && last.parent == parent && now.Sub(last.began) < sameTime {
		return last.ctx
	}
	next := &deadline{parent: parent, began: now}
	next.ctx, next.cancel = context.WithTimeout(parent, ops.CallTime) //nolint:gosec // it ends by itself
	d.newest.Store(next)
	return next.ctx
}
