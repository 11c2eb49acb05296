package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// kept is an uploaded file.
type kept struct {
	s          *server
	link, path string // path: of the URL
	etag       string
}

// keep uploads a picture as a client.
func (a *app) keep(t *testing.T, client string) *kept {
	t.Helper()
	k := &kept{s: a.s}
	a.s.upload(t, a.as(t, client), multipartFile{"file", "a.png", realPNG(t)}).want(t, "upload", 0).into(t, &k.link)
	k.path = strings.TrimPrefix(k.link, "http://"+a.s.Addr)
	res, _ := fetch(t, k.link, nil)
	if k.etag = res.Header.Get("ETag"); res.StatusCode != http.StatusOK || k.etag == "" {
		t.Fatalf("a new file: got %s with ETag %q", res.Status, k.etag)
	}
	return k
}

func (k *kept) name() string { return filepath.Base(k.path) }

// there wants the file to be served.
func (k *kept) there(t *testing.T, what string) {
	t.Helper()
	if res, _ := fetch(t, k.link, nil); res.StatusCode != http.StatusOK {
		t.Errorf("%s: %s: got %s, want 200", what, k.path, res.Status)
	}
}

// gone wants 404 however the file is asked for, at once, and soon nothing on the disk.
func (k *kept) gone(t *testing.T, what string) {
	t.Helper()
	for _, h := range []headers{nil, {"If-None-Match": k.etag}, {"If-None-Match": "*"}, {"Range": "bytes=0-3"}, {"Range": "bytes=0-3", "If-Range": k.etag}, {"If-Modified-Since": time.Now().UTC().Format(http.TimeFormat)}} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			res, _ := fetchBy(t, method, k.link, h)
			if res.StatusCode != http.StatusNotFound || res.Header.Get("ETag") != "" || strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %s with %v: got %s, ETag %q, Cache-Control %q; want a bare 404", what, method, h, res.Status, res.Header.Get("ETag"), res.Header.Get("Cache-Control"))
			}
		}
	}
	eventually(t, what+": the file is removed from the disk", func() bool {
		_, err := os.Stat(filepath.Join(k.s.Data, "uploads", k.name()))
		return os.IsNotExist(err)
	})
}

// What is deleted takes its files with it; the same link in a message that lives
// keeps its own.
func TestFilesGoWithWhatIsDeleted(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev())
	a := createApp(t, s)
	k := newTalk(t, a)
	show := func(conv, link string) {
		t.Helper()
		a.must(t, "POST", convPath(conv, "message"), obj{"from_client": k.jerry, "type": -2, "url": link})
	}
	shared, deleted, icon := a.keep(t, k.jerry), a.keep(t, k.jerry), a.keep(t, k.jerry)
	show(k.conv, shared.link)
	conv := a.group(t, k.jerry, k.tom)
	show(conv, shared.link)
	show(conv, deleted.link)
	a.must(t, "PUT", "/im/conversations", obj{"where": []any{[]any{"conv_id", "=", conv}}, "update": obj{"conv_extend": obj{"icon": icon.link}}})
	a.must(t, "DELETE", convPath(conv), nil)
	deleted.gone(t, "its conversation is deleted")
	icon.gone(t, "its conversation is deleted, an icon")
	shared.there(t, "a conversation that names it is deleted, another not")

	passing := a.keep(t, k.jerry)
	brief := a.must(t, "POST", "/im/conversations", obj{"client_id": k.jerry, "to_client_ids": []string{k.tom}, "conv_type": 2, "ttl": 5}).text("conv_id")
	show(brief, passing.link)
	passing.there(t, "in a temporary conversation")
	eventually(t, "the temporary conversation ends", func() bool { return a.call(t, "GET", convPath(brief), nil).Code == 4011 })
	passing.gone(t, "its temporary conversation has ended")

	said := a.keep(t, k.alex)
	a.must(t, "POST", convPath(k.conv, "message"), obj{"from_client": k.alex, "type": -2, "url": said.link})
	face := a.keep(t, k.alex)
	a.must(t, "PUT", userPath(k.alex), obj{"ext": obj{"avatar": face.link}})
	a.must(t, "DELETE", userPath(k.alex)+"?messages=erase", nil)
	eventually(t, "the message is erased", func() bool { status, _ := s.probe(said.path); return status == http.StatusNotFound })
	said.gone(t, "its message is erased")
	face.gone(t, "whose ext named it is deleted")
	shared.there(t, "another's file")

	fresh := a.keep(t, k.jerry)
	mustSkein(t, "app", "delete", "--id", a.ID, "--data", s.Data)
	shared.gone(t, "its app is deleted")
	fresh.gone(t, "its app is deleted, named by nothing")
}

// A file that nothing ever named goes after a while, and so does what a crash left.
func TestFilesThatNothingEverNamedGo(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev(), withArgs("--unnamed-files", "5s"))
	a := createApp(t, s)
	k := newTalk(t, a)
	shown := a.keep(t, k.jerry)
	a.must(t, "POST", convPath(k.conv, "message"), obj{"from_client": k.jerry, "type": -2, "url": shown.link})
	never, foreign := a.keep(t, k.jerry), a.keep(t, k.jerry)
	b := createApp(t, s)
	other := newTalk(t, b)
	b.must(t, "POST", convPath(other.conv, "message"), obj{"from_client": other.jerry, "type": -2, "url": foreign.link})
	for _, f := range []*kept{never, foreign} {
		eventually(t, "a file that its app does not name", func() bool { status, _ := s.probe(f.path); return status == http.StatusNotFound })
		f.gone(t, "nothing of its app names it")
	}
	s.Kill(t)
	orphan := filepath.Join(s.Data, "uploads", strings.Repeat("ab", 16)+".png")
	if err := os.WriteFile(orphan, realPNG(t), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.probe("/storage/uploads/" + filepath.Base(orphan)); status == http.StatusOK {
		t.Error("a file that has no row is served")
	}
	s.Restart(t)
	shown.there(t, "after a kill")
	eventually(t, "a file without a row is removed", func() bool { _, err := os.Stat(orphan); return os.IsNotExist(err) })
	shown.there(t, "after a look through the storage")
}

// Kills in the middle of the removal leave neither a file that is not served on the
// disk, nor take one that is named.
func TestKillsWhileFilesAreRemovedLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev())
	a := createApp(t, s)
	k := newTalk(t, a)
	stays := a.keep(t, k.jerry)
	a.must(t, "POST", convPath(k.conv, "message"), obj{"from_client": k.jerry, "type": -2, "url": stays.link})
	conv := a.group(t, k.jerry)
	for range 150 {
		f := a.keep(t, k.jerry)
		a.must(t, "POST", convPath(conv, "message"), obj{"from_client": k.jerry, "type": -2, "url": f.link})
	}
	left := func() int {
		found, err := filesUnder(filepath.Join(s.Data, "uploads"), ".png")
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	a.must(t, "DELETE", convPath(conv), nil)
	for n := left(); n > 1; n = left() {
		before := n
		eventually(t, "some are removed", func() bool { return left() < before })
		s.Kill(t)
		s.Restart(t)
	}
	stays.there(t, "after the kills")
}
