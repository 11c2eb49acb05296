package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/files/s3/s3test"
)

// bucketKeys are the credentials of the tests' S3 server.
var bucketKeys = []string{"AWS_ACCESS_KEY_ID=" + s3test.Key, "AWS_SECRET_ACCESS_KEY=" + s3test.Secret}

// onBucket starts a server that keeps its uploads in a bucket.
func onBucket(t *testing.T, database, uploads string) *app {
	t.Helper()
	return demoApp(start(t, func(s *server) {
		s.env = append(append(s.env, bucketKeys...), "SKEIN_DATABASE="+database, "SKEIN_UPLOADS="+uploads)
	}))
}

// skeinIn runs a command with more in its environment.
func skeinIn(t *testing.T, env []string, args ...string) (output string, exit int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 6*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(cleanEnv(), env...)
	out, err := cmd.CombinedOutput()
	var code *exec.ExitError
	if err != nil && !errors.As(err, &code) {
		t.Fatalf("skein %v: %v\n%s", args, err, out)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// Uploads in a bucket are served by every node. While the bucket is away, uploads and downloads
// get 5030 and everything else goes on.
func TestUploadsInABucketAreServedByEveryNode(t *testing.T) {
	t.Parallel()
	bucket, database := s3test.Start(t), databases.Database(t)
	uploads := bucket.URL("im/prod")
	a, b := onBucket(t, database, uploads), onBucket(t, database, uploads)
	content := realPNG(t)
	file := multipartFile{"file", "a.png", content}
	var link string
	a.s.upload(t, a.server(), file).want(t, "upload", 0).into(t, &link)
	there := b.s.url("/storage/uploads/" + path.Base(link))
	res, body := fetch(t, there, nil)
	if res.StatusCode != 200 || !bytes.Equal(body, content) || res.Header.Get("Content-Type") != "image/png" || res.Header.Get("ETag") == "" {
		t.Errorf("on the other node: got %s, %d bytes, %v; want the file", res.Status, len(body), res.Header)
	}
	if res, part := fetch(t, there, headers{"Range": "bytes=5-9"}); res.StatusCode != 206 || !bytes.Equal(part, content[5:10]) {
		t.Errorf("a part: got %s %q, want %q", res.Status, part, content[5:10])
	}
	if res, _ := fetch(t, there, headers{"If-None-Match": res.Header.Get("ETag")}); res.StatusCode != 304 {
		t.Errorf("what the caller has: got %s, want 304", res.Status)
	}
	for _, s := range []*server{a.s, b.s} {
		if left, err := os.ReadDir(filepath.Join(s.Data, "uploads")); err != nil || len(left) > 0 {
			t.Errorf("on the disk of a node: %v, %v, want nothing", left, err)
		}
	}

	tom := a.user(t, "tom")
	conv := a.group(t, tom)
	sent := a.must(t, "POST", convPath(conv, "message"), obj{"from_client": tom, "type": -2, "url": link}).text("msg_id")
	bucket.Break("", s3test.Gone)
	if got := a.s.upload(t, a.server(), file).want(t, "an upload while the bucket is away", 5030); got.Header.Get("Retry-After") == "" {
		t.Error("an upload while the bucket is away: no Retry-After")
	}
	if res, body := fetch(t, there, nil); res.StatusCode != 503 || !strings.Contains(string(body), "5030") || res.Header.Get("Retry-After") == "" {
		t.Errorf("a download while the bucket is away: got %s %s, want 5030", res.Status, body)
	}
	eventually(t, "/readyz tells that the bucket is away", func() bool {
		status, body := a.s.probe("/readyz")
		if status != 200 && status != 0 { // zero: no answer in time
			t.Fatalf("/readyz while the bucket is away: got %d %s, want 200: messages go on", status, body)
		}
		return strings.Contains(string(body), "away")
	})
	a.send(t, conv, tom, "messages go on")
	b.must(t, "POST", convPath(conv, "message", sent, "recall"), obj{"client_id": tom}) // its file is removed later
	if out, exit := skeinIn(t, bucketKeys, "doctor", "--data", a.s.Data, "--database", database, "--uploads", uploads); exit != 1 || !strings.Contains(out, "check --uploads") {
		t.Errorf("skein doctor while the bucket is away: exit %d\n%s", exit, out)
	}

	bucket.Break("", nil)
	a.s.upload(t, a.server(), file).want(t, "an upload when the bucket is back", 0)
	eventually(t, "/readyz tells nothing any more", func() bool {
		_, body := a.s.probe("/readyz")
		return string(body) == "ok\n"
	})
	eventually(t, "the recalled file is gone from the bucket", func() bool {
		return !bucket.Has("im/prod/" + path.Base(link))
	})
	if out, _ := skeinIn(t, bucketKeys, "doctor", "--data", a.s.Data, "--database", database, "--uploads", uploads); !strings.Contains(out, "a file was kept, read and removed") {
		t.Errorf("skein doctor:\n%s", out)
	}

	wrong := []string{bucketKeys[0], "AWS_SECRET_ACCESS_KEY=another-secret"}
	out, exit := skeinIn(t, wrong, "serve", "--dev", "--addr", freeAddr(), "--admin-addr", freeAddr(), "--data", t.TempDir(), "--database", database, "--uploads", uploads)
	if exit != 1 || !strings.Contains(out, "--uploads: ") || strings.Contains(out, "another-secret") {
		t.Errorf("with a wrong secret: exit %d\n%s\nwant a refusal that names --uploads", exit, out)
	}
}

// The uploads move from a folder into a bucket and back with the store, through kills.
func TestUploadsMoveIntoABucketAndBack(t *testing.T) {
	t.Parallel()
	bucket, database := s3test.Start(t), databases.Empty(t)
	uploads := bucket.URL("moved")
	old := start(t)
	a := demoApp(old)
	ann := a.user(t, "ann")
	conv := a.group(t, ann)
	var link, late string
	a.s.upload(t, a.server(), multipartFile{"file", "a.png", realPNG(t)}).want(t, "upload", 0).into(t, &link)
	a.must(t, "POST", convPath(conv, "message"), obj{"from_client": ann, "type": -2, "url": link})
	env := append([]string{"SKEIN_TO=" + database}, bucketKeys...)
	args := []string{"--data", old.Data, "--to-uploads", uploads}
	m := migrate(t, env, args...)
	m.said(t, "in step")
	_ = m.cmd.Process.Kill() // it goes on when it is run again
	<-m.done
	a.s.upload(t, a.server(), multipartFile{"file", "b.txt", []byte("uploaded meanwhile")}).want(t, "upload", 0).into(t, &late)
	a.must(t, "POST", convPath(conv, "message"), obj{"from_client": ann, "type": -6, "url": late})
	cutOver(t, old, env, args)

	node := onBucket(t, database, uploads)
	for want, link := range map[string]string{string(realPNG(t)): link, "uploaded meanwhile": late} {
		if res, body := fetch(t, node.s.url("/storage/uploads/"+path.Base(link)), nil); res.StatusCode != 200 || string(body) != want {
			t.Errorf("%s after the move: got %s, %d bytes", path.Base(link), res.Status, len(body))
		}
	}
	if out, exit := skeinIn(t, bucketKeys, "export", "--data", "unused", "--app", a.ID, "--database", database, "--uploads", uploads, "--out", filepath.Join(t.TempDir(), "out")); exit != 0 || !strings.Contains(out, "2 files") {
		t.Errorf("skein export: exit %d, %s, want 2 files", exit, out)
	}
	back := t.TempDir()
	cutOver(t, node.s, append([]string{"SKEIN_DATABASE=" + database}, bucketKeys...), []string{"--uploads", uploads, "--to", back})
	home := start(t, withData(back))
	if res, body := fetch(t, home.url("/storage/uploads/"+path.Base(late)), nil); res.StatusCode != 200 || string(body) != "uploaded meanwhile" {
		t.Errorf("after the move back: got %s %q", res.Status, body)
	}
}
