package e2e

import (
	"net/http"
	"syscall"
	"testing"

	"github.com/skein-im/skein/internal/store/postgres/pgtest"
)

// A node that lost its database refuses calls, keeps its sockets for --patience, and then
// sends them to other nodes. It goes on by itself when the database is back.
func TestANodeThatLostItsDatabaseKeepsItsSocketsForAWhile(t *testing.T) {
	t.Parallel()
	for name, killed := range map[string]bool{"killed": true, "stopped": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.Own(t)
			patient := start(t, onDatabase(db.URL(), "1h"))
			hasty := start(t, onDatabase(db.URL(), "1s"))
			a := demoApp(patient)
			conv := a.group(t, "Tom", "Jerry")
			stays, goes := a.login(t, "Tom", "phone"), demoApp(hasty).login(t, "Jerry", "phone")

			lose, back := func() error { return db.Signal(syscall.SIGSTOP) }, func() error { return db.Signal(syscall.SIGCONT) }
			if killed {
				lose, back = db.Kill, func() error { return db.Restart(t.Context()) }
			}
			if err := lose(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "/readyz says 503", func() bool { return !patient.ready() })
			msg := obj{"conv_id": conv, "type": -1, "text": "hello", "client_msg_id": "once"}
			sent := func(c *socket) int {
				answer, err := c.try("msg.send", msg)
				if err != nil {
					t.Fatal(err)
				}
				return answer.Code
			}
			eventually(t, "a send by the socket is answered 5030", func() bool { return sent(stays) == 5030 })
			rest := a.call(t, "POST", convPath(conv, "message"), obj{"from_client": "Tom", "type": -1, "text": "x"})
			rest.want(t, "a send by REST", 5030)
			if rest.Status != http.StatusServiceUnavailable {
				t.Errorf("HTTP status of a send by REST: got %d, want 503", rest.Status)
			}
			goes.closed(t, 1012)
			stays.open(t)

			if err := back(); err != nil {
				t.Fatal(err)
			}
			eventually(t, "a send by the same socket is stored", func() bool { return sent(stays) == 0 })
			eventually(t, "/readyz says 200", hasty.ready)
			demoApp(hasty).login(t, "Jerry", "phone")
			if all := a.history(t, conv); len(all) != 1 {
				t.Errorf("messages: got %d, want the one", len(all))
			}
		})
	}
}

// onDatabase starts a server on a database with a patience.
func onDatabase(url, patience string) option {
	return func(s *server) {
		s.env = append(s.env, "SKEIN_DATABASE="+url)
		s.args = append(s.args, "--patience", patience)
	}
}
