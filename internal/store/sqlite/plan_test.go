package sqlite

import (
	"testing"

	"github.com/skein-im/skein/internal/store/sqlite/schema/plans"
)

func TestPlans(t *testing.T) {
	plans.Hold(t, map[string]plans.Plan{
		"audience": {SQL: audience, Want: []string{"SEARCH m USING COVERING INDEX members_by_joining (conv_key=?)"}},
	})
}
