package portable_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/portable"
)

var (
	conv1 = skein.ID{1}
	conv2 = skein.ID{2}
)

func client(id string) portable.Client { return portable.Client{ID: id, Created: 1} }

func group(id skein.ID) portable.Conversation {
	return portable.Conversation{ID: id, Type: 3, Creator: "Tom", Created: 2}
}

func member(conv skein.ID, id string) portable.Member {
	return portable.Member{Conv: conv, Client: id, Joined: 3, JoinSeq: 1}
}

func message(conv skein.ID, seq int64, text string) portable.Message {
	return portable.Message{Conv: conv, Seq: seq, ID: skein.ID{conv[0], byte(seq), 9}, Sender: "Tom", Type: -1, Text: text, Created: 4}
}

// write makes a folder of two conversations.
func write(t *testing.T, dir string) {
	t.Helper()
	w, err := portable.Create(dir, portable.Manifest{Source: "a test", AppID: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	deep := message(conv2, 1, "深 🌊")
	deep.Attr, deep.Unknown = jsontext.Value(`{"b":1e2,"a":"\u0041"}`), jsontext.Value(`{"x_old":[1,{"y":null}]}`)
	for i, err := range []error{
		w.App(portable.App{ID: "shop", Name: "Shop"}),
		w.Client(client("Tom")), w.Client(client("Jerry")),
		w.Conversation(group(conv1)), w.Member(member(conv1, "Tom")), w.Member(member(conv1, "Jerry")),
		w.Message(message(conv1, 1, "hello")), w.Message(message(conv1, 2, "你好")),
		w.Change(portable.Change{Conv: conv1, Seq: 1, Kind: "pin", MsgSeq: 2, At: 5, On: true}),
		w.Conversation(group(conv2)), w.Member(member(conv2, "Tom")), w.Message(deep),
		w.File(portable.File{Name: strings.Repeat("a", 32) + ".txt", Created: 6}, strings.NewReader("content")),
		w.Close(time.UnixMilli(1000)),
	} {
		if err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
}

func TestTheSameRecordsMakeTheSameBytes(t *testing.T) {
	a, b := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	write(t, a)
	write(t, b)
	entries, err := os.ReadDir(a)
	if err != nil || len(entries) != 9 {
		t.Fatalf("got %v, %v; want 6 lists, app.json, manifest.json and files", entries, err)
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		one, _ := os.ReadFile(filepath.Join(a, e.Name()))
		other, _ := os.ReadFile(filepath.Join(b, e.Name()))
		if !bytes.Equal(one, other) {
			t.Errorf("%s: %q and %q", e.Name(), one, other)
		}
	}
	raw, _ := os.ReadFile(filepath.Join(a, portable.ManifestFile))
	var m portable.Manifest
	if err := json.Unmarshal(raw, &m); err != nil || m.Lists[portable.Messages].Lines != 3 || m.Bytes != 7 || m.Version != 1 || m.Time != 1000 {
		t.Errorf("got %s, %v", raw, err)
	}
}

func TestAWriterRefusesWhatIsWrongAndGoesOn(t *testing.T) {
	w, err := portable.Create(filepath.Join(t.TempDir(), "out"), portable.Manifest{Source: "a test", AppID: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	bad := func(m portable.Message, change func(*portable.Message)) portable.Message { change(&m); return m }
	for name, tt := range map[string]struct {
		do    func() error
		field string
	}{
		"a client without an id":         {func() error { return w.Client(client("")) }, "client_id"},
		"a client id of other letters":   {func() error { return w.Client(client("汤姆")) }, "client_id"},
		"a client without a time":        {func() error { return w.Client(portable.Client{ID: "Tom"}) }, "ctime"},
		"a member before a conversation": {func() error { return w.Member(member(conv1, "Tom")) }, "conv_id"},
		"a type that is none": {func() error {
			return w.Conversation(portable.Conversation{ID: conv1, Type: 9, Creator: "Tom", Created: 1})
		}, "conv_type"},
		"a type beyond a byte": {func() error {
			return w.Conversation(portable.Conversation{ID: conv1, Type: 259, Creator: "Tom", Created: 1})
		}, "conv_type"},
	} {
		err := tt.do()
		if e, ok := errors.AsType[*portable.LineError](err); !ok || e.Field() != tt.field {
			t.Errorf("%s: got %v, want %s", name, err, tt.field)
		}
	}
	if err := errors.Join(w.Conversation(group(conv1)), w.Member(member(conv1, "Tom")), w.Message(message(conv1, 1, "one"))); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		m     portable.Message
		field string
	}{
		"a gap":                    {message(conv1, 3, "three"), "seq"},
		"the same seq again":       {message(conv1, 1, "one"), "seq"},
		"another conversation":     {message(conv2, 1, "one"), "conv_id"},
		"a blank text":             {message(conv1, 2, " "), "text"},
		"a recalled one with text": {bad(message(conv1, 2, "x"), func(m *portable.Message) { m.Status = 3 }), "msg_status"},
		"an attr that is no JSON":  {bad(message(conv1, 2, "x"), func(m *portable.Message) { m.Attr = jsontext.Value(`{"a":`) }), "attr"},
		"an attr with two of a name": {
			bad(message(conv1, 2, "x"), func(m *portable.Message) { m.Attr = jsontext.Value(`{"a":1,"a":2}`) }), "attr"},
		"an attr that is deep": {
			bad(message(conv1, 2, "x"), func(m *portable.Message) {
				m.Attr = jsontext.Value(strings.Repeat("[", 32) + strings.Repeat("]", 32))
			}), "attr"},
	} {
		err := w.Message(tt.m)
		if e, ok := errors.AsType[*portable.LineError](err); !ok || e.Line != 2 || e.Field() != tt.field {
			t.Errorf("%s: got %v, want line 2, %s", name, err, tt.field)
		}
	}
	if err := errors.Join(w.Message(message(conv1, 2, "two")), w.Close(time.UnixMilli(1))); err != nil {
		t.Error(err)
	}
}

func TestAnUnfinishedFolderIsBegunAnewAndAWholeOneIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	w, err := portable.Create(dir, portable.Manifest{AppID: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Abandon(); err != nil {
		t.Fatal(err)
	}
	write(t, dir)
	if _, err := portable.Create(dir, portable.Manifest{AppID: "shop"}); err == nil {
		t.Error("a whole folder was written over")
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := portable.Create(other, portable.Manifest{AppID: "shop"}); err == nil {
		t.Error("a folder that holds something else was taken")
	}
}

func TestAWriterRefusesU0000(t *testing.T) {
	const nul = "a\x00b"
	w, err := portable.Create(t.TempDir(), portable.Manifest{Source: "a test", AppID: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	named := group(conv1)
	named.Extend = jsontext.Value(`{"name":"a\u0000b"}`)
	known := client("Tom")
	known.Ext = jsontext.Value(`{"a\u0000b":1}`)
	for field, add := range map[string]func() error{
		"name":        func() error { return w.App(portable.App{ID: "shop", Name: nul}) },
		"ext":         func() error { return w.Client(known) },
		"conv_extend": func() error { return w.Conversation(named) },
	} {
		if err := add(); err == nil || !strings.Contains(err.Error(), field) || !strings.Contains(err.Error(), "U+0000") {
			t.Errorf("%s: got %v, want an error that names the field and U+0000", field, err)
		}
	}
	for _, err := range []error{w.Client(client("Tom")), w.Conversation(group(conv1)), w.Member(member(conv1, "Tom"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Message(message(conv1, 1, nul)); err == nil || !strings.Contains(err.Error(), "text: holds U+0000") {
		t.Errorf("a message: got %v, want an error that names text and U+0000", err)
	}
	if err := errors.Join(w.Message(message(conv1, 1, "ab")), w.Close(time.UnixMilli(1000))); err != nil {
		t.Errorf("the writer cannot go on after a refusal: %v", err)
	}
}
