package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/storetest"
)

// small are the tables that do not grow with what the apps do.
var small = []string{"apps", "history", "goose_db_version"}

// TestEveryStatementAboutPeopleHasAnIndex runs them where PostgreSQL reads a whole table only
// if no index helps, and asks it afterwards which tables it read so. It does not see a
// statement that reads a whole index.
func TestEveryStatementAboutPeopleHasAnIndex(t *testing.T) {
	url := server.Fresh(t)
	joint := "?"
	if strings.Contains(url, "?") {
		joint = "&"
	}
	s := openOne(t, url+joint+"options=-c%20enable_seqscan%3Doff", storetest.Options{Now: time.Now})
	r := &race{T: t, ctx: t.Context(), nodes: [2]store.Store{s, s}, ids: new(atomic.Uint64)}
	r.must(s.CreateApp(r.ctx, skein.App{ID: "shop"}))
	_, err := s.CreateClients(r.ctx, "shop", []skein.Client{{ID: "ann"}, {ID: "bob"}, {ID: "cat"}})
	r.must(err)
	for _, run := range races {
		run(r)
	}
	conv := r.group(skein.Room, "ann", "bob")
	limit := store.MemberLimit{PerClient: 1, Adder: "ann", AddBy: skein.AddByKnown}
	_, err = s.RemoveMembers(r.ctx, "shop", conv, store.Needs("ann", skein.NeedMember), []string{"cat"}, 1, 1)
	if !errors.Is(errors.Join(err, r.add(s, conv, "cat", limit)), skein.ErrForbidden) {
		t.Errorf("a stranger was added, or %v", err)
	}
	for _, q := range []skein.ClientQuery{{Limit: 2}, {IDs: []string{"ann", "cat"}, Limit: 2}, {Limit: 1, Offset: 1}} {
		_, err := s.Clients(r.ctx, "shop", q)
		r.must(err)
	}
	_, err = s.CountReaders(r.ctx, "shop", conv, 1)
	r.must(err)
	if all, _, err := s.Audience(r.ctx, "shop", conv, 0); err != nil || len(all) != 2 {
		t.Errorf("audience: %v, %v", all, err)
	}
	_, _, err = s.CutsSince(r.ctx, 1, 1)
	r.must(err)
	r.must(s.MarkSeen(r.ctx, []skein.Sighting{{App: "shop", Client: "ann", At: 5}}))
	_, _, err = s.DeleteClient(r.ctx, "shop", "ann", 1, true)
	r.must(err)
	r.must(s.Close())
	if read := wholeTables(t, url); len(read) > 0 {
		t.Errorf("tables were read as a whole: %v", read)
	}
}

// wholeTables are the tables that grow and were read as a whole, with how often. What a
// connection did counts once it is closed.
func wholeTables(t *testing.T, url string) (read []string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	found, err := conn.Query(t.Context(), `SELECT relname::text, seq_scan, idx_scan FROM pg_stat_user_tables ORDER BY relname`)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	scans := int64(0)
	for found.Next() {
		var table string
		var whole int64
		var byIndex *int64
		if err := found.Scan(&table, &whole, &byIndex); err != nil {
			t.Fatal(err)
		}
		if byIndex != nil {
			scans += *byIndex
		}
		if whole > 0 && !slices.Contains(small, table) {
			read = append(read, fmt.Sprintf("%s (%d)", table, whole))
		}
	}
	if err := found.Err(); err != nil || scans == 0 {
		t.Fatalf("PostgreSQL counted no scans: %v", err)
	}
	return read
}
