package e2e

import "testing"

func TestAServerDoesItsChoresUnderALeaseAndRingsWhatMoved(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := demoApp(s)
	eventually(t, "the chores' lease", func() bool { return s.metric(t, `skein_lease_held{lease="chores"}`) == 1 })
	conv := a.group(t, "Tom", "Jerry")
	before := s.metric(t, `skein_feed_entries_total{consumer="doorbell"}`)
	a.send(t, conv, "Tom", "hello")
	eventually(t, "the doorbell", func() bool { return s.metric(t, `skein_feed_entries_total{consumer="doorbell"}`) > before })
	if failed := s.metric(t, `skein_feed_errors_total{consumer="doorbell"}`); failed > 0 {
		t.Errorf("the doorbell failed %v times", failed)
	}
}
