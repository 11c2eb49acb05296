package postgres_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/postgres"
	"github.com/skein-im/skein/internal/store/storetest"
)

// small are the tables that do not grow with what the apps do.
var small = []string{"apps", "history", "refill", "goose_db_version"}

// TestEveryStatementAboutPeopleHasAnIndex runs them where PostgreSQL reads a whole table only
// if no index helps, and asks it afterwards which tables it read so.
func TestEveryStatementAboutPeopleHasAnIndex(t *testing.T) {
	url := settledDatabase(t)
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

// crowdSize is how many rows the tables are given beside those that the calls are about.
const crowdSize = 5000

// crowd fills the app and the conversation with others.
var crowd = []string{
	`INSERT INTO clients (app_key, id, created, updated, banned_until, ban_reason, cut)
		SELECT app_key, 'other' || i, 1, 1, 0, '', 0 FROM apps, generate_series(1, %[1]d) i WHERE apps.id = 'shop'`,
	`INSERT INTO conversations (app_key, id, type, creator, member_count, last_seq, moved, created, updated, active, period, ttl, expires)
		SELECT app_key, gen_random_uuid(), 1, '', 0, 0, 1, 1, 1, 1, 0, 0, 9007199254740991 FROM apps, generate_series(1, %[1]d) i WHERE apps.id = 'shop'`,
	`INSERT INTO members (conv_key, app_key, client_id, role, joined, join_seq, muted_until, moved)
		SELECT conv_key, app_key, 'other' || i, 0, 1, 1, 0, 1 FROM conversations, generate_series(1, %[1]d) i WHERE conversations.id = '%[2]s'`,
	`UPDATE conversations SET member_count = member_count + %[1]d, last_seq = last_seq + %[1]d WHERE id = '%[2]s'`,
	`INSERT INTO messages (conv_key, seq, id, sender, type, status, flags, created, updated, url, text)
		SELECT conv_key, last_seq - %[1]d + i, gen_random_uuid(), 'ann', 1, 1, 0, 1, 1, '', 'x' FROM conversations, generate_series(1, %[1]d) i WHERE conversations.id = '%[2]s'`,
}

// TestWhatIsAboutOneRowDoesNotReadAnIndexAsAWhole makes calls that concern few rows, at first
// on tables that are nearly empty, so that PostgreSQL makes and keeps plans for such tables.
// Then it fills the tables, repeats the calls, and asks PostgreSQL how many entries it read of
// each index.
func TestWhatIsAboutOneRowDoesNotReadAnIndexAsAWhole(t *testing.T) {
	url := settledDatabase(t)
	s, err := postgres.Open(t.Context(), postgres.Options{URL: url, Conns: 2})
	if err != nil {
		t.Fatal(err)
	}
	r := &race{T: t, ctx: t.Context(), nodes: [2]store.Store{s, s}, ids: new(atomic.Uint64)}
	r.must(s.CreateApp(r.ctx, skein.App{ID: "shop"}))
	_, err = s.CreateClients(r.ctx, "shop", []skein.Client{{ID: "ann"}, {ID: "bob"}, {ID: "cat"}})
	r.must(err)
	conv := r.group(skein.Group, "ann", "bob")
	cursor := skein.SyncCursor{}
	for range 10 { // PostgreSQL keeps a plan from the sixth time on
		page, err := s.Sync(r.ctx, "shop", "cat", cursor, 10)
		r.must(err)
		cursor = page.Next
		r.aboutOneRow(s, conv, cursor)
	}
	for _, sql := range crowd {
		exec(t, url, strings.NewReplacer("%[1]d", strconv.Itoa(crowdSize), "%[2]s", conv.String()).Replace(sql))
	}
	_, err = s.Purge(r.ctx, 1) // it renews the statistics
	r.must(err)
	exec(t, url, `SELECT pg_stat_reset()`)
	for range 3 {
		r.aboutOneRow(s, conv, cursor)
	}
	r.must(s.Close())
	for _, index := range readMuch(t, url, crowdSize) {
		t.Errorf("calls about few rows read %s", index)
	}
}

// sendTwice sends messages of two members, and each again as a retry.
func (r *race) sendTwice(s store.Store, conv skein.ID) (last skein.Message, drafts []skein.Draft) {
	r.Helper()
	for _, client := range []string{"ann", "bob"} {
		drafts = append(drafts, skein.Draft{App: "shop", Need: skein.NeedMember, Message: skein.Message{
			ID: r.newID(), Conv: conv, Sender: client, ClientMsgID: r.newID().String(), Created: 1, Body: skein.Body{Type: skein.TypeText, Text: "x"},
		}})
	}
	sent, err := s.AppendAll(r.ctx, append(drafts, drafts...))
	r.must(err)
	for i, a := range sent {
		if last = a.Message; a.Err != nil || a.Again != (i >= len(drafts)) {
			r.Fatalf("draft %d: got %+v", i, a)
		}
	}
	return last, drafts
}

// aboutOneRow makes calls that concern few rows of few tables.
func (r *race) aboutOneRow(s store.Store, conv skein.ID, cursor skein.SyncCursor) {
	r.Helper()
	m, drafts := r.sendTwice(s, conv)
	calls := []func() error{
		func() error { _, err := s.Admit(r.ctx, drafts[0]); return err },
		func() error { _, _, err := s.Conversation(r.ctx, "shop", conv, "ann"); return err },
		func() error { _, err := s.Client(r.ctx, "shop", "ann"); return err },
		func() error { _, err := s.Message(r.ctx, "shop", conv, m.ID, "ann"); return err },
		func() error { _, err := s.Members(r.ctx, "shop", conv, skein.MemberQuery{Limit: 2}); return err },
		func() error {
			_, err := s.Messages(r.ctx, "shop", conv, skein.SeqRange{After: m.Seq - 2, Limit: 2, Viewer: "ann"})
			return err
		},
		func() error { _, err := s.Pins(r.ctx, "shop", conv, "ann"); return err },
		func() error { _, err := s.View(r.ctx, "shop", conv, "bob"); return err },
		func() error { _, err := s.Views(r.ctx, "shop", "cat", skein.ViewQuery{Limit: 10}); return err },
		func() error { _, err := s.Unread(r.ctx, "shop", "bob", true); return err },
		func() error { _, err := s.Sync(r.ctx, "shop", "cat", cursor, 10); return err },
		func() error { return r.add(s, conv, "cat", store.MemberLimit{PerClient: 50, Adder: "ann"}) },
		func() error {
			_, err := s.RemoveMembers(r.ctx, "shop", conv, store.Authority{}, []string{"cat"}, 1, 0)
			return err
		},
		func() error { return r.setRole(s, conv, "bob", skein.RoleAdmin) },
		func() error { return r.setRole(s, conv, "bob", skein.RoleMember) },
		func() error { _, err := r.touch(s, conv, "ann"); return err },
		func() error { return s.MarkSeen(r.ctx, []skein.Sighting{{App: "shop", Client: "ann", At: r.tick()}}) },
		func() error {
			_, err := s.UpdateMemberships(r.ctx, "shop", "bob", []skein.ID{conv}, func(_ int, _ skein.Conversation, b *skein.Member) { b.ReadSeq = m.Seq })
			return err
		},
		func() error {
			_, err := s.ChangeMessage(r.ctx, "shop", conv, m.ID, store.Authority{}, "+", func(skein.MessageState) (skein.Change, error) {
				return skein.Change{Kind: skein.ChangePin, On: true, At: 1}, nil
			})
			return err
		},
		func() error { _, err := s.Purge(r.ctx, 1); return err },
		func() error { _, _, err := s.EraseMessages(r.ctx, 1); return err },
	}
	for i, call := range calls {
		if err := call(); err != nil {
			r.Fatalf("call %d: %v", i, err)
		}
	}
}

// tick is a time that no call had before.
func (r *race) tick() skein.Millis { return skein.Millis(r.ids.Add(1)) }

// readMuch are the indexes of which at least so many entries were read.
func readMuch(t *testing.T, url string, entries int) (indexes []string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	waitForOthers(t, conn)
	found, err := conn.Query(t.Context(), `SELECT format('%s: %s entries in %s scans', indexrelname, idx_tup_read, idx_scan), idx_tup_read FROM pg_stat_user_indexes WHERE idx_tup_read > 0`)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	all := 0
	for found.Next() {
		var index string
		var read int
		if err := found.Scan(&index, &read); err != nil {
			t.Fatal(err)
		}
		if all += read; read >= entries {
			indexes = append(indexes, index)
		}
	}
	if err := found.Err(); err != nil || all == 0 {
		t.Fatalf("PostgreSQL counted no reads: %v", err)
	}
	return indexes
}

// settledDatabase is one that was opened before: the first opening reads whole tables. What
// PostgreSQL counted of it is forgotten.
func settledDatabase(t *testing.T) (url string) {
	t.Helper()
	url = server.Fresh(t)
	s, err := postgres.Open(t.Context(), postgres.Options{URL: url})
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	waitForOthers(t, conn)
	if _, err := conn.Exec(t.Context(), `SELECT pg_stat_reset()`); err != nil {
		t.Fatal(err)
	}
	return url
}

// waitForOthers waits until the other connections to the database have ended: PostgreSQL knows
// what a connection counted at the latest when it has ended.
func waitForOthers(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	for others := 1; others > 0; time.Sleep(time.Millisecond) {
		err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(&others)
		if err != nil {
			t.Fatal(err)
		}
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

// TestViewsAreNotPlannedAnewEachTime reads views as often as PostgreSQL needs to decide whether it
// keeps a plan. To plan their statements takes several times as long as to run them.
func TestViewsAreNotPlannedAnewEachTime(t *testing.T) {
	s, err := postgres.Open(t.Context(), postgres.Options{URL: server.Database(t), Conns: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	conv := newGroup(t, s)
	say(t, s, conv, 1)
	for range 20 {
		if _, err := s.View(t.Context(), "app", conv, "ann"); err != nil {
			t.Fatal(err)
		}
	}
	all, err := s.PreparedStatements(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, p := range all {
		if !strings.Contains(p.Statement, "CROSS JOIN LATERAL") {
			continue
		}
		found++
		if p.Kept < 10 {
			t.Errorf("planned anew %d times, run with the kept plan %d times, want 5 and 15: %s", p.Custom, p.Kept, p.Statement)
		}
	}
	if found != 2 {
		t.Errorf("found %d statements of views, want 2", found)
	}
}
