package portable_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/portable"
)

// read returns the records of a folder as text, and its faults.
func read(dir string) (seen, faults []string, err error) {
	r, err := portable.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	err = r.Each(func(rec portable.Record) error {
		text, _ := json.Marshal(rec.Value)
		seen = append(seen, fmt.Sprintf("%s:%d %T %s", rec.List, rec.Line, rec.Value, text))
		return nil
	}, func(e *portable.LineError) error {
		faults = append(faults, e.Error())
		return nil
	})
	return seen, faults, errors.Join(err, r.Close())
}

func TestAReaderShowsWhatAWriterWrote(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	write(t, dir)
	seen, faults, err := read(dir)
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	var order []string
	for _, s := range seen {
		at, _, _ := strings.Cut(s, " {")
		order = append(order, at)
	}
	want := []string{
		"files:1 *portable.File", "clients:1 *portable.Client", "clients:2 *portable.Client",
		"conversations:1 *portable.Conversation", "members:1 *portable.Member", "members:2 *portable.Member",
		"messages:1 *portable.Message", "messages:2 *portable.Message", "changes:1 *portable.Change", "conversations:1 <nil> null",
		"conversations:2 *portable.Conversation", "members:3 *portable.Member", "messages:3 *portable.Message", "conversations:2 <nil> null",
	}
	if !slices.Equal(order, want) {
		t.Errorf("got %q, want %q", order, want)
	}
	if text := strings.Join(seen, "\n"); !strings.Contains(text, `x_old`) || !strings.Contains(text, "深 🌊") {
		t.Errorf("got %s", text)
	}
}

// rewrite replaces a list by lines and updates the manifest.
func rewrite(t *testing.T, dir, name string, change func(lines []string) []string) {
	t.Helper()
	packed := filepath.Join(dir, name+".jsonl.gz")
	raw, err := os.ReadFile(packed)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	lines := change(slices.Collect(strings.Lines(string(plain))))
	text := strings.Join(lines, "")
	sum := sha256.Sum256([]byte(text))
	editManifest(t, dir, func(m map[string]any) {
		m["lists"].(map[string]any)[name] = map[string]any{"lines": len(lines), "sha256": hex.EncodeToString(sum[:])}
	})
	if err := errors.Join(os.Remove(packed), os.WriteFile(filepath.Join(dir, name+".jsonl"), []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func editManifest(t *testing.T, dir string, change func(map[string]any)) {
	t.Helper()
	path := filepath.Join(dir, portable.ManifestFile)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	raw, _ = json.Marshal(m)
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// replaced returns a function that replaces a text in all lines.
func replaced(from, to string) func([]string) []string {
	return func(lines []string) []string {
		return slices.Collect(strings.Lines(strings.ReplaceAll(strings.Join(lines, ""), from, to)))
	}
}

func TestAFolderThatIsNotWholeIsRefused(t *testing.T) {
	file := strings.Repeat("a", 32) + ".txt"
	for name, tt := range map[string]struct {
		harm func(t *testing.T, dir string)
		want string
	}{
		"no manifest": {func(t *testing.T, dir string) { remove(t, dir, portable.ManifestFile) }, "no manifest.json"},
		"no app.json": {func(t *testing.T, dir string) { remove(t, dir, portable.AppFile) }, "app.json is missing"},
		"app.json of another hash": {func(t *testing.T, dir string) {
			put(t, dir, portable.AppFile, `{"app_id":"shop"}`)
		}, "app.json is not as it was written"},
		"a list is missing":      {func(t *testing.T, dir string) { remove(t, dir, "members.jsonl.gz") }, "members.jsonl.gz is missing"},
		"a file is missing":      {func(t *testing.T, dir string) { remove(t, dir, "files/"+file) }, "files: line 1"},
		"a file of another size": {func(t *testing.T, dir string) { put(t, dir, "files/"+file, "contents") }, "files: line 1: size"},
		"a list is cut": {func(t *testing.T, dir string) {
			harm(t, dir, "messages.jsonl.gz", func(b []byte) []byte { return b[:len(b)-12] })
		}, "messages: after line"},
		"a list is cut in its header": {func(t *testing.T, dir string) {
			harm(t, dir, "messages.jsonl.gz", func(b []byte) []byte { return b[:3] })
		}, "messages: after line 0"},
		"a byte is flipped": {func(t *testing.T, dir string) {
			harm(t, dir, "messages.jsonl.gz", func(b []byte) []byte { b[len(b)/2] ^= 4; return b })
		}, "messages"},
		"a plain line differs from the hash": {func(t *testing.T, dir string) {
			rewrite(t, dir, "messages", func(l []string) []string { return l })
			harm(t, dir, "messages.jsonl", func(b []byte) []byte { return bytes.Replace(b, []byte("hello"), []byte("hallo"), 1) })
		}, "messages is not as it was written"},
		"a line more than the manifest says": {func(t *testing.T, dir string) {
			rewrite(t, dir, "clients", func(l []string) []string { return l })
			harm(t, dir, "clients.jsonl", func(b []byte) []byte { return append(b, b...) })
		}, "clients has more lines than the 2"},
		"a line less": {func(t *testing.T, dir string) {
			rewrite(t, dir, "clients", func(l []string) []string { return l })
			harm(t, dir, "clients.jsonl", func(b []byte) []byte { return b[bytes.IndexByte(b, '\n')+1:] })
		}, "clients has 1 lines"},
		"the last line has no end": {func(t *testing.T, dir string) {
			rewrite(t, dir, "clients", func(l []string) []string { return l })
			harm(t, dir, "clients.jsonl", func(b []byte) []byte { return b[:len(b)-1] })
		}, "the last line has no end"},
		"a huge line": {func(t *testing.T, dir string) {
			rewrite(t, dir, "messages", replaced("hello", strings.Repeat("x", 2<<20)))
		}, "messages: line 1: is longer than 1 MiB"},
		"both forms of a list": {func(t *testing.T, dir string) { put(t, dir, "clients.jsonl", "") }, "both clients.jsonl.gz and clients.jsonl"},
		"a list that is a link": {func(t *testing.T, dir string) {
			remove(t, dir, "clients.jsonl.gz")
			if err := os.Symlink("/etc/passwd", filepath.Join(dir, "clients.jsonl")); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"a file that is a link": {func(t *testing.T, dir string) {
			remove(t, dir, "files/"+file)
			if err := os.Symlink("/etc/passwd", filepath.Join(dir, "files", file)); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"a newer version": {func(t *testing.T, dir string) { editManifest(t, dir, func(m map[string]any) { m["version"] = 2 }) }, "none newer than 1"},
		"another format":  {func(t *testing.T, dir string) { editManifest(t, dir, func(m map[string]any) { m["format"] = "tar" }) }, `format: is "tar"`},
		"a manifest less a list": {func(t *testing.T, dir string) {
			editManifest(t, dir, func(m map[string]any) { delete(m["lists"].(map[string]any), "changes") })
		}, "lists"},
		"a manifest that is no JSON": {func(t *testing.T, dir string) { put(t, dir, portable.ManifestFile, `{"format":`) }, "manifest.json"},
		"bytes of files that are not there": {func(t *testing.T, dir string) {
			editManifest(t, dir, func(m map[string]any) { m["file_bytes"] = 8 })
		}, "file_bytes"},
	} {
		dir := filepath.Join(t.TempDir(), "a")
		write(t, dir)
		tt.harm(t, dir)
		_, faults, err := read(dir)
		if got := fmt.Sprint(faults, err); !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}

func TestALineWithAFaultIsNamedByListLineAndField(t *testing.T) {
	for name, tt := range map[string]struct {
		list   string
		change func([]string) []string
		want   string
	}{
		"a gap in seq":                {"messages", replaced(`"seq":2`, `"seq":7`), "messages: line 2: seq: is 7, want 2"},
		"one seq twice":               {"messages", replaced(`"seq":2`, `"seq":1`), "messages: line 2: seq: is 1, want 2"},
		"a gap in change_seq":         {"changes", replaced(`"change_seq":1`, `"change_seq":2`), "changes: line 1: change_seq: is 2, want 1"},
		"one hid it twice":            {"messages", replaced(`"ctime":4`, `"ctime":4,"hidden_for":["Tom","Tom"]`), "messages: line 1: hidden_for"},
		"one emoji twice":             {"messages", replaced(`"ctime":4`, `"ctime":4,"reactions":[{"emoji":"x","client_id":"Tom","change_seq":1},{"emoji":"x","client_id":"Tom","change_seq":2}]`), "messages: line 1: reactions"},
		"a position beyond the end":   {"members", replaced(`"join_seq":1`, `"join_seq":1,"read_seq":9`), "conversations: line 1: last_seq: is 2, and a member's read_seq"},
		"a change_seq beyond the end": {"messages", replaced(`"ctime":4`, `"ctime":4,"change_seq":9`), "conversations: line 1: last_change: is 1, and a message"},
		"a change of no message":      {"changes", replaced(`"seq":2,"time"`, `"seq":9,"time"`), "changes: line 1: seq: 9 is no message"},
		"a member of nowhere":         {"members", replaced("02000000", "0f000000"), "members: line 3: conv_id"},
		"a message of nowhere":        {"messages", replaced(`"conv_id":"02000000`, `"conv_id":"0f000000`), "messages: line 3: conv_id"},
		"fewer messages than said":    {"conversations", replaced(`"last_seq":2`, `"last_seq":3`), "conversations: line 1: last_seq: is 3"},
		"a line that is no JSON":      {"clients", replaced(`"Jerry"`, `Jerry`), "clients: line 2: is not a JSON object"},
		"a line that is a list":       {"clients", func(l []string) []string { return []string{l[0], "[1]\n"} }, "clients: line 2"},
		"two values in a line":        {"clients", func(l []string) []string { return []string{l[0], "{} {}\n"} }, "clients: line 2"},
		"an empty line":               {"clients", func(l []string) []string { return []string{l[0], "\n"} }, "clients: line 2: is empty"},
		"a line that nests deep": {"clients", func(l []string) []string {
			return []string{l[0], strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + "\n"}
		}, "clients: line 2: nests deeper"},
		"a name twice":              {"clients", replaced(`"ctime":1`, `"ctime":1,"ctime":2`), "clients: line 1"},
		"a text that is a number":   {"clients", replaced(`"Jerry"`, `7`), "clients: line 2: client_id"},
		"a number that is a text":   {"clients", replaced(`"ctime":1`, `"ctime":"1"`), "clients: line 1: ctime"},
		"a number beyond 2^63":      {"clients", replaced(`"ctime":1`, `"ctime":99999999999999999999`), "clients: line 1: ctime"},
		"a number beyond 2^53":      {"clients", replaced(`"ctime":1`, `"ctime":9007199254740993`), "clients: line 1: ctime"},
		"text that is not UTF-8":    {"messages", replaced("hello", "h\xffllo"), "messages: line 1"},
		"U+0000 in a text":          {"messages", replaced("hello", `h\u0000llo`), "messages: line 1: text: holds U+0000"},
		"U+0000 in a list of texts": {"messages", replaced(`"ctime":4`, `"ctime":4,"x_new":{"l":["a","\u0000"]}`), "messages: line 1: x_new.l.1: holds U+0000"},
		"U+0000 in a name within":   {"clients", replaced(`"ctime":1`, `"ctime":1,"x_new":{"\u0000":1}`), "clients: line 1: x_new: holds U+0000"},
		"U+0000 in a field's name":  {"clients", replaced(`"ctime":1`, `"ctime":1,"\u0000":1`), "clients: line 1: unknown fields: holds U+0000"},
		"a conv_id in capitals":     {"conversations", replaced("01000000", "0A000000"), "conversations: line 1: conv_id"},
		"a file name with a path":   {"files", replaced(strings.Repeat("a", 32), "../../etc/passwd"), "files: line 1: name"},
		"a file name with a device": {"files", replaced(strings.Repeat("a", 32)+".txt", "CON"), "files: line 1: name"},
		"a title with a path":       {"files", replaced(`"ctime"`, `"title":"../x","ctime"`), "files: line 1: title"},
		"an unknown field within":   {"conversations", replaced(`"ctime":2`, `"ctime":2,"sanctions":[{"client_id":"Tom","x":1}]`), "conversations: line 1: sanctions"},
		"a hash of another length":  {"messages", replaced(`"ctime":4`, `"ctime":4,"content_hash":"AAAA"`), "messages: line 1: content_hash"},
	} {
		dir := filepath.Join(t.TempDir(), "a")
		write(t, dir)
		rewrite(t, dir, tt.list, tt.change)
		_, faults, err := read(dir)
		if len(faults) == 0 || !slices.ContainsFunc(faults, func(f string) bool { return strings.HasPrefix(f, tt.want) }) {
			t.Errorf("%s: got %q, %v, want %s", name, faults, err, tt.want)
		}
	}
}

func TestABackslashBeforeU0000IsText(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	write(t, dir)
	rewrite(t, dir, "messages", replaced("hello", `\\u0000`))
	seen, faults, err := read(dir)
	if text := strings.Join(seen, "\n"); err != nil || len(faults) > 0 || !strings.Contains(text, `"text":"\\u0000"`) {
		t.Errorf("got %s, %q, %v", text, faults, err)
	}
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func harm(t *testing.T, dir, name string, change func([]byte) []byte) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, name, string(change(raw)))
}
