package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/datadir"
	"github.com/skein-im/skein/internal/operators"
	"github.com/skein-im/skein/internal/store"
)

// auditLimit bounds the reading of the audit log, beside Limit: a long log takes its time.
const auditLimit = time.Minute

// audit recomputes the hashes of the audit log.
func (e *examination) audit(ctx context.Context, c config.Store) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditLimit)
	defer cancel()
	var entries int64
	var newest [32]byte
	var broken string
	err := datadir.WithStore(ctx, c, func(s store.Store) (err error) {
		entries, newest, broken, err = operators.Verify(ctx, s)
		return err
	})
	switch {
	case err != nil:
		e.add("audit log", Warn, "not verified: "+err.Error(), "run this again")
	case broken != "":
		e.add("audit log", Fail, broken, "somebody altered the database by hand, or it is damaged: compare with a backup; docs/operations.md, Operators and the audit log")
	case entries == 0:
		e.add("audit log", OK, "empty", "")
	default:
		e.add("audit log", OK, fmt.Sprintf("%d entries, the newest has the hash %x", entries, newest), "")
	}
}
