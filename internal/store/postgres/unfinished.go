package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// errUnfinished is what a method answers that this engine does not have yet.
var errUnfinished = errors.New("not there yet on PostgreSQL")

func lacking(method string) error { return fmt.Errorf("%s: %w", method, errUnfinished) }

// unfinished has every method that is not there yet. A method that is written is defined on
// Store, or on what it embeds less deeply than this, and is removed here.
type unfinished struct{}

func (unfinished) AddUpload(context.Context, skein.Upload) (err error) {
	return lacking("AddUpload")
}

func (unfinished) StoredBytes(context.Context, string) (r0 int64, err error) {
	return r0, lacking("StoredBytes")
}

func (unfinished) Upload(context.Context, string) (r0 skein.Upload, r1 bool, err error) {
	return r0, r1, lacking("Upload")
}

func (unfinished) ReleaseUploads(context.Context, skein.Millis) (r0 bool, err error) {
	return r0, lacking("ReleaseUploads")
}

func (unfinished) ReleasedUploads(context.Context, string, int) (r0 []string, err error) {
	return r0, lacking("ReleasedUploads")
}

func (unfinished) ForgetUploads(context.Context, []string) (err error) {
	return lacking("ForgetUploads")
}

func (unfinished) CheckUploads(context.Context, []skein.StoredFile) (r0 []string, err error) {
	return r0, lacking("CheckUploads")
}

func (unfinished) Purge(context.Context, skein.Millis) (r0 bool, err error) {
	return r0, lacking("Purge")
}

func (unfinished) FillUploads(context.Context) (r0 bool, err error) {
	return r0, lacking("FillUploads")
}

func (unfinished) NewEpoch(context.Context) (err error) {
	return lacking("NewEpoch")
}

func (unfinished) Feed(context.Context, store.FeedCursor, int) (r0 []store.Entry, r1 store.FeedCursor, err error) {
	return r0, r1, lacking("Feed")
}

func (unfinished) FeedEnd(context.Context) (r0 store.FeedCursor, err error) {
	return r0, lacking("FeedEnd")
}

func (unfinished) Moved(context.Context, store.FeedCursor) (r0 []store.Moved, r1 store.FeedCursor, err error) {
	return r0, r1, lacking("Moved")
}

func (unfinished) ClaimLease(context.Context, string, string, time.Duration) (r0 store.Lease, r1 bool, err error) {
	return r0, r1, lacking("ClaimLease")
}

func (unfinished) RenewLease(context.Context, store.Lease, time.Duration) (err error) {
	return lacking("RenewLease")
}

func (unfinished) ReleaseLease(context.Context, store.Lease) (err error) {
	return lacking("ReleaseLease")
}

func (unfinished) KeepCursor(context.Context, store.Lease, store.FeedCursor) (err error) {
	return lacking("KeepCursor")
}

func (unfinished) EnterSession(context.Context, store.Login) (r0 int64, r1 []store.Displaced, err error) {
	return r0, r1, lacking("EnterSession")
}

func (unfinished) LeaveSessions(context.Context, []store.Session) (r0 []store.Departure, err error) {
	return r0, lacking("LeaveSessions")
}

func (unfinished) SessionsOf(context.Context, string, []string) (r0 []store.Session, err error) {
	return r0, lacking("SessionsOf")
}

func (unfinished) RenewNode(context.Context, string, time.Duration) (r0 []store.Displaced, r1 bool, err error) {
	return r0, r1, lacking("RenewNode")
}

func (unfinished) ExpireNodes(context.Context) (r0 []store.Departure, err error) {
	return r0, lacking("ExpireNodes")
}

func (unfinished) Export(context.Context, string, string, store.Sink) (r0 skein.Millis, err error) {
	return r0, lacking("Export")
}

func (unfinished) Import(context.Context, string, []any) (r0 []store.Imported, err error) {
	return r0, lacking("Import")
}
