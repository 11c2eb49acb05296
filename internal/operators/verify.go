package operators

import (
	"context"
	"fmt"

	"github.com/skein-im/skein/internal/store"
)

// Verify recomputes the hashes of the whole audit log. It returns how many entries it read and
// the hash of the newest, which tells whether entries at the end were removed since somebody
// noted an earlier one. broken says what is wrong with the first entry that is not as it was
// written; empty: nothing.
func Verify(ctx context.Context, log store.Admin) (entries int64, newest [32]byte, broken string, err error) {
	const page = 1000
	for {
		deeds, err := log.AuditAfter(ctx, entries, page)
		if err != nil {
			return entries, newest, "", fmt.Errorf("read the audit log: %w", err)
		}
		for _, d := range deeds {
			switch {
			case d.Seq != entries+1:
				return entries, newest, fmt.Sprintf("entry %d is missing", entries+1), nil
			case d.Sum(newest) != d.Hash:
				return entries, newest, fmt.Sprintf("entry %d does not have the hash of its content and of the entry before it", d.Seq), nil
			}
			entries, newest = d.Seq, d.Hash
		}
		if len(deeds) < page {
			return entries, newest, "", nil
		}
	}
}
