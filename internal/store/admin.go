package store

import (
	"context"

	"github.com/skein-im/skein"
)

// Admin keeps who runs the installation, and what they did.
type Admin interface {
	// Operators lists all operators by name.
	Operators(ctx context.Context) ([]skein.OperatorAccount, error)
	// Administer calls do and adds the deed that it returns to the audit log, in one
	// transaction: both happen or neither does. It sets Seq, At and Hash and returns the
	// entry. If do returns an error, Administer returns it and stores nothing. do may run
	// more than once and must not wait or call the store but by what it is given.
	Administer(ctx context.Context, do func(ctx context.Context, t AdminTx) (skein.Deed, error)) (skein.Deed, error)
	// Audit returns entries of the audit log, newest first. Errors: ErrRateLimited where
	// that takes too long.
	Audit(ctx context.Context, q skein.AuditQuery) ([]skein.Deed, error)
	// AuditAfter returns entries whose Seq is greater, oldest first.
	AuditAfter(ctx context.Context, seq int64, limit int) ([]skein.Deed, error)
}

// AdminTx is what a deed may read and write in its transaction. Nobody else changes
// meanwhile what it has read.
type AdminTx interface {
	// App returns one app. Errors: ErrUnknownApp.
	App(ctx context.Context, id string) (skein.App, error)
	// CreateApp, PutApp and DeleteApp are as those of Apps. PutApp stores an app that App
	// returned.
	CreateApp(ctx context.Context, app skein.App) error
	PutApp(ctx context.Context, app skein.App) error
	DeleteApp(ctx context.Context, id string) error
	WebhookTx
	// WordList is as that of Apps. PutWordList and RemoveWordList do nothing for an unknown
	// app.
	WordList(ctx context.Context, app string) (skein.WordList, error)
	PutWordList(ctx context.Context, app string, list skein.WordList) error
	RemoveWordList(ctx context.Context, app string) error
	// Operators lists all operators by name.
	Operators(ctx context.Context) ([]skein.OperatorAccount, error)
	// PutOperator stores an operator, in place of the one of its name.
	PutOperator(ctx context.Context, o skein.OperatorAccount) error
	// RemoveOperator removes an operator.
	RemoveOperator(ctx context.Context, name string) error
}
