package sqlite

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// pagesBudget is how many pages of 4 KiB a commit of 200 messages in 200 separate conversations
// may write to the log. This is what indexes cost besides the CPU that a benchmark measures: a
// new index shows here first.
const pagesBudget = 257

func TestPagesOfACommit(t *testing.T) {
	s := newStore(t, Options{logPages: 1 << 20, groupBudget: time.Minute}) // one commit, and the log does not restart
	const n = 200
	var convs []skein.ID
	for range n {
		convs = append(convs, newGroup(t, s))
		quietGroups(t, s, 100)
	}
	commit := func(round int) {
		release := holdWriter(t, s)
		var all sync.WaitGroup
		for i, conv := range convs {
			all.Go(func() {
				d := newDraft(conv, "about as long as what people say to each other in one go, not more")
				d.ClientMsgID = fmt.Sprintf("%d %d", round, i)
				d.Created = skein.Millis(round) * 2000 // in another period: no conversation is busy
				if _, _, err := s.Append(t.Context(), d); err != nil {
					t.Error(err)
				}
			})
		}
		waitQueued(t, s, n)
		release()
		all.Wait()
	}
	for round := range 20 { // until the pages do not get fuller
		commit(round)
	}
	before := logged(t, s)
	commit(20)
	if got := logged(t, s) - before; got > pagesBudget {
		t.Errorf("a commit of %d messages wrote %d pages, the budget is %d", n, got, pagesBudget)
	}
}

// quietGroups creates conversations between the active ones, so that no two active ones share a
// page.
func quietGroups(t *testing.T, s *Store, n int) {
	t.Helper()
	err := tx.Change(t.Context(), s.db, func(g group) error {
		for _, sql := range []string{
			`INSERT INTO conversations (app_key, id, type, creator, member_count, last_seq, moved, created, updated, active, period, ttl, expires)
				WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
				SELECT app_key, randomblob(16), type, creator, member_count, 0, moved, created, 0, active, period, ttl, expires
				FROM n, conversations WHERE conv_key = (SELECT max(conv_key) FROM conversations)`,
			`INSERT INTO members (conv_key, app_key, client_id, role, joined, join_seq, muted_until, moved)
				SELECT conv_key, app_key, 'cat', 0, 1, 1, 0, 1 FROM conversations ORDER BY conv_key DESC LIMIT ?1`,
		} {
			if err := g.Exec(sql, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// logged is the length of the log in pages.
func logged(t *testing.T, s *Store) (pages int) {
	t.Helper()
	file, err := os.Stat(s.db.Engine().Path() + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return int((file.Size() - logHeaderBytes) / testFrame)
}
