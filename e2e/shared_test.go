package e2e

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// sharedServer is one server for all tests that leave the others' state alone.
// Tests that use it name their clients with unique.
type sharedServer struct {
	once   sync.Once
	opts   []option
	server *server
	err    error
}

var (
	devServer    sharedServer
	strictServer = sharedServer{opts: []option{withoutDev(), withArgs("--outbound-allow", "127.0.0.0/8")}}
)

func (s *sharedServer) get(t *testing.T) *server {
	t.Helper()
	s.once.Do(func() {
		data, err := os.MkdirTemp(tempDir, "data-")
		if err != nil {
			s.err = err
			return
		}
		s.server = newServer(data, s.opts...)
		s.err = s.server.launch()
	})
	if s.err != nil {
		t.Fatalf("shared server: %v\n%s", s.err, s.server.log.tail(0))
	}
	from := s.server.log.len()
	t.Cleanup(func() { s.server.inspect(t, from) })
	return s.server
}

func (s *sharedServer) end() error {
	if s.server == nil {
		return nil
	}
	s.server.end()
	if m := s.server.log.disaster(0); m != "" {
		return fmt.Errorf("the shared server's log holds %q:\n%s", m, s.server.log.tail(0))
	}
	return nil
}

// dev is the demo app on the shared dev server: open, without rate limits.
func dev(t *testing.T) *app {
	t.Helper()
	return demoApp(devServer.get(t))
}

func demoApp(s *server) *app { return &app{s: s, ID: "666666", Key: "master"} }

// strict is a new app with token authentication on the shared strict server.
func strict(t *testing.T) *app {
	t.Helper()
	return createApp(t, strictServer.get(t))
}
