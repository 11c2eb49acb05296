package e2e

import (
	"strings"
	"testing"
)

// Two servers on one embedded store would not get each other's events. So the second one does not
// start and the first one continues. Commands work beside it.
func TestSecondServerOnOneStoreIsRefused(t *testing.T) {
	t.Parallel()
	first := start(t)
	second := newServer(first.Data)
	if err := second.launch(); err == nil {
		second.end()
		t.Fatal("a second server started on the same --data")
	}
	defer second.end()
	if said := second.log.tail(0); !strings.Contains(said, "another server runs on") {
		t.Errorf("the second server said %q; want why it cannot start", said)
	}
	a := demoApp(first)
	one := a.user(t, "one")
	a.send(t, a.group(t, one), one, "the first goes on")
}
