package bench

import (
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/bench/ledger"
)

func TestAPageIsHeldAgainstWhatItShouldHold(t *testing.T) {
	page := func(seqs ...string) []byte {
		return []byte(`{"code":0,"data":{"data":[{"seq":` + strings.Join(seqs, `,"change_seq":0},{"seq":`) + `}]}}`)
	}
	for name, tt := range map[string]struct {
		answer []byte
		newest int
		fault  string
	}{
		"whole":    {page("3", "2", "1"), 3, ""},
		"gap":      {page("3", "1"), 3, "seq 1 is where 2 is due"},
		"short":    {page("3", "2"), 3, "seq 1 is not there"},
		"too many": {page("3", "2", "1", "0"), 3, "more than"},
		"another":  {page("4", "3", "2", "1"), 3, "seq 4 is where 3 is due"},
	} {
		var faults ledger.Faults
		checkPage(&faults, tt.answer, 1, tt.newest)
		if got := strings.Join(faults.List(), "; "); (tt.fault == "") != (got == "") || !strings.Contains(got, tt.fault) {
			t.Errorf("%s: got %q, want %q", name, got, tt.fault)
		}
	}
}
