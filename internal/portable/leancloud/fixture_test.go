package leancloud

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/portable/leancloud/folder"
	"github.com/skein-im/skein/internal/portable/leancloud/standin"
)

// quickClock does not wait: Sleep moves its time on.
type quickClock struct {
	mu     sync.Mutex
	passed time.Duration
}

func (c *quickClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.passed)
}

func (c *quickClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed += d
	return ctx.Err()
}

// serve runs a stand-in until the test ends.
func serve(t *testing.T, o standin.Options) (*standin.Server, Options) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	o.Files = "http://" + server.Listener.Addr().String()
	s := standin.New(o)
	server.Config.Handler = s
	server.Start()
	t.Cleanup(server.Close)
	return s, Options{
		AppID: standin.AppID, MasterKey: standin.MasterKey, Server: server.URL, Out: filepath.Join(t.TempDir(), "dump"),
		PerConversation: true, System: true, Rate: 1e6, Timeout: 20 * time.Second, Clock: &quickClock{}, Page: o.PageMost,
	}
}

func mustDump(t *testing.T, o Options) folder.Manifest {
	t.Helper()
	m, err := Dump(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sameAsTruth compares a folder with what the stand-in has, message for message.
func sameAsTruth(t *testing.T, o Options, s *standin.Server, m folder.Manifest) {
	t.Helper()
	if !m.Complete {
		t.Errorf("manifest: not complete: %+v", m.Holes)
	}
	var rows []string
	total := int64(0)
	for _, c := range s.Conversations() {
		rows = append(rows, c.Raw)
		name := folder.MessagesFile(c.ID)
		if c.Kind == "system" {
			name = folder.SystemFile(c.ID)
		}
		truth := s.Truth(c.ID)
		total += int64(len(truth))
		got := readLines(t, filepath.Join(o.Out, name))
		for i := range max(len(got), len(truth)) {
			g, w := "nothing", "nothing"
			if i < len(got) {
				g = got[i]
			}
			if i < len(truth) {
				w = truth[i].Raw
			}
			if g != w {
				t.Fatalf("%s %s, message %d of %d: got %s, want %s", c.Kind, c.ID, i, len(truth), g, w)
			}
		}
	}
	if got := readLines(t, filepath.Join(o.Out, folder.ConversationsFile)); strings.Join(got, "\n") != strings.Join(rows, "\n") {
		t.Errorf("conversations: got %d rows, want %d, byte for byte", len(got), len(rows))
	}
	if m.Messages.Count != total || m.Messages.Duplicates != 0 {
		t.Errorf("manifest: got %d messages and %d duplicates, want %d and none", m.Messages.Count, m.Messages.Duplicates, total)
	}
}

func readLines(t *testing.T, file string) []string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
}
