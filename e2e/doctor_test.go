package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/store/postgres/pgtest"
)

// examined runs skein doctor and returns what is not fine, by check.
func examined(t *testing.T, args ...string) (found map[string]string, exit int) {
	t.Helper()
	out, errs, exit := skein(t, append([]string{"doctor", "--json"}, args...)...)
	var all []struct{ Check, Level, Saw, Do string }
	if err := json.Unmarshal([]byte(out), &all); err != nil || len(all) == 0 {
		t.Fatalf("skein doctor: exit %d, %v\n%s%s", exit, err, out, errs)
	}
	found = map[string]string{}
	for _, f := range all {
		if f.Level != "ok" {
			found[f.Check] = f.Level
		}
		if f.Saw == "" || (f.Level == "ok") != (f.Do == "") {
			t.Errorf("%+v: want what was seen, and what to do where something is", f)
		}
	}
	return found, exit
}

// wantFound wants these findings; those of the machine that runs the tests do not count.
func wantFound(t *testing.T, found map[string]string, exit int, want map[string]string) {
	t.Helper()
	for _, of := range []string{"open files", "memory", "memory limit", "CPU limit", "database disk", "store disk", "uploads disk", "round trip", "clock"} {
		if found[of] == "fail" {
			t.Logf("this machine fails the check %q", of)
			exit = min(exit, len(want))
		}
		delete(found, of)
	}
	wantExit := 0
	for _, level := range want {
		if level == "fail" {
			wantExit = 1
		}
	}
	if !maps.Equal(found, want) || exit != wantExit {
		t.Errorf("findings: got %v, exit %d; want %v, exit %d", found, exit, want, wantExit)
	}
}

// A PostgreSQL that is set wrong in many ways: the doctor names each.
func TestTheDoctorFindsWhatIsWrongWithAPostgres(t *testing.T) {
	t.Parallel()
	p := pgtest.Own(t, map[string]string{
		"fsync": "off", "full_page_writes": "off", "autovacuum": "off", "max_prepared_transactions": "4", "max_connections": "12", "superuser_reserved_connections": "3",
		"wal_level": "replica", "max_wal_senders": "1",
	})
	for _, sql := range []string{
		`CREATE DATABASE wiki`, `CREATE DATABASE chat`, `SELECT pg_create_physical_replication_slot('forgotten')`,
		`CREATE TABLE t (n int); BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'forgotten'`,
		`ALTER SYSTEM SET synchronous_standby_names = 'nobody'`, `SELECT pg_reload_conf()`,
	} {
		if err := p.Run(t.Context(), "psql", "-h", p.Dir(), "-U", "skein", "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-c", sql); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"--data", t.TempDir(), "--database", strings.Replace(p.URL(), "/postgres?", "/chat?", 1)}
	var found map[string]string
	exit := 0
	eventually(t, "the settings are in force", func() bool {
		found, exit = examined(t, args...)
		return found["standby"] != ""
	})
	wantFound(t, found, exit, map[string]string{
		"fsync": "fail", "full_page_writes": "fail", "data_checksums": "warn", "autovacuum": "fail", "max_prepared_transactions": "warn", "prepared transactions": "fail",
		"max_connections": "fail", "standby": "fail", "other databases": "warn", "replication slots": "warn", "idle_in_transaction_session_timeout": "warn", "settings: bus": "warn",
	})

	found, exit = examined(t, "--data", t.TempDir(), "--database", "postgres://skein@127.0.0.1:1/none")
	wantFound(t, found, exit, map[string]string{"database": "fail", "settings: bus": "warn"})
}

// What is wrong with an embedded store, the folder of the uploads, the bus and the settings is found, also beside a
// running server.
func TestTheDoctorFindsWhatIsWrongWithAnInstallation(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := demoApp(s)
	a.send(t, a.group(t, "Tom"), "Tom", "hello")
	found, exit := examined(t, "--data", s.Data)
	wantFound(t, found, exit, map[string]string{})
	s.Stop(t)
	found, exit = examined(t, "--data", s.Data)
	wantFound(t, found, exit, map[string]string{})

	path := filepath.Join(s.Data, "skein.db")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	flip(t, path, 4096) // the kind of the second page
	found, exit = examined(t, "--data", s.Data)
	wantFound(t, found, exit, map[string]string{"store": "fail", "store permissions": "fail"})

	empty := t.TempDir()
	found, exit = examined(t, "--data", empty, "--bus", "nats://127.0.0.1:1", "--timezone", "Nowhere")
	wantFound(t, found, exit, map[string]string{"settings": "fail", "bus nats://127.0.0.1:1": "fail"})
	if files, err := os.ReadDir(empty); err != nil || len(files) > 0 {
		t.Errorf("the doctor left %v in an empty --data: %v", files, err)
	}
}

// The commands for the embedded store say what to do on PostgreSQL.
func TestBackupAndRestoreSayWhatToDoOnPostgres(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"backup", "--out", "x"}, {"restore", "--from", "x"}} {
		_, errs, exit := skein(t, append(args, "--database", "postgres://skein@db/skein", "--data", t.TempDir())...)
		if exit != 1 || !strings.Contains(errs, "pg_basebackup") || !strings.Contains(errs, "docs/operations.md") {
			t.Errorf("skein %v: exit %d, %q, want PostgreSQL's own tools named", args, exit, errs)
		}
	}
}
