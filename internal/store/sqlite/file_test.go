package sqlite

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/ncruces/go-sqlite3"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store/sqlite/tx"
)

// The settings that make an answered write durable, read from the connections themselves.
func TestTheWriterSyncsEveryCommit(t *testing.T) {
	s := newStore(t, Options{})
	mustChange(t, s, func(g group) error {
		for pragma, want := range map[string]string{
			"journal_mode": "wal", "synchronous": "2", "wal_autocheckpoint": "0", "busy_timeout": "5000",
		} {
			var got string
			if _, err := g.Row(func(r *sqlite3.Stmt) { got = r.ColumnText(0) }, `PRAGMA `+pragma); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s: got %s, want %s", pragma, got, want)
			}
		}
		return nil
	}, nil)
	var version string
	err := tx.Read(t.Context(), s.db, "", func(c connection) error {
		_, err := c.Row(func(r *sqlite3.Stmt) { version = r.ColumnText(0) }, `SELECT sqlite_version()`)
		return err
	})
	// 3.51.3 fixed a corruption when the log is reset.
	if err != nil || version < "3.51.3" {
		t.Errorf("SQLite %s, %v", version, err)
	}
}

func TestTheLogStartsAnewWhileWritesGoOn(t *testing.T) {
	const pages = 256
	s := newStore(t, Options{logPages: pages})
	conv := newGroup(t, s)
	big := strings.Repeat("x", skein.MaxText)
	for range 100 { // about a hundred pages each
		appendMany(t, s, conv, big, 20, nil)
	}
	file, err := os.Stat(s.db.Engine().Path() + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	// A slow disk may let the log grow to ten times the length at which a checkpoint is due. All
	// writes together are forty times as long.
	if got := int(file.Size() / 4096); got > 10*pages {
		t.Fatalf("the log is %d pages long", got)
	}
	wantDense(t, s, conv, 2000)
	wantIntact(t, s)
}

func TestAReaderCannotWrite(t *testing.T) {
	s := newStore(t, Options{})
	err := tx.Read(t.Context(), s.db, "", func(c connection) error { return c.Exec(`DELETE FROM apps`) })
	if err == nil {
		t.Fatal("it could")
	}
}

func TestTwoHandlesOpenANewFileAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "skein.db")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			s, err := Open(t.Context(), Options{Path: path})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestTwoHandlesWriteTheSameConversation(t *testing.T) {
	one := newStore(t, Options{})
	two := openStore(t, Options{Path: one.db.Engine().Path()})
	conv := newGroup(t, one)
	var all sync.WaitGroup
	for range 2 {
		for _, s := range []*Store{one, two} {
			all.Go(func() {
				for range 50 {
					if _, _, err := s.Append(t.Context(), newDraft(conv, "hi")); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	all.Wait()
	wantDense(t, one, conv, 200)
	wantDense(t, two, conv, 200)
}

func TestAnotherHandlesChangesAreSeenAtOnce(t *testing.T) {
	server := newStore(t, Options{})
	cli := openStore(t, Options{Path: server.db.Engine().Path()})
	conv := newGroup(t, server)
	appendMany(t, server, conv, "so that the conversation is known", 1, nil)
	if err := cli.UpdateApp(t.Context(), "app", func(a *skein.App) error { a.Name = "new"; return nil }); err != nil {
		t.Fatal(err)
	}
	if app, err := server.App(t.Context(), "app"); err != nil || app.Name != "new" {
		t.Fatalf("got %q, %v", app.Name, err)
	}
	if err := cli.DeleteApp(t.Context(), "app"); err != nil {
		t.Fatal(err)
	}
	appendMany(t, server, conv, "hi", 1, skein.ErrUnknownConversation)
}

func TestAPathMayLookLikeAnything(t *testing.T) {
	for _, name := range []string{"file:x?mode=memory", "a b#c%20d", ":memory:", "数据.db"} {
		path := filepath.Join(t.TempDir(), name)
		s := newStore(t, Options{Path: path})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = openStore(t, Options{Path: path})
		if _, err := s.App(t.Context(), "app"); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "skein.db")
	if _, err := Open(t.Context(), Options{Path: path}); err == nil || !strings.Contains(err.Error(), path) {
		t.Fatalf("got error %v", err)
	}
}

func TestMetricsGoWithTheStore(t *testing.T) {
	registry := prometheus.NewRegistry()
	for range 2 {
		s := newStore(t, Options{Registerer: registry})
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, family := range families {
			names = append(names, family.GetName())
		}
		want := "[skein_store_calls_waiting skein_store_commit_jobs skein_store_commit_seconds skein_store_connections_in_use skein_store_corrupt_total skein_store_failed_total skein_store_queue_jobs skein_store_refused_total skein_store_searches_ended_total skein_store_wait_seconds]"
		if fmt.Sprint(names) != want {
			t.Fatalf("got %v, want %s", names, want)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Settings are stored under these names. A change here needs a migration.
func TestStoredSettings(t *testing.T) {
	const want = `{"Open":false,"RelaxedClientIDs":false,"NoAutoRegister":false,"ManagersMentionAll":false,"MembersMayInvite":false,"AddBy":0,` +
		`"MaxDevices":0,"MaxSockets":0,"MaxMembers":0,"MaxConversations":0,"SendRate":0,"SendBurst":0,"RESTRate":0,"CommandRate":0,` +
		`"LoginRate":0,"FileTypes":null,"MaxFileBytes":0,"MaxStorageBytes":0,"QuotaMessages":0,"QuotaDeliveries":0,"QuotaConnections":0,"PrivateFiles":false,"FileLinkLife":0,"PrivateHistory":false,"OnePerDeviceType":false,"HidePresence":false,` +
		`"LastSeen":false,"EditWindow":0,"RecallWindow":0,"AllowedOrigins":null,"WordList":0,"BeforeHooks":null,"JWKS":"","TokenIssuer":"","TokenAudience":""}`
	got, err := json.Marshal(skein.Settings{})
	if err != nil || string(got) != want {
		t.Fatalf("got %s, %v\nwant %s", got, err, want)
	}
}
