package leancloud

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein/internal/portable"
	"github.com/skein-im/skein/internal/portable/convert"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
)

// Names of the tests' conversations and messages.
const (
	groupID = "5eccba570d3a42c5fd4e25c3"
	otherID = "5eccba570d3a42c5fd4e25c4"
	thirdID = "5eccba570d3a42c5fd4e25c5"
	dumped  = 1_700_000_000_000
)

// msgID returns the n-th msg-id.
func msgID(n int) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return fmt.Sprintf("vdkGm4dtRNmhQ5gqUTFB%cA", digits[n])
}

// conv returns a row of _Conversation.
func conv(id, more string) string {
	return fmt.Sprintf(`{"objectId":%q,"createdAt":"2020-05-26T06:42:31.482Z","updatedAt":"2020-05-27T06:42:31.492Z"%s}`, id, more)
}

// msg returns a row of a history.
func msg(n int, at int64, from, data, more string) string {
	return fmt.Sprintf(`{"timestamp":%d,"conv-id":"%s00000000","data":%s,"from":%q,"msg-id":%q,"is-conv":true,"is-room":false,"to":%q,"bin":false,"from-ip":null%s}`,
		at, groupID, data, from, msgID(n), groupID, more)
}

// content is the content of a dump: lines by list, messages by conversation.
type dumpContent struct {
	lists    map[string][]string
	messages map[string][]string
	system   map[string][]string
	time     int64 // zero: dumped
}

// write writes the folder of a dump.
func (c dumpContent) write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	m := folder.Manifest{Format: folder.Format, Version: folder.Version, AppID: "app-gzGzoHsz", Time: cmp.Or(c.time, dumped), Complete: true, Lists: map[string]folder.List{}}
	put := func(name string, lines []string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, lines := range c.lists {
		put(name, lines)
		m.Lists[name] = folder.List{Lines: int64(len(lines))}
	}
	for id, lines := range c.messages {
		put(folder.MessagesFile(id), lines)
		m.Messages.Count += int64(len(lines))
	}
	for id, lines := range c.system {
		put(folder.SystemFile(id), lines)
		m.Messages.Count += int64(len(lines))
	}
	raw, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	put(folder.ManifestFile, []string{string(raw)})
	return dir
}

// result is the output of a conversion.
type result struct {
	app           portable.App
	clients       []string
	born          map[string]int64 // ctime of clients
	conversations map[string]portable.Conversation
	members       map[string][]portable.Member
	messages      map[string][]portable.Message
	lines         []convert.Line
	sum           convert.Summary
	out           string
}

func (c dumpContent) convert(t *testing.T, o Options) result {
	t.Helper()
	o.From, o.Out = c.write(t), filepath.Join(t.TempDir(), "out")
	sum, err := Convert(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, o.Out, sum)
}

func read(t *testing.T, out string, sum convert.Summary) result {
	t.Helper()
	got := result{sum: sum, out: out, born: map[string]int64{}, conversations: map[string]portable.Conversation{}, members: map[string][]portable.Member{}, messages: map[string][]portable.Message{}}
	r, err := portable.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got.app = r.App
	err = r.Each(func(rec portable.Record) error {
		switch v := rec.Value.(type) {
		case *portable.Client:
			got.clients = append(got.clients, v.ID)
			got.born[v.ID] = v.Created
		case *portable.Conversation:
			got.conversations[v.ID.String()] = *v
		case *portable.Member:
			got.members[v.Conv.String()] = append(got.members[v.Conv.String()], *v)
		case *portable.Message:
			got.messages[v.Conv.String()] = append(got.messages[v.Conv.String()], *v)
		}
		return nil
	}, func(e *portable.LineError) error { return e })
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(out, convert.ReportFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		var l convert.Line
		if err := json.Unmarshal(in.Bytes(), &l, jsontext.AllowInvalidUTF8(true)); err != nil {
			t.Fatalf("%s: %v", in.Bytes(), err)
		}
		got.lines = append(got.lines, l)
	}
	return got
}

// reported counts the records with an outcome and a reason that begins with a text.
func (r result) reported(o convert.Outcome, why string) (n int64) {
	for _, c := range r.sum.Counts {
		if c.Outcome == o && strings.HasPrefix(c.Why, why) {
			n += c.Records
		}
	}
	return n
}

// said returns the report as text, for failures.
func (r result) said() string {
	var b strings.Builder
	for _, c := range r.sum.Counts {
		fmt.Fprintf(&b, "%s %s %d: %s\n", c.Kind, c.Outcome, c.Records, c.Why)
	}
	return b.String()
}

func full(id string) string { return id + "00000000" }
