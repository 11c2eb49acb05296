package tx

import (
	"testing"

	"github.com/skein-im/skein/internal/store/sqlite/schema/plans"
)

func TestPlans(t *testing.T) {
	plans.Hold(t, map[string]plans.Plan{
		"whether it may be a retry": {SQL: retryClaim[1], Want: []string{"SEARCH retries_0 USING INTEGER PRIMARY KEY (rowid=?)"}},
	})
}
