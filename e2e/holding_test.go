package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
)

// Whatever an app, a client or a stranger can hold has a bound, and
// another app is served beside it.

// hold opens a connection, sends bytes and keeps it.
func (s *server) hold(t *testing.T, opening string) net.Conn {
	t.Helper()
	conn, err := net.DialTimeout("tcp", s.Addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := conn.Write([]byte(opening)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// dripping is the beginning of an upload that does not end.
func dripping(h headers) string {
	var b strings.Builder
	b.WriteString("POST /im/file/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n")
	for name, value := range h {
		b.WriteString(name + ": " + value + "\r\n")
	}
	return b.String() + "\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nsome text"
}

// wantServed wants calls, a login, a send and an upload of the app to be answered at
// once, none of them refused.
func (a *app) wantServed(t *testing.T, what string) {
	t.Helper()
	client := unique("calm")
	a.s.once(t, "POST", "/im/users", a.server(), obj{"client_id": client}).want(t, what+": user.create", 0)
	created := a.s.once(t, "POST", "/im/conversations", a.server(), obj{"client_id": client, "to_client_ids": []string{}, "conv_type": 3})
	created.want(t, what+": conv.create", 0)
	conv := created.text("conv_id")
	a.s.once(t, "POST", convPath(conv, "message"), a.server(), obj{"from_client": client, "type": -1, "text": "hi"}).want(t, what+": msg.send", 0)
	body, contentType := multipartBody(t, multipartFile{"file", "a.txt", someText(1000)})
	a.s.once(t, "POST", "/im/file/upload", a.server().with(headers{"Content-Type": contentType}), body).want(t, what+": file.upload", 0)
	c := a.login(t, client, "d")
	c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": "by socket"}).want(t, what+": msg.send by socket", 0)
	c.Drop()
}

func TestUploadsThatDripHurtNoOtherApp(t *testing.T) {
	t.Parallel()
	s := start(t)
	attacker, calm := demoApp(s), createApp(t, s)
	opening := dripping(attacker.server())
	const n = 4200
	for range n {
		s.hold(t, opening)
	}
	eventually(t, "all its uploads are under way or refused", func() bool {
		return s.metric(t, "skein_uploads")+s.metric(t, `skein_rest_refused_total{what="uploads"}`) >= n
	})
	calm.wantServed(t, "beside dripping uploads")
	attacker.s.once(t, "GET", "/im/users", attacker.server(), nil).want(t, "a call of the app that drips", 0)
	s.says(t, "level=WARN") // the operator is told
}

func TestUnfinishedMessagesAreBounded(t *testing.T) {
	t.Parallel()
	s := start(t)
	attacker, calm := demoApp(s), createApp(t, s)
	before := s.rss(t)
	const n = 400
	part := []byte(`{"type":"msg.send","data":{"text":"` + long(250<<10))
	kept, refused := 0, 0
	for i := range n {
		c := s.rawSocket(t)
		login, err := json.Marshal(obj{"type": "login", "data": attacker.loginData("Tom", fmt.Sprint("d", i%10))})
		if err != nil {
			t.Fatal(err)
		}
		if i%10 == 9 {
			attacker.must(t, "POST", "/im/users", obj{"client_id": fmt.Sprint("u", i)})
		}
		login = []byte(strings.Replace(string(login), `"Tom"`, fmt.Sprintf(`"u%d"`, i/10*10+9), 1))
		c.frame(0x81, login, true)
		c.frame(0x01, part, true)
		c.frame(0x89, nil, true)
		c.TellPongs = true
		frame, err := c.Next()
		for err == nil && !strings.HasPrefix(string(frame), "pong ") { // it says that the rest is there
			frame, err = c.Next()
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			t.Fatal("no answer")
		case err != nil:
			refused++
		default:
			kept++
		}
	}
	grown := s.rss(t) - before
	t.Logf("%d kept, %d refused, memory grew by %d MiB", kept, refused, grown>>20)
	if held := s.metric(t, "skein_unfinished_bytes"); held < 1 || held > 32<<20 {
		t.Errorf("%d unfinished messages of 250 KiB: %v bytes are held, want up to 32 MiB", n, held)
	}
	if kept == 0 || refused == 0 {
		t.Errorf("%d unfinished messages of 250 KiB: %d kept, %d refused, want some of both", n, kept, refused)
	}
	calm.wantServed(t, "beside unfinished messages")
}

func TestIdleConnectionsLockNobodyOut(t *testing.T) {
	t.Parallel()
	for name, opening := range map[string]string{
		"silent":            "",
		"kept alive":        "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"within the header": "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, withOpenFiles(256), withoutDev())
			a := createApp(t, s)
			for range 600 {
				s.hold(t, opening)
			}
			a.wantServed(t, "beside idle connections")
			s.says(t, "level=WARN") // the operator is told
		})
	}
}

func TestAnAppStoresNoMoreThanItsQuota(t *testing.T) {
	t.Parallel()
	a := strictWith(t, "--max-storage-bytes", "100000")
	upload := func(size int) *answer {
		body, contentType := multipartBody(t, multipartFile{"file", "a.txt", someText(size)})
		return a.s.once(t, "POST", "/im/file/upload", a.server().with(headers{"Content-Type": contentType}), body)
	}
	upload(60_000).want(t, "60,000 of 100,000 bytes", 0)
	got := upload(60_000)
	got.want(t, "60,000 more", 4130)
	if !strings.Contains(got.Message, "max_storage_bytes") || !strings.Contains(got.Message, "100000") {
		t.Errorf("got %s, want the quota named", got)
	}
	upload(30_000).want(t, "30,000 more", 0)
	var uploads sync.WaitGroup
	var mu sync.Mutex
	stored := 0
	for range 8 { // none of which knows of the others
		uploads.Go(func() {
			code := upload(4000).Code
			mu.Lock()
			defer mu.Unlock()
			if code == 0 {
				stored++
			}
		})
	}
	uploads.Wait()
	if stored != 2 {
		t.Errorf("8 uploads of 4,000 bytes at once into 10,000: %d were stored, want 2", stored)
	}
	strict(t).wantServed(t, "beside an app at its quota")
	a.change(t, "--max-storage-bytes", "0")
	eventually(t, "the server follows the setting", func() bool { return upload(1000).Code == 0 })
}

func TestUploadsLeaveSpaceToMessages(t *testing.T) {
	t.Parallel()
	s := start(t, withArgs("--min-free-mib", "1000000"))
	a := demoApp(s)
	body, contentType := multipartBody(t, multipartFile{"file", "a.txt", someText(1000)})
	s.once(t, "POST", "/im/file/upload", a.server().with(headers{"Content-Type": contentType}), body).want(t, "an upload", 5030)
	a.send(t, a.group(t, "Tom"), "Tom", "hi")
	if free := s.metric(t, "skein_disk_free_bytes"); free <= 0 {
		t.Errorf("skein_disk_free_bytes: got %v", free)
	}
}
