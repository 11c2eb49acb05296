package e2e

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// schemas holds a data directory of every schema that was ever released, as the
// binary of its day left it when it was killed, and what that binary answered.
const schemas = "../internal/store/sqlite/testdata/schemas"

// publicURL begins the links in the answers, so that they do not depend on the port.
const publicURL = "https://im.example.com"

// schemaFixture describes one of these stores.
type schemaFixture struct {
	AppID       string     `json:"app_id"`
	AppKey      string     `json:"app_key"`
	TokenSecret string     `json:"token_secret"`
	Calls       []heldCall `json:"calls"`
}

// heldCall is a read and what was answered.
type heldCall struct {
	Client string          `json:"client,omitempty"` // who asks; empty: the backend
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Body   obj             `json:"body,omitempty"`
	Code   int             `json:"code"`
	Data   json.RawMessage `json:"data"`
}

func (f *schemaFixture) on(s *server) *app {
	return &app{s: s, ID: f.AppID, Key: f.AppKey, Secret: f.TokenSecret}
}

func (c *heldCall) ask(t *testing.T, a *app) *answer {
	t.Helper()
	h := a.server()
	if c.Client != "" {
		h = a.as(t, c.Client)
	}
	if c.Body == nil {
		return a.s.call(t, c.Method, c.Path, h, nil)
	}
	return a.s.call(t, c.Method, c.Path, h, c.Body)
}

// A store of any earlier schema is brought up to date and answers what it answered.
// With SKEIN_RECORD_SCHEMA set (make schema) the fixture of the newest is made first.
func TestAStoreOfEverySchemaAnswersWhatItDid(t *testing.T) {
	t.Parallel()
	if version := os.Getenv("SKEIN_RECORD_SCHEMA"); version != "" {
		recordSchema(t, version)
	}
	all, err := filepath.Glob(filepath.Join(schemas, "*.json"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no fixture in %s: %v", schemas, err)
	}
	for _, file := range all {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			f := readSchema(t, file)
			data := filepath.Join(t.TempDir(), "data")
			unpack(t, strings.TrimSuffix(file, ".json")+".tar.gz", data)
			s := start(t, withoutDev(), withData(data), withArgs("--public-url", publicURL))
			for range 2 { // the second time with the store as this server has closed it
				a := f.on(s)
				for _, c := range f.Calls {
					got := c.ask(t, a)
					if got.Code != c.Code {
						t.Errorf("%s %s as %q: got %s, want code %d", c.Method, c.Path, c.Client, got, c.Code)
						continue
					}
					if wrong := lacks("data", decode(t, got.Data), decode(t, c.Data)); wrong != "" {
						t.Errorf("%s %s as %q: %s\ngot  %s\nwant %s", c.Method, c.Path, c.Client, wrong, got.Data, c.Data)
					}
				}
				s.Stop(t)
				s.Restart(t)
			}
			a := f.on(s)
			conv := a.group(t, a.user(t, "new"), "tom")
			if got := a.send(t, conv, "tom", "on it goes").number("seq"); got != 1 {
				t.Errorf("seq of the first message of a new group: got %d, want 1", got)
			}
		})
	}
}

// lacks says what of an old answer is missing in a new one. A new one may have more
// fields, and cursors are for the server alone to read.
func lacks(at string, got, want any) string {
	switch want := want.(type) {
	case map[string]any:
		have, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s: got %v, want an object", at, got)
		}
		for name, value := range want {
			if strings.HasSuffix(name, "cursor") || name == "unread" { // which counted what was recalled, up to schema 6
				continue
			}
			if wrong := lacks(at+"."+name, have[name], value); wrong != "" {
				return wrong
			}
		}
	case []any:
		have, ok := got.([]any)
		if !ok || len(have) != len(want) {
			return fmt.Sprintf("%s: got %v, want %d items", at, got, len(want))
		}
		for i, value := range want {
			if wrong := lacks(fmt.Sprintf("%s[%d]", at, i), have[i], value); wrong != "" {
				return wrong
			}
		}
	default:
		if got != want {
			return fmt.Sprintf("%s: got %v, want %v", at, got, want)
		}
	}
	return ""
}

func readSchema(t *testing.T, file string) (f schemaFixture) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, &f)
	}
	if err != nil || len(f.Calls) == 0 {
		t.Fatalf("%s: %d calls, %v", file, len(f.Calls), err)
	}
	return f
}

// recordSchema makes the fixture of the schema that the binary has: a little of
// everything that can be stored.
func recordSchema(t *testing.T, version string) {
	t.Helper()
	s := start(t, withoutDev(), withArgs("--public-url", publicURL))
	a := newApp(t, s, "shop", "--last-seen", "on", "--send-rate=-1")
	ended := newApp(t, s, "ended")
	w := newHoldings(t, a)
	s.Stop(t)
	// A pause of stamps is kept when more than a second lies between two runs.
	time.Sleep(1500 * time.Millisecond)
	s.Restart(t)
	w.goOn(t)
	f := schemaFixture{AppID: a.ID, AppKey: a.Key, TokenSecret: a.Secret, Calls: w.reads()}
	for i := range f.Calls {
		c := &f.Calls[i]
		ans := c.ask(t, a)
		if ans.Code != 0 && ans.Code != 211 && ans.Code != 4011 {
			t.Fatalf("%s %s as %q: got %s", c.Method, c.Path, c.Client, ans)
		}
		c.Code, c.Data = ans.Code, ans.Data
	}
	// What a server does little by little is left for the newer one to do.
	mustSkein(t, "app", "delete", "--id", ended.ID, "--data", s.Data)
	s.Kill(t)
	raw, err := json.MarshalIndent(f, "", " ")
	if err == nil {
		err = os.MkdirAll(schemas, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(schemas, version+".json"), append(raw, '\n'), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	pack(t, s.Data, filepath.Join(schemas, version+".tar.gz"))
}

// holdings are clients and conversations with everything that a store can hold.
type holdings struct {
	a                                  *app
	pair, group, brief, room, left, no string // conversations
	pinned, said, picture              string // messages
}

func newHoldings(t *testing.T, a *app) *holdings {
	t.Helper()
	w := &holdings{a: a}
	for _, id := range []string{"tom", "jerry", "alex", "iron", "erased", "banned", "gone", "again"} {
		a.must(t, "POST", "/im/users", obj{"client_id": id, "ext": obj{"name": id, "level": len(id)}})
	}
	a.must(t, "POST", userPath("banned", "ban"), obj{"reason": "spam"})
	a.must(t, "POST", userPath("alex", "logout"), obj{"device_id": "old"})
	w.pair = a.conv(t, 1, "tom", "jerry")
	w.group = a.must(t, "POST", "/im/conversations", obj{
		"client_id": "tom", "to_client_ids": []string{"jerry", "alex", "iron", "again"}, "conv_type": 3,
		"conv_extend": obj{"conv_name": "朋友们", "level": 3, "tags": []string{"a", "b"}},
	}).text("conv_id")
	w.brief = a.must(t, "POST", "/im/conversations", obj{
		"client_id": "tom", "to_client_ids": []string{"alex"}, "conv_type": 2, "ttl": 365 * 24 * 3600,
	}).text("conv_id")
	w.room = a.conv(t, 4, "iron", "tom")
	w.left = a.group(t, "jerry", "tom", "alex")
	w.no = a.group(t, "jerry", "tom")

	w.said = a.say(t, w.group, "tom", "hello, 世界 👋", obj{"client_msg_id": "first", "attr": obj{"a": 1}}).text("msg_id")
	a.say(t, w.group, "jerry", "all of you", obj{"mention_all": 1})
	a.say(t, w.group, "alex", "you two", obj{"mention_client_ids": []string{"tom", "iron"}, "reply_to": w.said})
	w.pinned = a.say(t, w.group, "tom", "keep this", nil).text("msg_id")
	a.say(t, a.group(t, "iron", "erased"), "erased", "to be erased", obj{"attr": obj{"secret": true}})
	a.say(t, w.group, "again", "by a former holder of the name", nil)
	edited := a.say(t, w.group, "jerry", "before", nil).text("msg_id")
	a.must(t, "PUT", convPath(w.group, "message", edited), obj{"text": "after", "attr": obj{"b": 2}})
	recalled := a.say(t, w.group, "iron", "never mind", nil).text("msg_id")
	a.must(t, "POST", convPath(w.group, "message", recalled, "recall"), nil)
	for _, r := range []struct{ client, emoji string }{{"tom", "👍"}, {"jerry", "👍"}, {"alex", "heart"}, {"again", "👍"}} {
		a.must(t, "POST", convPath(w.group, "message", w.said, "reactions"), obj{"emoji": r.emoji, "client_id": r.client})
	}
	a.must(t, "POST", convPath(w.group, "message", w.said, "reactions"), obj{"emoji": "heart", "client_id": "alex", "on": 0})
	a.must(t, "POST", convPath(w.group, "message", w.said, "reactions"), obj{"emoji": "heart", "client_id": "iron"})
	a.must(t, "POST", convPath(w.group, "message", w.pinned, "pin"), nil)
	a.must(t, "DELETE", convPath(w.group, "message", w.pinned), obj{"client_id": "alex"})
	var link, back string
	a.s.upload(t, a.as(t, "tom"), multipartFile{"file", "a.png", realPNG(t)}).want(t, "upload", 0).into(t, &link)
	a.s.upload(t, a.as(t, "tom"), multipartFile{"file", "b.txt", []byte("taken back")}).want(t, "upload", 0).into(t, &back)
	w.picture = a.must(t, "POST", convPath(w.pair, "message"), obj{"from_client": "tom", "type": -2, "url": link, "attr": obj{"width": 16}}).text("msg_id")
	taken := a.must(t, "POST", convPath(w.pair, "message"), obj{"from_client": "tom", "type": -6, "url": back}).text("msg_id")
	a.must(t, "POST", convPath(w.pair, "message", taken, "recall"), nil)
	for _, conv := range []string{w.pair, w.brief, w.room, w.left} {
		a.say(t, conv, "tom", "in every kind", obj{"type": 7})
	}
	a.login(t, "alex", "phone").Drop()
	eventually(t, "alex was here", func() bool {
		return strings.Contains(string(a.must(t, "POST", "/im/presence", obj{"client_ids": []string{"alex"}}).Data), `"last_seen":1`)
	})
	return w
}

// goOn is what came after a restart.
func (w *holdings) goOn(t *testing.T) {
	t.Helper()
	a := w.a
	a.send(t, w.pair, "jerry", "after the restart")
	a.must(t, "PUT", convPath(w.group, "members", "jerry"), obj{"role": "admin", "nickname": "Mouse"})
	a.must(t, "PUT", convPath(w.group, "members", "iron"), obj{"mute_until": 4102444800000})
	a.must(t, "POST", convPath(w.left, "mute"), obj{"on": 1})
	a.must(t, "POST", convPath(w.left, "leave"), obj{"client_id": "alex"})
	a.must(t, "DELETE", convPath(w.no), nil)
	a.read(t, "jerry", w.group, 3)
	a.read(t, "tom", w.pair, nil)
	a.mark(t, "jerry", w.group, obj{"pin": 1, "mute": 1, "draft": "See you"})
	a.mark(t, "alex", w.brief, obj{"archive": 1, "unread_mark": 1})
	a.mark(t, "iron", w.group, obj{"clear_to_seq": 2})
	a.must(t, "DELETE", userPath("gone"), nil)
	a.must(t, "DELETE", userPath("erased")+"?messages=erase", nil) // the message is another chore of the server's
	a.must(t, "DELETE", userPath("again"), nil)
	a.must(t, "POST", "/im/users", obj{"client_id": "again"})
}

// reads are the questions whose answers are kept.
func (w *holdings) reads() (calls []heldCall) {
	get := func(client string, paths ...string) {
		for _, path := range paths {
			calls = append(calls, heldCall{Client: client, Method: "GET", Path: path})
		}
	}
	get("", "/im/users", userPath("tom"), userPath("banned"), userPath("gone"), userPath("again"), userPath("alex"))
	get("", where(`[["conv_type","in",[1,2,3,4]]]`), where(`[["client_id","=","tom"],["conv_extend.level",">=",3]]`))
	for _, conv := range []string{w.pair, w.group, w.brief, w.room, w.left, w.no} {
		get("", convPath(conv), convPath(conv, "members?detail=1"), convPath(conv, "message?after_seq=0"), convPath(conv, "message?page=1"),
			convPath(conv, "changes?after_change=0"), convPath(conv, "pins"))
	}
	calls = append(calls, heldCall{Method: "POST", Path: "/im/presence", Body: obj{"client_ids": []string{"alex", "tom"}}})
	get("", convPath(w.group, "readers?seq=3"), convPath(w.group, "message", w.said), convPath(w.pair, "message", w.picture))
	for _, client := range []string{"tom", "jerry", "alex", "iron"} {
		get(client, userPath(client, "conversations"), userPath(client, "conversations?archived=1"), userPath(client, "sync"),
			convPath(w.group, "message?after_seq=0"), convPath(w.group, "pins"))
	}
	return calls
}

// pack puts the files of a directory into an archive.
func pack(t *testing.T, dir, file string) {
	t.Helper()
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	zip := gzip.NewWriter(out)
	archive := tar.NewWriter(zip)
	// The lock, the socket and the shared memory are of no use without the process they were of.
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || strings.HasSuffix(path, "-shm") || strings.HasSuffix(path, ".lock") {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := archive.WriteHeader(&tar.Header{Name: filepath.ToSlash(name), Mode: 0o600, Size: int64(len(content))}); err != nil {
			return err
		}
		_, err = archive.Write(content)
		return err
	})
	if err := errors.Join(err, archive.Close(), zip.Close(), out.Close()); err != nil {
		t.Fatal(err)
	}
}

func unpack(t *testing.T, file, dir string) {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	zip, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(zip); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		content, err := io.ReadAll(archive)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o700)
		}
		if err == nil {
			err = os.WriteFile(path, content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
