package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// unwatched is a server whose log may complain.
func unwatched(t *testing.T) *server {
	t.Helper()
	s := newServer(t.TempDir())
	t.Cleanup(s.end)
	s.Restart(t)
	return s
}

// killedStore is a data directory whose server was killed after n sends that it has
// answered, in a group of Tom.
func killedStore(t *testing.T, n int) (s *server, conv, cursor string) {
	t.Helper()
	s = unwatched(t)
	a := demoApp(s)
	conv = a.group(t, "Tom")
	for i := range n {
		a.send(t, conv, "Tom", fmt.Sprint("message ", i, strings.Repeat(" and more", i)))
	}
	cursor = a.sync(t, "Tom", "").NextCursor
	s.Kill(t)
	return s, conv, cursor
}

// flip changes one byte of a file.
func flip(t *testing.T, file string, at int) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	raw[at] ^= 0x20
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestALogThatIsGoneOrCutIsNotPassedOver(t *testing.T) {
	t.Parallel()
	s, conv, _ := killedStore(t, 10)
	log := filepath.Join(s.Data, "skein.db-wal")
	whole, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{-1, 0, 31, 32, 4000, len(whole) / 2, len(whole) - 4120, len(whole) - 1} {
		if size < 0 {
			err = os.Remove(log)
		} else {
			err = os.WriteFile(log, whole[:size], 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := refusal(t, s.Data); !strings.Contains(got, "--accept-loss") {
			t.Errorf("a log of %d of %d bytes: got %q", size, len(whole), got)
		}
	}
	// Behind its end anything may stand: a commit that was never answered.
	if err := os.WriteFile(log, append(whole, whole[len(whole)-5000:]...), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Restart(t)
	if got := len(demoApp(s).history(t, conv)); got != 10 {
		t.Errorf("got %d messages, want 10", got)
	}
}

// A corrupt page of the store is logged once, and /readyz fails from then on. Calls that do not
// read the page are answered.
func TestACorruptPageIsTold(t *testing.T) {
	t.Parallel()
	s := unwatched(t)
	a := demoApp(s)
	conv := a.group(t, "Tom")
	for range 60 {
		a.send(t, conv, "Tom", strings.Repeat("many pages ", 1000))
	}
	s.Stop(t) // all is in the file
	file := filepath.Join(s.Data, "skein.db")
	db, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	broken := 0
	for at := 4096; at < len(db); at += 4096 { // leaves of tables whose rows are long
		if db[at] == 13 && binary.BigEndian.Uint16(db[at+3:]) <= 3 && bytes.Contains(db[at:at+4096], []byte("many pages")) {
			db[at] = 0xee
			broken++
		}
	}
	if broken == 0 {
		t.Fatal("no page with messages was found")
	}
	if err := os.WriteFile(file, db, 0o600); err != nil {
		t.Fatal(err)
	}
	s.args = append(s.args, "--cache-mib", "0")
	s.probeBy = func(string) int { // the feed may meet the page before the first call does
		status, _ := s.probe("/healthz")
		return status
	}
	s.Restart(t)
	a.call(t, "GET", convPath(conv, "message?after_seq=0"), nil).want(t, "a read of a corrupt page", 5030)
	if status, body := s.probe("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(string(body), "damaged") {
		t.Errorf("/readyz: got %d %q, want 503 and why", status, body)
	}
	if status, _ := s.probe("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: got %d", status)
	}
	a.must(t, "GET", "/im/users", nil)
	a.must(t, "GET", convPath(conv), nil)
	for range 5 {
		a.call(t, "GET", convPath(conv, "message?after_seq=0"), nil).want(t, "a read of a corrupt page", 5030)
	}
	s.says(t, "store is damaged")
	if got := strings.Count(s.log.tail(0), "store is damaged"); got != 1 {
		t.Errorf("the log says it %d times, want once", got)
	}
	if got := s.metric(t, "skein_store_corrupt_total"); got < 6 {
		t.Errorf("skein_store_corrupt_total: got %v, want at least 6", got)
	}
	for range 2 { // beside the server and without it
		if _, errs, exit := skein(t, "backup", "--data", s.Data, "--out", filepath.Join(t.TempDir(), "saved")); exit != 1 || !strings.Contains(errs, "damaged") {
			t.Errorf("backup: exit %d, %q, want it refused as damaged", exit, errs)
		}
		s.end()
	}
}
