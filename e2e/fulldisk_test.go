package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A full disk refuses what would have to be kept and nothing else, loses nothing,
// and is over when there is room again.
func TestFullDiskRefusesWritesAlone(t *testing.T) {
	t.Parallel()
	dir := ramDisk(t, 24)
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newServer(filepath.Join(dir, "data"), withArgs("--drain", "0s"))
	t.Cleanup(s.end)
	s.Restart(t)
	a := demoApp(s)
	convs := []string{a.group(t, "Tom", "Tom", "Jerry"), a.group(t, "Jerry", "Tom", "Jerry")}
	heard := listen(t, a, "Jerry")
	l, u := newLedger(), newUploads()
	l.padding = long(8 << 10)

	l.during(t, a, u, convs, "refusals", func() bool { return l.refused.Load() > 10 && u.refusals() > 10 })
	grow(t, filepath.Join(dir, "rest")) // some bytes were left that a small write would find
	// The log of the store may have room that was checkpointed: what fits there is stored.
	eventually(t, "a send is refused", func() bool {
		at := l.begin(convs[0], "Tom")
		l.settle(at, a.call(t, "POST", convPath(convs[0], "message"), at.body()))
		return !at.acked
	})
	eventually(t, "a new conversation is refused", func() bool { return a.bigConversation(t).Code == 5030 })
	s.upload(t, a.server(), multipartFile{"file", "a.txt", someText(64 << 10)}).want(t, "an upload", 5030)
	s.wantReads(t, a, convs[0])
	l.check(t, a, convs)
	u.check(t)
	noLeftovers(t, s)
	heard.wantAcked(t, l)

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a send after there is room again", func() bool {
		at := l.begin(convs[0], "Tom")
		l.settle(at, a.call(t, "POST", convPath(convs[0], "message"), at.body()))
		return at.acked
	})
	l.retry(t, a)
	l.check(t, a, convs)
	content := someText(1000)
	if code := u.book(s.upload(t, a.server(), multipartFile{"file", "a.txt", content}), nil, content); code != 0 {
		t.Errorf("upload after there is room again: got %d", code)
	}
	s.Kill(t)
	s.Restart(t)
	l.check(t, a, convs)
	u.check(t)
	wantOnlyOutages(t, s)
}

// grow fills the rest of the disk.
func grow(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, unix.Getpagesize()))
	}
}

// wantRefusals expects 5030 for every call that would have to store something.
func (s *server) wantRefusals(t *testing.T, a *app, conv string) {
	t.Helper()
	a.call(t, "POST", convPath(conv, "message"), obj{"from_client": "Tom", "type": -1, "text": long(8 << 10)}).want(t, "a send", 5030)
	a.bigConversation(t).want(t, "a new conversation", 5030)
	s.upload(t, a.server(), multipartFile{"file", "a.txt", someText(64 << 10)}).want(t, "an upload", 5030)
}

// bigConversation makes a conversation of 8 KiB.
func (a *app) bigConversation(t *testing.T) *answer {
	t.Helper()
	return a.call(t, "POST", "/im/conversations", obj{"client_id": "Tom", "to_client_ids": []string{"1"}, "conv_type": 3, "conv_extend": obj{"a": long(8 << 10)}})
}

// wantReads wants all that needs no write.
func (s *server) wantReads(t *testing.T, a *app, conv string) {
	t.Helper()
	if status, body := s.probe("/readyz"); status != 200 {
		t.Errorf("/readyz: got %d %s, want 200: reads, logins and pushes go on", status, body)
	}
	a.must(t, "GET", convPath(conv), nil)
	c, d := a.login(t, "Tom", unique("d")), a.login(t, "Jerry", unique("d"))
	c.ask(t, "msg.list", obj{"conv_id": conv, "after_seq": 0, "limit": 10}).want(t, "msg.list", 0)
	c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": "passing", "transient": 1}).want(t, "a transient message", 0)
	d.expectText(t, "passing")
}

// noLeftovers wants no file in the folder of uploads that was never answered for.
func noLeftovers(t *testing.T, s *server) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.Data, "uploads"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("left over in uploads: %s", e.Name())
		}
	}
}

// wantOnlyOutages wants no complaint in the log but that the store cannot commit,
// and that not for every send.
func wantOnlyOutages(t *testing.T, s *server) {
	t.Helper()
	s.says(t, "store cannot commit")
	outages := 0
	for line := range strings.Lines(s.log.all()) {
		if !disasters.MatchString(line) {
			continue
		}
		if outages++; !strings.Contains(line, "store cannot commit") || outages > 10 {
			t.Errorf("the server's log holds %s", line)
		}
	}
}
