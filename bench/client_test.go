package bench

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/testclient"
)

// client is a logged-in socket.
type client struct {
	*testclient.Conn

	tb testing.TB
}

// patience is how long an answer may take while nothing is measured.
const patience = time.Minute

func (s *server) login(id string) *client {
	s.tb.Helper()
	conn, err := testclient.Dial(context.Background(), testclient.URL(s.addr), testclient.Options{})
	if err != nil {
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(conn.Close)
	command := []byte(`{"type":"login","data":{"app_id":"` + devApp + `","client_id":"` + id + `","device_id":"d"}}`)
	if _, err := conn.Ask("login", command, patience); err != nil {
		s.tb.Fatal(err)
	}
	return &client{conn, s.tb}
}

// What serve --dev seeds.
const devApp, devKey = "666666", "master"

// backend keeps as many connections as there are calls at once.
var backend = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: callsAtOnce}}

const callsAtOnce = 16

// call makes a REST call as the demo app's backend and decodes the data of its answer.
func (s *server) call(method, path string, body, into any) {
	s.tb.Helper()
	app := testclient.App{Addr: s.addr, ID: devApp, Key: devKey, HTTP: backend}
	if err := app.Call(context.Background(), method, path, body, into); err != nil {
		s.tb.Fatal(err)
	}
}

// conversation makes one of the clients and is its id.
func (s *server) conversation(convType int, clients ...string) string {
	s.tb.Helper()
	var made struct {
		ConvID string `json:"conv_id"`
	}
	s.call("POST", "/im/conversations", map[string]any{"client_id": clients[0], "to_client_ids": clients[1:], "conv_type": convType}, &made)
	return made.ConvID
}

// users registers n clients, prefix0 …, some at a time, which share a commit.
func (s *server) users(prefix string, n int) []string {
	s.tb.Helper()
	ids := make([]string, n)
	var all sync.WaitGroup
	for from := range callsAtOnce {
		all.Go(func() {
			for i := from; i < n; i += callsAtOnce {
				ids[i] = fmt.Sprintf("%s%d", prefix, i)
				s.call("POST", "/im/users", map[string]string{"client_id": ids[i]}, nil)
			}
		})
	}
	all.Wait()
	if s.tb.Failed() {
		s.tb.FailNow()
	}
	return ids
}

// sendWindow sends total commands with at most window unanswered.
func (c *client) sendWindow(command []byte, total, window int) {
	for sent, got := 0, 0; got < total; {
		for sent < total && sent-got < window {
			c.Queue(command)
			sent++
		}
		frame, err := c.flushAndNext()
		if err != nil {
			c.tb.Errorf("%d answers of %d: %v", got, total, err)
			return
		}
		if bytes.HasPrefix(frame, answered) {
			got++
		} else if bytes.HasPrefix(frame, failed) {
			c.tb.Errorf("answer %d: %s", got, frame)
			return
		}
	}
}

func (c *client) flushAndNext() ([]byte, error) {
	if err := c.Flush(); err != nil {
		return nil, err
	}
	return c.Next()
}

// text is a message of 100 bytes, as a socket command.
func text(conv string) []byte {
	return []byte(`{"type":"msg.send","id":"1","data":{"conv_id":"` + conv + `","type":-1,"text":"` + strings.Repeat("x", 100) + `"}}`)
}

// What frames begin with.
var (
	answered = []byte(`{"type":"msg.send.success"`)
	failed   = []byte(`{"type":"msg.send.error"`)
)
