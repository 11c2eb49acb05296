package socket

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/skein-im/skein/internal/ops"
)

// sharedFor is how long new calls use the same deadline.
const sharedFor = time.Second

// deadlines gives calls under one parent context a deadline that many calls share. A
// timer for each call would cost as much as reading its frame, and every timer takes
// the lock of the parent. Safe for concurrent use.
type deadlines struct{ newest atomic.Pointer[deadline] }

type deadline struct {
	parent context.Context //nolint:containedctx // compared with the parent of the next call
	ctx    context.Context //nolint:containedctx // given to the next calls
	cancel func()          // never called: other calls use ctx
	began  time.Time
}

// under returns a context that ends with parent, or after ops.CallTime, or up to
// sharedFor earlier.
func (d *deadlines) under(parent context.Context) context.Context {
	now := time.Now()
	last := d.newest.Load()
	if last != nil && last.parent == parent && now.Sub(last.began) < sharedFor {
		return last.ctx
	}
	next := &deadline{parent: parent, began: now}
	next.ctx, next.cancel = context.WithTimeout(parent, ops.CallTime) //nolint:gosec // it ends by itself
	d.newest.Store(next)
	return next.ctx
}
