package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/skein-im/skein/internal/store/postgres/pgtest"
)

// A dump that is restored into another cluster, whose transaction ids begin anew, is served at once: what was said is
// there, clients are told to begin anew, and everything goes on.
func TestADumpOfPostgresIsServedByAnotherCluster(t *testing.T) {
	t.Parallel()
	old, other := pgtest.Own(t), pgtest.Own(t)
	// The first cluster is far ahead of the second one.
	if err := old.Run(t.Context(), "psql", "-h", old.Dir(), "-U", "skein", "-d", "postgres", "-c",
		`DO $$ BEGIN FOR i IN 1..2000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$`); err != nil {
		t.Fatal(err)
	}
	s := start(t, func(s *server) { s.env = append(s.env, "SKEIN_DATABASE="+old.URL()) })
	a := demoApp(s)
	ann := a.user(t, "ann")
	conv := a.group(t, ann)
	a.say(t, conv, ann, "kept", obj{"client_msg_id": "kept"})
	cursor := a.sync(t, ann, "").NextCursor
	dump := filepath.Join(old.Dir(), "skein.dump")
	if err := old.Run(t.Context(), "pg_dump", "--format=custom", "--file="+dump, old.URL()); err != nil {
		t.Fatal(err)
	}
	a.send(t, conv, ann, "after the dump")
	lost := a.sync(t, ann, cursor).NextCursor
	s.Stop(t)
	moved := filepath.Join(other.Dir(), "skein.dump")
	raw, err := os.ReadFile(dump)
	if err == nil {
		err = os.WriteFile(moved, raw, 0o644)
	}
	if err == nil {
		err = other.Run(t.Context(), "pg_restore", "--dbname="+other.URL(), "--no-owner", "--exit-on-error", moved)
	}
	if err != nil {
		t.Fatal(err)
	}

	restored := start(t, withData(s.Data), func(s *server) { s.env = append(s.env, "SKEIN_DATABASE="+other.URL()) })
	a = demoApp(restored)
	if got := a.history(t, conv); len(got) != 1 || got[0].text() != "kept" {
		t.Errorf("the history of the restored server: got %+v, want the one message of before the dump", got)
	}
	if got := a.say(t, conv, ann, "kept", obj{"client_msg_id": "kept"}).number("seq"); got != 1 {
		t.Errorf("a retry of a message of before the dump: got seq %d, want 1", got)
	}
	for i := range 50 { // as many transactions, none of which may meet one of the dump
		if got := a.send(t, conv, ann, "on it goes").number("seq"); got != int64(i)+2 {
			t.Fatalf("the next message: got seq %d, want %d", got, i+2)
		}
	}
	for _, c := range []string{cursor, lost} {
		a.wantReset(t, ann, c, conv, 51)
	}
}
