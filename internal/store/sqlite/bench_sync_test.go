package sqlite

import (
	"testing"

	"github.com/google/uuid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// syncToEnd returns the cursor after all of alice's conversations.
func syncToEnd(b *testing.B, s *Store, want int) (cursor skein.SyncCursor) {
	b.Helper()
	for told, done := 0, false; !done; {
		page, err := s.Sync(b.Context(), "app", "alice", cursor, 200)
		if err != nil {
			b.Fatal(err)
		}
		told += len(page.Views)
		cursor, done = page.Next, page.Done
		if done && told != want {
			b.Fatalf("told of %d conversations, want %d", told, want)
		}
	}
	return cursor
}

// benchGroups creates n groups in one commit, spread over the file as if they were created over
// a year: the client's, and between them others that are bob's. It returns the client's.
func benchGroups(b *testing.B, s *Store, client string, n int, isMine func(int) bool) (mine []skein.ID) {
	b.Helper()
	benchClient(b, s, client)
	extend := []byte(`{"name":"a group with some words about it","icon":"https://example.com/icons/0123456789abcdef.png"}`)
	err := tx.Change(b.Context(), s.db, func(g group) error {
		for i := range n {
			owner := "bob"
			c := skein.Conversation{App: "app", ID: skein.ID(uuid.New()), Type: skein.Group, Extend: extend, Created: 1}
			if isMine(i) {
				owner = client
				mine = append(mine, c.ID)
			}
			if _, _, err := g.createConversation(c, []skein.Member{{Client: owner}}, store.MemberLimit{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return mine
}
