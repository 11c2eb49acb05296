package e2e

import (
	"testing"

	"github.com/skein-im/skein/internal/store/postgres/pgtest"
)

// databases is the PostgreSQL of the tests that use one.
var databases pgtest.Server

// startOnPostgres is start on a fresh PostgreSQL database, whose URL it returns. The server
// gets the URL as operators should pass it: by the environment.
func startOnPostgres(t *testing.T, opts ...option) (s *server, url string) {
	t.Helper()
	url = databases.Database(t)
	return start(t, append(opts, func(s *server) { s.env = append(s.env, "SKEIN_DATABASE="+url) })...), url
}

// The built binary on PostgreSQL serves what the quickstart says.
func TestTheQuickstartRunsOnPostgres(t *testing.T) {
	t.Parallel()
	s, url := startOnPostgres(t)
	runPage(t, "docs/quickstart.md", s, []string{"SKEIN_DATABASE=" + url})
}

// After kill -9 of a server on PostgreSQL no acked message is lost, seq is dense and a retry
// is no second message.
func TestKillLosesNoAckOnPostgres(t *testing.T) {
	t.Parallel()
	s, _ := startOnPostgres(t)
	killLosesNoAck(t, s, 2)
}
