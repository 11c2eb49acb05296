package e2e

import "testing"

func TestAServerDoesItsChoresUnderALease(t *testing.T) {
	t.Parallel()
	s := start(t)
	eventually(t, "the chores' lease", func() bool { return s.metric(t, `skein_lease_held{lease="chores"}`) == 1 })
}
