package postgres_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres/pgtest"
	"github.com/skein-im/skein/internal/store/storetest"
)

// After the primary is lost and the standby promoted, every handle goes on with the standby:
// what was answered is there, and each node enters its sessions again.
func TestNodesFollowTheWritesToThePromotedStandby(t *testing.T) {
	for name, killed := range map[string]bool{"killed": true, "stopped": false} {
		t.Run(name, func(t *testing.T) {
			pair := pgtest.StartPair(t)
			nodes := map[string]store.Store{"one": openOne(t, pair.Both, storetest.Options{}), "two": openOne(t, pair.Both, storetest.Options{})}
			conv := newGroup(t, nodes["one"])
			sent := 0
			send := func(s store.Store) error {
				_, _, err := s.Append(t.Context(), skein.Draft{App: "app", Need: skein.NeedMember, Message: skein.Message{
					ID: skein.ID(uuid.Must(uuid.NewV7())), Conv: conv, Sender: "ann", ClientMsgID: fmt.Sprint(sent), Created: 2,
					Body: skein.Body{Type: skein.TypeText, Text: "hello"},
				}})
				return err
			}
			logins := map[string]store.Login{}
			for name, s := range nodes {
				if _, _, err := s.RenewNode(t.Context(), name, time.Minute); err != nil {
					t.Fatal(err)
				}
				l := store.Login{Session: store.Session{App: "app", Client: "ann", Device: name, ID: name, Node: name}}
				as, err := s.EnterSession(t.Context(), l)
				if err != nil {
					t.Fatal(err)
				}
				l.Generation, l.Resumed = as.Generation, true
				logins[name] = l
			}
			for range 10 {
				if err := send(nodes["one"]); err != nil {
					t.Fatal(err)
				}
				sent++
			}
			feed, err := nodes["one"].FeedEnd(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			lease, ok, err := nodes["one"].ClaimLease(t.Context(), "hooks", "one", time.Minute)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			if err := nodes["one"].KeepCursor(t.Context(), lease, feed); err != nil {
				t.Fatal(err)
			}
			before, err := nodes["one"].Sync(t.Context(), "app", "ann", skein.SyncCursor{}, 10)
			if err != nil {
				t.Fatal(err)
			}

			pair.LosePrimary(t, killed)
			pair.Promote(t)
			promoted := time.Now()
			for name, s := range nodes {
				for err := send(s); err != nil; err = send(s) {
					if !errors.Is(err, skein.ErrUnavailable) {
						t.Fatalf("node %s: got %v, want ErrUnavailable until it has found the standby", name, err)
					}
					if time.Since(promoted) > time.Minute {
						t.Fatalf("node %s has not found the standby: %v", name, err)
					}
					time.Sleep(50 * time.Millisecond)
					_, _, _ = s.RenewNode(t.Context(), name, time.Minute) // as a node does
				}
				sent++
				t.Logf("node %s stores again %v after the promotion", name, time.Since(promoted).Round(time.Millisecond))
			}
			all, err := nodes["one"].Messages(t.Context(), "app", conv, skein.SeqRange{Limit: 100})
			if err != nil || len(all) != sent {
				t.Errorf("got %d messages (%v), want %d", len(all), err, sent)
			}
			// A promoted standby is another history: it may lack what nobody was answered.
			after, err := nodes["two"].Sync(t.Context(), "app", "ann", before.Next, 10)
			if err != nil || !after.Reset {
				t.Errorf("sync with a cursor of the old primary: got %+v, %v, want a reset", after, err)
			}

			if _, _, err := nodes["two"].Moved(t.Context(), feed); !errors.Is(err, store.ErrFeedCursor) {
				t.Errorf("the feed from a cursor of the old primary: got %v, want ErrFeedCursor", err)
			}
			lease, ok, err = nodes["one"].ClaimLease(t.Context(), "hooks", "one", time.Minute)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			if moved, _, err := nodes["one"].Moved(t.Context(), lease.Cursor); err != nil || len(moved) != 1 || moved[0].LastSeq != int64(sent) {
				t.Errorf("the feed from the stored cursor: got %+v, %v, want the conversation with seq %d", moved, err, sent)
			}

			// The table of sessions is not replicated.
			for name, s := range nodes {
				if _, _, err := s.RenewNode(t.Context(), name, time.Minute); err != nil {
					t.Fatal(err)
				}
				left, err := s.ExpireNodes(t.Context())
				if err != nil || len(left) != 0 {
					t.Errorf("expired on node %s: got %v, %v, want nobody", name, left, err)
				}
				l := logins[name]
				if as, err := s.EnterSession(t.Context(), l); err != nil || as.Generation != l.Generation || len(as.Displaced) != 0 {
					t.Errorf("session of node %s again: got generation %d, %v, %v, want %d", name, as.Generation, as.Displaced, err, l.Generation)
				}
			}
			if there, err := nodes["one"].SessionsOf(t.Context(), "app", []string{"ann"}); err != nil || len(there) != len(nodes) {
				t.Errorf("sessions: got %v, %v, want those of both nodes", there, err)
			}
		})
	}
}
