package e2e

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// furnish makes something of every kind in an app, and answers its group and the link
// of its file.
func furnish(t *testing.T, a *app) (group, link string) {
	t.Helper()
	for _, client := range []string{"ann", "bob", "cid", "dan", "eve", "mal"} {
		a.must(t, "POST", "/im/users", obj{"client_id": client, "ext": obj{"name": client + " 汉字 🌊", "n": json.Number("12345678901234567890")}})
	}
	group = a.must(t, "POST", "/im/conversations", obj{
		"client_id": "ann", "to_client_ids": []string{"bob", "cid", "dan", "eve"}, "conv_type": 3, "conv_extend": obj{"name": "团队 🚀"},
	}).text("conv_id")
	a.s.upload(t, a.server(), multipartFile{"file", "图.png", realPNG(t)}).want(t, "upload", 0).into(t, &link)
	say := func(conv, from, text string, more obj) string {
		return a.say(t, conv, from, text, more).text("msg_id")
	}
	first := say(group, "ann", "hello 你好 👋🏽", obj{"client_msg_id": "first", "mention_client_ids": []string{"bob"}, "attr": obj{"x": []int{1, 2}}})
	edited := say(group, "bob", "befor", obj{"client_msg_id": "edited", "reply_to": first})
	a.must(t, "PUT", convPath(group, "message", edited), obj{"client_id": "bob", "text": "before"})
	recalled := say(group, "cid", "I did not say this", nil)
	a.must(t, "POST", convPath(group, "message", recalled, "recall"), obj{"client_id": "cid"})
	a.must(t, "POST", convPath(group, "message"), obj{"from_client": "ann", "type": -2, "url": link})
	for _, client := range []string{"bob", "cid", "eve"} {
		a.must(t, "POST", convPath(group, "message", first, "reactions"), obj{"client_id": client, "emoji": "👍", "on": 1})
	}
	a.must(t, "POST", convPath(group, "message", first, "reactions"), obj{"client_id": "bob", "emoji": "👍", "on": 0})
	a.must(t, "POST", convPath(group, "message", first, "pin"), obj{"client_id": "ann", "on": 1})
	hidden := say(group, "dan", "dan does not like this any more", nil)
	a.must(t, "DELETE", convPath(group, "message", hidden)+"?client_id=dan", nil)
	say(group, "eve", "to be erased", nil)
	say(group, "dan", "of the first dan", nil)

	a.must(t, "PUT", convPath(group, "members", "bob"), obj{"role": "admin", "nickname": "Bobby 波比"})
	a.must(t, "PUT", convPath(group, "members", "cid"), obj{"mute_until": time.Now().Add(time.Hour).UnixMilli()})
	a.must(t, "POST", convPath(group, "mute"), obj{"on": 1})
	a.mark(t, "bob", group, obj{"pin": 1, "mute": 1, "draft": "half a sent…", "archive": 1, "unread_mark": 1})
	a.read(t, "bob", group, 3)
	private := a.conv(t, 1, "ann", "bob")
	say(private, "bob", "just us", nil)
	temporary := a.conv(t, 2, "ann", "bob")
	say(temporary, "ann", "not for long", nil)
	room := a.conv(t, 4, "ann", "mal")
	a.must(t, "DELETE", convPath(room, "members"), obj{"client_ids": []string{"mal"}})

	a.must(t, "POST", userPath("mal", "ban"), obj{"reason": "spam 垃圾"})
	a.must(t, "POST", userPath("cid", "logout"), obj{"device_id": "phone"})
	a.must(t, "DELETE", userPath("eve")+"?messages=erase", nil)
	a.must(t, "DELETE", userPath("dan"), nil)
	a.must(t, "POST", "/im/users", obj{"client_id": "dan"})
	eventually(t, "eve's message is erased", func() bool {
		return slices.ContainsFunc(a.history(t, group), func(m message) bool { return m.ClientID == "eve" && m.MsgStatus == 2 })
	})
	return group, link
}

// exported runs skein export.
func exported(t *testing.T, data, app string, more ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	mustSkein(t, append([]string{"export", "--data", data, "--app", app, "--out", out}, more...)...)
	return out
}

// linesOf are the lines of a list.
func linesOf(t *testing.T, dir, list string) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, list+".jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		var packed []byte
		if packed, err = os.ReadFile(filepath.Join(dir, list+".jsonl.gz")); err == nil {
			var z *gzip.Reader
			if z, err = gzip.NewReader(bytes.NewReader(packed)); err == nil {
				raw, err = io.ReadAll(z)
			}
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(strings.Lines(string(raw)))
}

// putLines replaces a list, in plain lines, and says so in the manifest.
func putLines(t *testing.T, dir, list string, lines []string) {
	t.Helper()
	text := strings.Join(lines, "")
	sum := sha256.Sum256([]byte(text))
	editManifest(t, dir, func(m map[string]any) {
		m["lists"].(map[string]any)[list] = obj{"lines": len(lines), "sha256": hex.EncodeToString(sum[:])}
	})
	_ = os.Remove(filepath.Join(dir, list+".jsonl.gz"))
	if err := os.WriteFile(filepath.Join(dir, list+".jsonl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func editManifest(t *testing.T, dir string, change func(map[string]any)) {
	t.Helper()
	path := filepath.Join(dir, "manifest.json")
	raw, err := os.ReadFile(path)
	var m map[string]any
	if err == nil {
		err = json.Unmarshal(raw, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	change(m)
	if raw, err = json.Marshal(m); err == nil {
		err = os.WriteFile(path, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

var portableLists = []string{"clients", "conversations", "members", "messages", "changes", "files"}

// wantSameFolder wants two folders to be the same but for the manifest's time.
func wantSameFolder(t *testing.T, what, got, want string) {
	t.Helper()
	for _, list := range portableLists {
		one, other := linesOf(t, got, list), linesOf(t, want, list)
		for i := range max(len(one), len(other)) {
			if i >= len(one) || i >= len(other) || one[i] != other[i] {
				t.Fatalf("%s: %s, line %d:\ngot  %s\nwant %s", what, list, i+1, at(one, i), at(other, i))
			}
		}
	}
	when := regexp.MustCompile(`"time": \d+`)
	for _, name := range []string{"app.json", "manifest.json"} {
		one, err := os.ReadFile(filepath.Join(got, name))
		other, err2 := os.ReadFile(filepath.Join(want, name))
		if err != nil || err2 != nil || !bytes.Equal(when.ReplaceAll(one, nil), when.ReplaceAll(other, nil)) {
			t.Errorf("%s: %s: got %s, want %s: %v %v", what, name, one, other, err, err2)
		}
	}
	for _, list := range portableLists {
		one, err := os.ReadFile(filepath.Join(got, list+".jsonl.gz"))
		other, err2 := os.ReadFile(filepath.Join(want, list+".jsonl.gz"))
		if err == nil && err2 == nil && !bytes.Equal(one, other) {
			t.Errorf("%s: %s.jsonl.gz is not the same bytes", what, list)
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "nothing"
}

// importedApp is the app that skein import has made.
func importedApp(t *testing.T, s *server, id, stdout string) *app {
	t.Helper()
	field := func(name string) string {
		m := regexp.MustCompile(name + `\s+(\S+)`).FindStringSubmatch(stdout)
		if m == nil {
			t.Fatalf("skein import prints no %s: %s", name, stdout)
		}
		return m[1]
	}
	return &app{s: s, ID: id, Key: field("app_key"), Secret: field("token_secret")}
}

func TestAnAppGoesOutAndComesInTheSame(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev())
	a := newApp(t, s, "shop", "--send-rate", "50", "--last-seen", "on", "--edit-window=-1")
	group, link := furnish(t, a)
	before := a.history(t, group)
	first := exported(t, s.Data, "shop")

	// Fields that this version does not know, in a list that somebody has unpacked.
	odd := `"x_theirs":{"深":[1,1e2,"\u0041"]}`
	for _, list := range portableLists {
		var lines []string
		for _, line := range linesOf(t, first, list) {
			if !strings.Contains(line, `"deleted":true`) && !strings.Contains(line, `"msg_status"`) {
				line = strings.TrimSuffix(line, "}\n") + "," + odd + "}\n"
			}
			lines = append(lines, line)
		}
		putLines(t, first, list, lines)
	}
	data := filepath.Join(t.TempDir(), "fresh")
	out, errs, exit := skein(t, "import", "--data", data, "--app", "shop", "--from", first)
	if exit != 0 {
		t.Fatalf("skein import: exit %d\n%s%s", exit, out, errs)
	}
	second := exported(t, data, "shop")
	for _, list := range portableLists {
		wantSameLines(t, list, second, first)
	}
	// Once more, of a folder as skein writes it: to the byte.
	third := filepath.Join(t.TempDir(), "third")
	mustSkein(t, "import", "--data", third, "--app", "shop", "--from", second)
	wantSameFolder(t, "exported again", exported(t, third, "shop"), second)
	if out, errs, exit := skein(t, "import", "--data", third, "--app", "shop", "--from", second); exit != 0 || !regexp.MustCompile(`messages +\d+ +0 +\d+ +0`).MatchString(out) {
		t.Errorf("imported twice: exit %d, want all known:\n%s%s", exit, out, errs)
	}
	wantSameFolder(t, "imported twice", exported(t, third, "shop"), second)

	b := importedApp(t, start(t, withoutDev(), withData(data)), "shop", out)
	after := b.history(t, group)
	for i, m := range before {
		if fmt.Sprint(m.MsgID, m.ClientID, m.text(), m.Ctime, m.MsgStatus, string(m.Attr)) != fmt.Sprint(after[i].MsgID, after[i].ClientID, after[i].text(), after[i].Ctime, after[i].MsgStatus, string(after[i].Attr)) {
			t.Errorf("message %d: got %+v, want %+v", i+1, after[i], m)
		}
	}
	_, path, _ := strings.Cut(link, "/storage")
	path = "/storage" + path
	if res, body := fetch(t, b.s.url(path), nil); res.StatusCode != http.StatusOK || !bytes.Equal(body, realPNG(t)) {
		t.Errorf("GET %s: got %s, %d bytes", path, res.Status, len(body))
	}
	again := b.say(t, group, "ann", "hello 你好 👋🏽", obj{"client_msg_id": "first", "mention_client_ids": []string{"bob"}, "attr": obj{"x": []int{1, 2}}})
	if again.text("msg_id") != before[0].MsgID {
		t.Errorf("a retry: got message %s, want the first, %s", again, before[0].MsgID)
	}
	if seq := b.say(t, group, "ann", "on it goes", nil).number("seq"); seq != int64(len(before))+1 {
		t.Errorf("the next seq: got %d, want %d", seq, len(before)+1)
	}
	b.login(t, "ann", "d").open(t)
}

// wantSameLines compares a list as JSON.
func wantSameLines(t *testing.T, list, got, want string) {
	t.Helper()
	one, other := linesOf(t, got, list), linesOf(t, want, list)
	if len(one) != len(other) {
		t.Fatalf("%s: got %d lines, want %d", list, len(one), len(other))
	}
	for i := range one {
		if !sameJSON(t, one[i], other[i]) {
			t.Fatalf("%s, line %d:\ngot  %s\nwant %s", list, i+1, one[i], other[i])
		}
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	var x, y any
	for text, v := range map[string]*any{a: &x, b: &y} {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(v); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	one, _ := json.Marshal(x)
	other, _ := json.Marshal(y)
	return a == b || bytes.Equal(one, other)
}

func TestAServerTakesAnAppWhileItServes(t *testing.T) {
	t.Parallel()
	from := start(t, withoutDev())
	group, link := furnish(t, newApp(t, from, "shop"))
	folder := exported(t, from.Data, "shop")

	s := start(t, withoutDev())
	a := newApp(t, s, "shop")
	for _, client := range []string{"ann", "zoe"} {
		a.must(t, "POST", "/im/users", obj{"client_id": client})
	}
	own := a.group(t, "zoe", "zoe")
	a.send(t, own, "zoe", "was here before")
	zoe := a.login(t, "zoe", "d")
	cursor := a.sync(t, "ann", "").NextCursor
	out, errs, exit := skein(t, "import", "--data", s.Data, "--app", "shop", "--from", folder)
	if exit != 1 || !strings.Contains(errs, "clients: line 1: refused: exists with different content: ctime, ext") || !strings.Contains(errs, "1 lines were refused") {
		t.Fatalf("import beside a server: exit %d\n%s%s\nwant ann alone refused", exit, out, errs)
	}
	if again, errs, _ := skein(t, "import", "--data", s.Data, "--app", "shop", "--from", folder); !regexp.MustCompile(`messages +\d+ +0 +\d+ +0`).MatchString(again) {
		t.Errorf("imported twice: want all known:\n%s%s", again, errs)
	}
	if got := a.sync(t, "ann", cursor); len(got.Conversations) == 0 {
		t.Errorf("sync of a client who came: got %+v, want its conversations", got)
	}
	if got := a.history(t, group); len(got) != 7 {
		t.Errorf("history: got %d messages, want 7", len(got))
	}
	_, path, _ := strings.Cut(link, "/storage")
	path = "/storage" + path
	if res, _ := fetch(t, s.url(path), nil); res.StatusCode != http.StatusOK {
		t.Errorf("GET %s: got %s", path, res.Status)
	}
	a.say(t, group, "ann", "and now live", nil)
	zoe.open(t) // and was sent nothing
	info, err := os.Stat(filepath.Join(s.Data, "control.sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("control.sock: got %v, %v, want mode 0600", info, err)
	}
	s.Stop(t)
	if _, err := os.Stat(filepath.Join(s.Data, "control.sock")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("control.sock after the drain: got %v, want that it is gone", err)
	}
}

func TestADryRunKeepsNothing(t *testing.T) {
	t.Parallel()
	from := start(t, withoutDev())
	furnish(t, newApp(t, from, "shop"))
	folder := exported(t, from.Data, "shop")
	s := start(t, withoutDev())
	newApp(t, s, "other")
	out, errs, exit := skein(t, "import", "--data", s.Data, "--app", "shop", "--from", folder, "--dry-run")
	if exit != 0 || !strings.Contains(out, "Nothing was kept") || strings.Contains(out, "app_key") {
		t.Errorf("dry run: exit %d\n%s%s", exit, out, errs)
	}
	if out, errs, exit := skein(t, "app", "show", "--data", s.Data, "--id", "shop"); exit == 0 {
		t.Errorf("the app is there after a dry run: %s%s", out, errs)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Data, ".dry-run-*")); len(left) > 0 {
		t.Errorf("a dry run leaves %q", left)
	}
}

func TestAFileOfAnotherContentIsRefusedAlone(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev())
	group, _ := furnish(t, newApp(t, s, "shop"))
	folder := exported(t, s.Data, "shop")
	found, err := filepath.Glob(filepath.Join(folder, "files", "*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("files: got %q, %v, want one", found, err)
	}
	raw, err := os.ReadFile(found[0])
	if err == nil {
		raw[len(raw)/2] ^= 1
		err = os.WriteFile(found[0], raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	data, report := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "report.jsonl")
	if out, errs, exit := skein(t, "import", "--data", data, "--app", "shop", "--from", folder, "--report", report); exit != 1 || !strings.Contains(errs, "1 lines were refused") {
		t.Errorf("import: exit %d\n%s%s", exit, out, errs)
	}
	lines, err := os.ReadFile(report)
	if want := `{"list":"files","line":1,"result":"refused","reason":"sha256: does not match the content"}`; err != nil || !strings.HasPrefix(string(lines), want+"\n") {
		t.Errorf("report: got %s, %v, want %s first", lines, err, want)
	}
	if left, _ := os.ReadDir(filepath.Join(data, "uploads")); len(left) > 0 {
		t.Errorf("uploads: got %v, want none", left)
	}
	out := exported(t, data, "shop")
	if !strings.Contains(strings.Join(linesOf(t, out, "conversations"), ""), group) || len(linesOf(t, out, "files")) != 0 {
		t.Error("want all but the file to be there")
	}
}
