package tx

import (
	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/rows"
	"github.com/skein-im/skein/internal/store/sqlite/engine"
)

// ClientColumns are what ReadClient reads, in its order.
const (
	ClientColumns     = `id, ext, created, updated, banned_until, ban_reason, cut, device_cuts, deleted, seen, add_by, rev, incarnation`
	ClientColumnCount = 13
)

// ReadClient copies one row of ClientColumns.
func ReadClient(r *sqlite3.Stmt, app string) skein.Client {
	return skein.Client{
		App:         app,
		ID:          r.ColumnText(0),
		Ext:         engine.Bytes(r, 1),
		Created:     engine.Millis(r, 2),
		Updated:     engine.Millis(r, 3),
		BannedUntil: engine.Millis(r, 4),
		BanReason:   r.ColumnText(5),
		Cut:         engine.Millis(r, 6),
		DeviceCuts:  rows.DecodeCuts(r.ColumnRawText(7)),
		Deleted:     r.ColumnBool(8),
		Seen:        engine.Millis(r, 9),
		AddBy:       engine.Small[skein.AddBy](r, 10),
		Rev:         r.ColumnInt64(11),
		Incarnation: r.ColumnInt64(12),
	}
}
