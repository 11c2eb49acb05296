package sqlite_test

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite"
	"github.com/skein-im/skein/internal/store/sqlite/sqlitetest"
	"github.com/skein-im/skein/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Besides the contract this checks that no statement of the suite scans a table, that none is
// prepared again and again, and that the memory of moves is complete.
func TestSQLite(t *testing.T) {
	ran := statements{all: make(map[string]int)}
	storetest.Run(t, func(t *testing.T, opt storetest.Options) (a, b store.Store) {
		s := open(t, opt)
		t.Cleanup(func() {
			ran.keep(s.Statements())
			if convs := s.ForgottenMoves(); len(convs) > 0 {
				t.Errorf("conversations %v moved unnoticed", convs)
			}
		})
		return s, s
	})
	if !t.Failed() {
		ran.wantNoScan(t)
		ran.wantPreparedOnce(t)
	}
}

func open(t *testing.T, opt storetest.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{
		Path:      sqlitetest.File(t),
		Readers:   1, // each costs three milliseconds to open, and the contract opens hundreds of stores
		Committed: opt.Committed,
		Now:       opt.Now,

		SearchTime: time.Hour, // on a busy machine a search takes long
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// statements are the statements that stores ran.
type statements struct {
	mu  sync.Mutex
	all map[string]int // text → how often it was prepared again; guarded by mu
}

func (s *statements) keep(more map[string]int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for text, anew := range more {
		s.all[text] += anew
	}
}

func (s *statements) wantPreparedOnce(t *testing.T) {
	t.Helper()
	for text, anew := range s.all {
		if anew > 0 {
			t.Errorf("prepared anew %d times:\n%s", anew, text)
		}
	}
}

// harmless scans read tables that stay small, rows that another step found, an index that has
// only the wanted rows, or nothing.
var harmless = regexp.MustCompile(`^SCAN (\(subquery|(apps|a|history|operators|pauses|erasures|cuts|backfill|j|CONSTANT ROW)\b)|USING (COVERING )?INDEX conversations_deleted$`)

// Statements that are built for one call are not kept: TestPlans checks those.
var planned = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b`)

func (s *statements) wantNoScan(t *testing.T) {
	t.Helper()
	db, seen := open(t, storetest.Options{}), 0
	for text := range s.all {
		if !planned.MatchString(text) {
			continue
		}
		plan, err := db.Plan(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		seen++
		for _, step := range plan {
			if strings.HasPrefix(step, "SCAN ") && !harmless.MatchString(step) {
				t.Errorf("%q is in the plan of\n%s\nwhich is\n%s", step, text, strings.Join(plan, "\n"))
			}
		}
	}
	if seen == 0 {
		t.Error("no statement was looked at")
	}
}
