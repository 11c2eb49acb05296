package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/store"
)

// A device that resumes a login from before a restart does not displace later logins, even if
// the clock was set back meanwhile.
func TestGenerationsGrowOverRestarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "skein.db")
	var before int64
	for start, now := range []time.Time{time.Unix(2e9, 0), time.Unix(2e9, 0), time.Unix(1e9, 0), time.Unix(3e9, 0)} {
		s, err := Open(t.Context(), Options{Path: path, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.RenewNode(t.Context(), "n", time.Second); err != nil {
			t.Fatal(err)
		}
		for login := range 3 {
			got, err := s.EnterSession(t.Context(), store.Login{Session: store.Session{App: "a", Client: "c", Node: "n", ID: string(rune('a' + login))}})
			if err != nil || got.Generation <= before {
				t.Errorf("start %d, login %d: got generation %d, %v, want more than %d", start, login, got.Generation, err, before)
			}
			before = got.Generation
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
