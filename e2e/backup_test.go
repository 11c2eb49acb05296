package e2e

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// place is a client's sync cursor and what came with it.
type place struct {
	Conversations []struct {
		ConvID  string `json:"conv_id"`
		LastSeq int64  `json:"last_seq"`
	} `json:"conversations"`
	NextCursor    string `json:"next_cursor"`
	Done          bool   `json:"done"`
	ResetRequired bool   `json:"reset_required"`
}

// sync is one page of what has changed for a client.
func (a *app) sync(t *testing.T, client, cursor string) (p place) {
	t.Helper()
	a.must(t, "GET", userPath(client, "sync")+"?cursor="+url.QueryEscape(cursor), nil).into(t, &p)
	return p
}

// wantReset wants the cursor to be of another history, and a sync from the new
// beginning to be right.
func (a *app) wantReset(t *testing.T, client, cursor, conv string, lastSeq int64) {
	t.Helper()
	p := a.sync(t, client, cursor)
	if !p.ResetRequired || len(p.Conversations) != 0 || p.NextCursor == "" {
		t.Fatalf("sync by a cursor of another history: got %+v, want reset_required and where to begin", p)
	}
	p = a.sync(t, client, p.NextCursor)
	if p.ResetRequired || !p.Done || len(p.Conversations) != 1 || p.Conversations[0].ConvID != conv || p.Conversations[0].LastSeq != lastSeq {
		t.Fatalf("sync from the new beginning: got %+v, want conversation %s with last_seq %d", p, conv, lastSeq)
	}
	if p = a.sync(t, client, p.NextCursor); p.ResetRequired || len(p.Conversations) != 0 {
		t.Errorf("sync once more: got %+v, want nothing", p)
	}
}

// stranded runs `skein restore` and wants it refused for a reason.
func stranded(t *testing.T, reason string, args ...string) {
	t.Helper()
	if out, errs, exit := skein(t, append([]string{"restore"}, args...)...); exit != 1 || !strings.Contains(errs, reason) {
		t.Errorf("skein restore %v: exit %d\n%s%s\nwant it refused: %q", args, exit, out, errs, reason)
	}
}

func mustSkein(t *testing.T, args ...string) {
	t.Helper()
	if out, errs, exit := skein(t, args...); exit != 0 {
		t.Fatalf("skein %v: exit %d\n%s%s", args, exit, out, errs)
	}
}

func TestABackupBringsItAllBack(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := newApp(t, s, "shop")
	ann, bob, late := a.user(t, "ann"), a.user(t, "bob"), a.user(t, "late")
	conv := a.group(t, ann, ann, bob)
	picture := realPNG(t)
	var link string
	s.upload(t, a.server(), multipartFile{"file", "a.png", picture}).want(t, "upload", 0).into(t, &link)
	a.must(t, "POST", convPath(conv, "message"), obj{"from_client": ann, "type": -2, "url": link})

	// Made under load, it has all that was acked when it began.
	l := newLedger()
	stop := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() { l.byREST(a, bob, []string{conv}, stop) })
	eventually(t, "50 acks", func() bool { return l.acks.Load() >= 50 })
	least := l.acks.Load()
	saved := filepath.Join(t.TempDir(), "saved")
	mustSkein(t, "backup", "--data", s.Data, "--out", saved)
	close(stop)
	sending.Wait()
	a.must(t, "POST", convPath(conv, "members"), obj{"client_ids": []string{late}})
	before := a.history(t, conv)
	cursor := a.sync(t, ann, "").NextCursor

	fresh := filepath.Join(t.TempDir(), "fresh")
	stranded(t, "another server runs", "--data", s.Data, "--from", saved, "--force")
	stranded(t, "there is no store", "--data", fresh, "--from", filepath.Join(saved, "uploads"))
	s.Kill(t)
	stranded(t, "not empty", "--data", s.Data, "--from", saved)
	mustSkein(t, "restore", "--data", s.Data, "--from", saved, "--force")
	mustSkein(t, "restore", "--data", fresh, "--from", saved)
	s.Restart(t)

	after := a.history(t, conv)
	if len(after) <= int(least) || len(after) >= len(before) {
		t.Fatalf("history: got %d messages, want more than the %d acked before the backup and fewer than the %d in the end", len(after), least, len(before))
	}
	for i, m := range after {
		if m.MsgID != before[i].MsgID {
			t.Fatalf("seq %d: got message %s, want %s", m.Seq, m.MsgID, before[i].MsgID)
		}
	}
	if c := a.must(t, "GET", convPath(conv), nil); c.number("client_num") != 2 {
		t.Errorf("client_num: got %s, want the 2 of before", c)
	}
	if res, body := fetch(t, link, nil); res.StatusCode != 200 || !bytes.Equal(body, picture) {
		t.Errorf("GET %s: got %s, %d bytes", link, res.Status, len(body))
	}
	if seq := a.send(t, conv, ann, "on it goes").number("seq"); seq != int64(len(after))+1 {
		t.Errorf("the next seq: got %d, want %d", seq, len(after)+1)
	}
	a.wantReset(t, ann, cursor, conv, int64(len(after))+1)
	a.login(t, ann, "d").open(t)
}

// Nobody tells the server when an old file was put back by hand. Clients must start a full sync
// all the same, also after the server has written.
func TestAFilePutBackByHandResetsSync(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := demoApp(s)
	ann := a.user(t, "ann")
	conv := a.group(t, ann)
	first := a.send(t, conv, ann, "kept").number("time")
	kept := a.sync(t, ann, "").NextCursor
	s.Stop(t)
	file := filepath.Join(s.Data, "skein.db")
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s.Restart(t)
	// Stamps run up to a second ahead of the clock.
	eventually(t, "what is said is from another time than what was kept", func() bool {
		return a.send(t, conv, ann, "lost").number("time") > first+2500
	})
	lost := a.sync(t, ann, kept).NextCursor
	s.Stop(t)
	if err := os.WriteFile(file, old, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Restart(t)
	a.send(t, conv, ann, "said anew")
	a.wantReset(t, ann, lost, conv, 2)
	if p := a.sync(t, ann, kept); p.ResetRequired || len(p.Conversations) != 1 {
		t.Errorf("sync by the cursor of before: got %+v, want the one change since", p)
	}
}
