package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
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

// A byte of the log that is different, wherever it is, costs what was answered after
// it. The server says so and starts only when it is told to.
func TestAFlippedByteInTheLogIsNotPassedOver(t *testing.T) {
	t.Parallel()
	const header, frame = 32, 24 + 4096
	s, conv, cursor := killedStore(t, 20)
	log := filepath.Join(s.Data, "skein.db-wal")
	whole, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	last := len(whole) - frame
	for name, at := range map[string]int{
		"the header's magic":                 1,
		"the header's salt":                  17,
		"the first frame's page number":      header + 3,
		"the first frame's page":             header + 24 + 100,
		"a frame in the middle":              header + (len(whole)/frame/2)*frame + 24 + 77,
		"the last commit's size":             last + 7,
		"the last commit's salt":             last + 9,
		"the last commit's sum":              last + 20,
		"the last commit's page":             last + 24 + 4000,
		"any byte of the second half, one":   len(whole)/2 + rand.IntN(len(whole)/2),
		"any byte of the second half, other": len(whole)/2 + rand.IntN(len(whole)/2),
	} {
		flip(t, log, at)
		got := refusal(t, s.Data)
		if !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "is damaged at byte") || !strings.Contains(got, "--accept-loss") {
			t.Errorf("%s (byte %d): got %q", name, at, got)
		}
		if _, errs, exit := skein(t, "app", "list", "--data", s.Data); exit != 1 || !strings.Contains(errs, "--accept-loss") {
			t.Errorf("%s: app list: exit %d, %q", name, exit, errs)
		}
		if _, errs, exit := skein(t, "backup", "--data", s.Data, "--out", filepath.Join(t.TempDir(), "saved")); exit != 1 || !strings.Contains(errs, "is damaged at byte") {
			t.Errorf("%s: backup: exit %d, %q", name, exit, errs)
		}
		flip(t, log, at)
		if again, err := os.ReadFile(log); err != nil || !bytes.Equal(again, whole) {
			t.Fatalf("%s: the log is different; %v", name, err)
		}
	}
	flip(t, log, last+24+9)
	s.args = append(s.args, "--accept-loss")
	s.Restart(t)
	a := demoApp(s)
	left := len(a.history(t, conv))
	if left >= 20 || left < 18 {
		t.Errorf("%d of 20 messages are left, want all but the last", left)
	}
	if seq := a.send(t, conv, "Tom", "on it goes").number("seq"); seq != int64(left)+1 {
		t.Errorf("the next seq: got %d, want %d", seq, left+1)
	}
	if !a.sync(t, "Tom", cursor).ResetRequired {
		t.Error("a client that knows what is lost is not told to begin anew")
	}
	kept, err := filepath.Glob(log + ".lost-*")
	if err != nil || len(kept) != 1 {
		t.Errorf("the log that was kept: %v, %v", kept, err)
	}
	s.Kill(t)
	s.args = s.args[:len(s.args)-1]
	s.Restart(t) // nothing is lost any more
	if got := len(demoApp(s).history(t, conv)); got != left+1 {
		t.Errorf("after another kill: got %d messages, want %d", got, left+1)
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

// A corrupt page of the store is told once and takes the server out of rotation; calls
// that do not meet it are answered.
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
