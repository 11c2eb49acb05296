package leancloud

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
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

// msgID is the n-th msg-id.
func msgID(n int) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return fmt.Sprintf("vdkGm4dtRNmhQ5gqUTFB%cA", digits[n])
}

// conv is a row of _Conversation.
func conv(id, more string) string {
	return fmt.Sprintf(`{"objectId":%q,"createdAt":"2020-05-26T06:42:31.482Z","updatedAt":"2020-05-27T06:42:31.492Z"%s}`, id, more)
}

// msg is a row of a history.
func msg(n int, at int64, from, data, more string) string {
	return fmt.Sprintf(`{"timestamp":%d,"conv-id":"%s00000000","data":%s,"from":%q,"msg-id":%q,"is-conv":true,"is-room":false,"to":%q,"bin":false,"from-ip":null%s}`,
		at, groupID, data, from, msgID(n), groupID, more)
}

// content is what a dump holds: lines by list, messages by conversation.
type dumpContent struct {
	lists    map[string][]string
	messages map[string][]string
	system   map[string][]string
	time     int64 // dumped where it is zero
}

// write makes the folder of a dump.
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

// result is what a conversion made.
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

// reported is how many records had an outcome for a reason that begins so.
func (r result) reported(o convert.Outcome, why string) (n int64) {
	for _, c := range r.sum.Counts {
		if c.Outcome == o && strings.HasPrefix(c.Why, why) {
			n += c.Records
		}
	}
	return n
}

// said is the reports as text, for failures.
func (r result) said() string {
	var b strings.Builder
	for _, c := range r.sum.Counts {
		fmt.Fprintf(&b, "%s %s %d: %s\n", c.Kind, c.Outcome, c.Records, c.Why)
	}
	return b.String()
}

func full(id string) string { return id + "00000000" }

func TestAConversationBecomesWhatItIs(t *testing.T) {
	for name, tt := range map[string]struct {
		rows     []string
		want     int // conv_type of the last
		members  string
		creator  string
		reported string // outcome and reason, when there is one
	}{
		"a group":                      {rows: []string{conv(groupID, `,"m":["a","b","c"],"c":"b"`)}, want: 3, members: "a b:owner c", creator: "b"},
		"two members alone":            {rows: []string{conv(groupID, `,"m":["a","b"],"c":"a"`)}, want: 3, members: "a:owner b", creator: "a"},
		"two members and unique":       {rows: []string{conv(groupID, `,"m":["a","b"],"c":"a","unique":true`)}, want: 1, members: "a b", creator: "a"},
		"three members and unique":     {rows: []string{conv(groupID, `,"m":["a","b","c"],"c":"a","unique":true`)}, want: 3, members: "a:owner b c", creator: "a"},
		"a pair of one and itself":     {rows: []string{conv(groupID, `,"m":["a","a"],"c":"a","unique":true`)}, want: 3, members: "a:owner", creator: "a", reported: "changed conv_type: marked"},
		"a pair, one of it twice":      {rows: []string{conv(groupID, `,"m":["a","b","a"],"c":"a","unique":true`)}, want: 1, members: "a b", creator: "a", reported: "merged named twice"},
		"the second of one pair":       {rows: []string{conv(groupID, `,"m":["a","b"],"c":"a","unique":true`), conv(otherID, `,"m":["b","a"],"c":"b","unique":true`)}, want: 3, members: "b:owner a", creator: "b", reported: "changed conv_type: the second"},
		"a pair made by a third":       {rows: []string{conv(groupID, `,"m":["a","b"],"c":"x","unique":true`)}, want: 1, members: "a b", creator: "a", reported: "changed creator: the source names none of"},
		"a chat room":                  {rows: []string{conv(groupID, `,"tr":true,"m":["a","b"],"c":"z"`)}, want: 4, members: "z:owner", creator: "z", reported: "skipped m of a chat room"},
		"a chat room with unique":      {rows: []string{conv(groupID, `,"tr":true,"unique":true,"m":["a","b"]`)}, want: 4, creator: "leancloud", reported: "skipped m of a chat room"},
		"without a creator":            {rows: []string{conv(groupID, `,"m":["a","b"]`)}, want: 3, members: "a b", creator: "leancloud", reported: "changed creator"},
		"a creator who has left":       {rows: []string{conv(groupID, `,"m":["a","b"],"c":"z"`)}, want: 3, members: "a b", creator: "z"},
		"a creator who cannot be":      {rows: []string{conv(groupID, `,"m":["a"],"c":"no one"`)}, want: 3, members: "a", creator: "leancloud", reported: "changed creator"},
		"doubles and numbers in m":     {rows: []string{conv(groupID, `,"m":["a",7,7.0,"a",7e0,"7"],"c":"a"`)}, want: 3, members: "a:owner 7", creator: "a", reported: "merged named twice"},
		"no client id in m":            {rows: []string{conv(groupID, `,"m":["a",null,true,1.5,"","é",{"x":1},"a b"],"c":"a"`)}, want: 3, members: "a:owner", creator: "a", reported: "refused client_id"},
		"m that is no list":            {rows: []string{conv(groupID, `,"m":"a","c":"a"`)}, want: 3, creator: "a", reported: "refused client_id"},
		"muted by one, and a stranger": {rows: []string{conv(groupID, `,"m":["a","b"],"mu":["b","z"],"c":"a"`)}, want: 3, members: "a:owner b:muted", creator: "a", reported: "skipped of a client who is no member"},
	} {
		t.Run(name, func(t *testing.T) {
			got := dumpContent{lists: map[string][]string{folder.ConversationsFile: tt.rows}}.convert(t, Options{})
			id := groupID
			if len(tt.rows) > 1 {
				id = otherID
			}
			c, ok := got.conversations[full(id)]
			if !ok || c.Type != tt.want || c.Creator != tt.creator {
				t.Errorf("got %+v, want type %d by %s", c, tt.want, tt.creator)
			}
			var members []string
			for _, m := range got.members[full(id)] {
				text := m.Client
				if m.Role != "" {
					text += ":" + m.Role
				}
				if m.Muted {
					text += ":muted"
				}
				members = append(members, text)
			}
			if list := strings.Join(members, " "); list != tt.members {
				t.Errorf("members: got %q, want %q", list, tt.members)
			}
			if outcome, why, ok := strings.Cut(tt.reported, " "); ok && got.reported(convert.Outcome(outcome), why) == 0 {
				t.Errorf("not reported: %s; the report:\n%s", tt.reported, got.said())
			}
		})
	}
}

func TestColumnsGoToConvExtend(t *testing.T) {
	long := `"` + strings.Repeat("x", 10<<10) + `"`
	for name, tt := range map[string]struct {
		columns, want, reported string
	}{
		"name, attr and columns of the app": {`,"zoo":9007199254740993,"attr":{"a":1},"name":"n","ACL":{"*":{}},"uniqueId":"u","lm":{"__type":"Date","iso":"2020-05-28T06:42:31.482Z"}`, `{"name":"n","attr":{"a":1},"zoo":9007199254740993}`, ""},
		"nothing":                           {`,"name":null`, ``, ""},
		"what does not fit":                 {`,"a":` + long + `,"b":` + long + `,"name":"n"`, `{"name":"n","a":` + long + `}`, "changed conv_extend: over 16 KiB"},
		"U+0000 and half a surrogate pair":  {`,"name":"a\u0000b\ud83d"`, "{\"name\":\"a\uFFFDb\uFFFD\"}", "changed conv_extend: U+0000"},
		"a number beyond a double":          {`,"attr":{"n":1e999}`, `{"attr":"{\"n\":1e999}"}`, "changed conv_extend: JSON"},
		"a key twice":                       {`,"attr":{"n":1,"n":2}`, `{"attr":"{\"n\":1,\"n\":2}"}`, "changed conv_extend: JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			got := dumpContent{lists: map[string][]string{folder.ConversationsFile: {conv(groupID, `,"m":["a"],"c":"a"`+tt.columns)}}}.convert(t, Options{})
			if c := got.conversations[full(groupID)]; string(c.Extend) != tt.want {
				t.Errorf("got %s, want %s", c.Extend, tt.want)
			}
			if outcome, why, ok := strings.Cut(tt.reported, " "); ok && got.reported(convert.Outcome(outcome), why) == 0 {
				t.Errorf("not reported: %s; the report:\n%s", tt.reported, got.said())
			}
		})
	}
}

func TestMessagesAreNumberedByTimeAndThenByMsgID(t *testing.T) {
	got := dumpContent{
		lists: map[string][]string{folder.ConversationsFile: {conv(groupID, `,"m":["a","b"],"c":"a"`)}},
		messages: map[string][]string{groupID: {
			msg(3, 1600000000002, "a", `"fourth"`, ""), msg(2, 1600000000001, "b", `"third"`, ""),
			msg(1, 1600000000001, "a", `"second"`, ""), msg(4, 1600000000000, "a", `"first"`, ""),
		}},
	}.convert(t, Options{})
	var said []string
	for i, m := range got.messages[full(groupID)] {
		said = append(said, m.Text)
		if m.Seq != int64(i+1) {
			t.Errorf("seq: got %d, want %d", m.Seq, i+1)
		}
	}
	if text := strings.Join(said, " "); text != "first second third fourth" {
		t.Errorf("got %s", text)
	}
	if sent := got.members[full(groupID)]; sent[0].SentSeq != 4 || sent[1].SentSeq != 3 || sent[0].ReadSeq != 0 {
		t.Errorf("positions: got %+v", sent)
	}
}

func TestEachTrapHasItsOutcome(t *testing.T) {
	group := conv(groupID, `,"m":["a","b"],"c":"a"`)
	for name, tt := range map[string]struct {
		c        dumpContent
		said     string // texts in the group
		reported []string
	}{
		"rows doubled between pages": {
			c:    dumpContent{messages: map[string][]string{groupID: {msg(1, 1600000000001, "a", `"x"`, ""), msg(2, 1600000000001, "a", `"y"`, ""), msg(1, 1600000000001, "a", `"x"`, `,"ack-at":1600000000009`)}}},
			said: "x y", reported: []string{"merged read more than once"},
		},
		"a row that was edited between two pages": {
			c:    dumpContent{messages: map[string][]string{groupID: {msg(1, 1600000000001, "a", `"new"`, `,"patch-timestamp":1600000000005`), msg(1, 1600000000001, "a", `"old"`, "")}}},
			said: "new", reported: []string{"merged read more than once, with different", "noted was edited"},
		},
		"a row that was recalled between two pages": {
			c:    dumpContent{messages: map[string][]string{groupID: {msg(1, 1600000000001, "a", `"{\"_lctype\":-127}"`, ""), msg(1, 1600000000001, "a", `"old"`, `,"patch-timestamp":1600000000005`)}}},
			said: "", reported: []string{"merged read more than once, with different"},
		},
		"one msg-id at two moments": {
			c:    dumpContent{messages: map[string][]string{groupID: {msg(1, 1600000000001, "a", `"x"`, ""), msg(1, 1600000000002, "a", `"y"`, "")}}},
			said: "x y", reported: []string{"changed msg_id: another message has it"},
		},
		"one msg-id in two conversations": {
			c: dumpContent{
				lists:    map[string][]string{folder.ConversationsFile: {group, conv(otherID, `,"m":["a"],"c":"a"`)}},
				messages: map[string][]string{groupID: {msg(1, 1600000000002, "a", `"x"`, "")}, otherID: {msg(1, 1600000000001, "a", `"y"`, "")}},
			},
			said: "x", reported: []string{"changed msg_id: another message has it"},
		},
		"one msg-id in two alphabets": {
			c: dumpContent{messages: map[string][]string{groupID: {
				strings.ReplaceAll(msg(1, 1600000000002, "a", `"x"`, ""), msgID(1), "4XC_IHK+Ry6CXzIPq_nc7Q"), strings.ReplaceAll(msg(1, 1600000000002, "a", `"y"`, ""), msgID(1), "4XC/IHK+Ry6CXzIPq/nc7Q"),
			}}},
			said: "y x", reported: []string{"changed msg_id: another message has it"},
		},
		"a sender who is no member": {
			c:    dumpContent{messages: map[string][]string{groupID: {msg(1, 1600000000001, "z", `"x"`, "")}}},
			said: "x", reported: []string{"noted the sender is not a member"},
		},
		"a sender who cannot be": {
			c:    dumpContent{messages: map[string][]string{groupID: {msg(1, 1600000000001, "z z", `"x"`, ""), msg(2, 1600000000001, "a", `"y"`, "")}}},
			said: "y", reported: []string{"refused client_id"},
		},
		"no sender": {
			c:    dumpContent{messages: map[string][]string{groupID: {`{"timestamp":1600000000001,"msg-id":"` + msgID(1) + `","data":"x"}`}}},
			said: "", reported: []string{"refused client_id"},
		},
		"a message of a conversation that is missing": {
			c:    dumpContent{messages: map[string][]string{otherID: {msg(1, 1600000000001, "a", `"x"`, "")}}},
			said: "", reported: []string{"made messages name it"},
		},
		"a message of a temporary conversation": {
			c:    dumpContent{messages: map[string][]string{"_tmp:abc": {`{"timestamp":1600000000001,"from":"a","msg-id":"` + msgID(1) + `","data":"x","conv-id":"_tmp:abc"}`}}},
			said: "", reported: []string{"skipped of a temporary conversation"},
		},
		"a system conversation": {
			c: dumpContent{
				lists:  map[string][]string{folder.ConversationsFile: {group, conv(otherID, `,"sys":true,"name":"news"`)}, folder.BroadcastsFile: {`{}`}, folder.SubscribersFile: {`{}`, `{}`}},
				system: map[string][]string{otherID: {msg(1, 1600000000001, "a", `"x"`, ""), msg(2, 1600000000001, "a", `"x"`, "")}},
			},
			said: "", reported: []string{"skipped a system conversation", "skipped of a system conversation", "skipped broadcasts", "skipped subscribers"},
		},
		"older than its conversation": {
			c:    dumpContent{messages: map[string][]string{groupID: {msg(1, 1500000000001, "a", `"x"`, "")}}},
			said: "x", reported: []string{"noted older than its conversation"},
		},
		"a time that is none": {
			c: dumpContent{messages: map[string][]string{groupID: {
				msg(1, 0, "a", `"x"`, ""), msg(2, -5, "a", `"x"`, ""), strings.Replace(msg(3, 7, "a", `"x"`, ""), `"timestamp":7`, `"timestamp":9007199254740993`, 1), strings.Replace(msg(3, 7, "a", `"x"`, ""), `"timestamp":7`, `"timestamp":"1600000000001"`, 1),
			}}},
			said: "x", reported: []string{"refused no time"},
		},
		"a row that is no object": {
			c:    dumpContent{messages: map[string][]string{groupID: {`[]`, `{"a":`, `{} {}`, `null`, ``}}},
			said: "", reported: []string{"refused not a JSON object"},
		},
		"a msg-id of another form": {
			c:    dumpContent{messages: map[string][]string{groupID: {strings.ReplaceAll(msg(1, 1600000000001, "a", `"x"`, ""), msgID(1), "short"), strings.ReplaceAll(msg(2, 1600000000001, "a", `"y"`, ""), msgID(2), "")}}},
			said: "x", reported: []string{"noted msg-id is not 22", "refused no msg_id"},
		},
		"a conversation read twice": {
			c:    dumpContent{lists: map[string][]string{folder.ConversationsFile: {group, conv(groupID, `,"m":["a","b","c"],"c":"a"`)}}},
			said: "", reported: []string{"merged the conversation was read twice"},
		},
		"a conversation without an id": {
			c:    dumpContent{lists: map[string][]string{folder.ConversationsFile: {group, `{"m":["a"]}`, `{"objectId":"weird","m":["a"]}`}}},
			said: "", reported: []string{"refused no objectId", "refused no id or no time"},
		},
		"a role of a stranger": {
			c:    dumpContent{lists: map[string][]string{folder.ConversationsFile: {group}, folder.MemberInfosFile: {`{"conv_id":"` + groupID + `","row":{"clientId":"z","role":"Manager"}}`, `{"conv_id":"` + otherID + `","row":{"clientId":"a","role":"Manager"}}`, `{"conv_id":"` + groupID + `","row":{"clientId":"a","role":"Member"}}`, `{"row":7}`}}},
			said: "", reported: []string{"skipped of a client who is no member", "skipped of a conversation that is not there", "merged the role Member", "refused not a JSON object"},
		},
		"received by one of two, and by someone in a group": {
			c: dumpContent{
				lists:    map[string][]string{folder.ConversationsFile: {group, conv(otherID, `,"m":["a","b","c"],"c":"a"`)}},
				messages: map[string][]string{groupID: {msg(1, 1600000000001, "a", `"x"`, `,"ack-at":1600000000002`)}, otherID: {msg(2, 1600000000001, "a", `"x"`, `,"ack-at":1600000000002`)}},
			},
			said: "x", reported: []string{"noted received"},
		},
		"fields that nobody knows": {
			c:    dumpContent{messages: map[string][]string{groupID: {msg(1, 1600000000001, "a", `"x"`, `,"shoe-size":43`)}}},
			said: "x", reported: []string{"noted has fields"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.c.lists == nil {
				tt.c.lists = map[string][]string{folder.ConversationsFile: {group}}
			}
			got := tt.c.convert(t, Options{})
			var said []string
			for _, m := range got.messages[full(groupID)] {
				if m.Text != "" {
					said = append(said, m.Text)
				}
			}
			if text := strings.Join(said, " "); text != tt.said {
				t.Errorf("the group says %q, want %q", text, tt.said)
			}
			for _, want := range tt.reported {
				outcome, why, _ := strings.Cut(want, " ")
				if got.reported(convert.Outcome(outcome), why) == 0 {
					t.Errorf("not reported: %s; the report:\n%s", want, got.said())
				}
			}
		})
	}
}

func TestClientIDsOutsideTheAlphabetSwitchItOnOrAreListed(t *testing.T) {
	c := dumpContent{
		lists: map[string][]string{
			folder.ConversationsFile: {conv(groupID, `,"m":["a","张三","b b"],"c":"张三"`)},
			folder.ClientsFile:       {`{"client_id":"张三","in":["m"]}`, `{"client_id":"b b","in":["m"]}`, `{"client_id":"a","in":["m"]}`},
		},
		messages: map[string][]string{groupID: {msg(1, 1600000000001, "张三", `"x"`, "")}},
	}
	got := c.convert(t, Options{})
	if got.app.Settings.RelaxedClientIDs || len(got.messages) != 0 {
		t.Errorf("got %+v and %v", got.app, got.messages)
	}
	var refused []string
	for _, u := range got.sum.Refused {
		refused = append(refused, u.Client)
	}
	if !slices.Equal(refused, []string{"张三", "b b"}) {
		t.Errorf("refused: %q", refused)
	}
	got = c.convert(t, Options{Rename: map[string]string{"张三": "zhang.san@x", "b b": "b-b"}})
	if !got.app.Settings.RelaxedClientIDs || len(got.sum.Refused) != 0 {
		t.Errorf("renamed: got %+v, refused %v", got.app, got.sum.Refused)
	}
	if m := got.messages[full(groupID)]; len(m) != 1 || m[0].Sender != "zhang.san@x" {
		t.Errorf("renamed: got %+v", m)
	}
}

// TestTheSameDumpMakesTheSameBytesHoweverLittleMemory also holds that nothing is lost on
// the way through files.
func TestTheSameDumpMakesTheSameBytesHoweverLittleMemory(t *testing.T) {
	c := dumpContent{lists: map[string][]string{}, messages: map[string][]string{}}
	n := 0
	for i := range 40 {
		id := fmt.Sprintf("5eccba570d3a42c5fd4e%04x", i*7919%65536)
		c.lists[folder.ConversationsFile] = append(c.lists[folder.ConversationsFile], conv(id, fmt.Sprintf(`,"m":["a","c%d"],"c":"a","unique":%t`, i/2, i%3 == 0)))
		for j := range 50 {
			n++
			row := msg(0, 1600000000000+int64(j*j%17), fmt.Sprintf("c%d", i/2), fmt.Sprintf(`"%d of %d 汉字 😀"`, j, i), "")
			c.messages[id] = append(c.messages[id], strings.ReplaceAll(row, msgID(0), fmt.Sprintf("vdkGm4dtRNmhQ5gq%05dA", n)))
		}
	}
	from := c.write(t)
	var first map[string][]byte
	for _, memory := range []int{0, 1 << 12, 0} {
		out := filepath.Join(t.TempDir(), "out")
		if _, err := Convert(t.Context(), Options{From: from, Out: out, Memory: memory}); err != nil {
			t.Fatal(err)
		}
		files := map[string][]byte{}
		entries, err := os.ReadDir(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if !e.IsDir() {
				if files[e.Name()], err = os.ReadFile(filepath.Join(out, e.Name())); err != nil {
					t.Fatal(err)
				}
			}
		}
		if first == nil {
			first = files
		}
		if len(files) != len(first) {
			t.Errorf("memory %d: %d files, want %d", memory, len(files), len(first))
		}
		for name, content := range files {
			if !bytes.Equal(content, first[name]) {
				t.Errorf("memory %d: %s differs", memory, name)
			}
		}
	}
}

func TestFilesThatTheDumpHasComeAlong(t *testing.T) {
	image := func(url string) string {
		return quoted(`{"_lctype":-2,"_lcfile":{"url":"` + url + `"}}`)
	}
	byID := quoted(`{"_lctype":-6,"_lcfile":{"objId":"5f01"}}`)
	const name = "9f86d081884c7d659a2feaa0c55ad015"
	const sum = name + "a3bf4f1b2b0b822cd15d6c15b0f00a08"
	c := dumpContent{
		lists: map[string][]string{
			folder.ConversationsFile: {conv(groupID, `,"m":["a"],"c":"a"`)},
			folder.FilesFile: {
				`{"url":"http://x.cn/1","id":"5f01","name":"图/1.txt","path":"files/one","size":4,"sha256":"` + sum + `"}`,
				`{"url":"http://x.cn/same","path":"files/one","size":4,"sha256":"` + sum + `"}`,
				`{"url":"http://x.cn/dead","error":"404"}`,
				`{"url":"http://x.cn/page","path":"files/page","size":4,"sha256":"` + sum + `"}`,
			},
			"files/one": {"test"},
		},
		messages: map[string][]string{groupID: {
			msg(1, 1600000000001, "a", image("http://x.cn/1"), ""), msg(2, 1600000000002, "a", image("http://x.cn/same"), ""), msg(3, 1600000000003, "a", byID, ""),
			msg(4, 1600000000004, "a", image("http://x.cn/dead"), ""), msg(5, 1600000000005, "a", image("http://x.cn/page"), ""),
		}},
	}
	dir := c.write(t)
	if err := os.Truncate(filepath.Join(dir, "files/one"), 4); err != nil {
		t.Fatal(err)
	}
	o := Options{From: dir, Out: filepath.Join(t.TempDir(), "out"), PublicURL: "https://im.example.com/", Extension: func(path string) (string, error) {
		if filepath.Base(path) == "page" {
			return "", skein.ErrFileType
		}
		return "txt", nil
	}}
	sum2, err := Convert(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, o.Out, sum2)
	var urls []string
	for _, m := range got.messages[full(groupID)] {
		urls = append(urls, m.URL)
	}
	kept := "https://im.example.com/storage/uploads/" + name + ".txt"
	if want := []string{kept, kept, kept, "http://x.cn/dead", "http://x.cn/page"}; !slices.Equal(urls, want) {
		t.Errorf("got %q, want %q", urls, want)
	}
	if attr := string(got.messages[full(groupID)][0].Attr); attr != `{"_lcfile":{"url":"http://x.cn/1"}}` {
		t.Errorf("the old link is not kept: %s", attr)
	}
	if content, err := os.ReadFile(filepath.Join(o.Out, "files", name+".txt")); string(content) != "test" {
		t.Errorf("got %q, %v", content, err)
	}
	if got.reported(convert.Skipped, "a file that the dump does not have") != 1 || got.reported(convert.Refused, "a file of a type") != 1 {
		t.Errorf("the report:\n%s", got.said())
	}
}

func TestAConversionThatIsCutShortBeginsAnew(t *testing.T) {
	c := dumpContent{lists: map[string][]string{folder.ConversationsFile: {conv(groupID, `,"m":["a"],"c":"a"`)}}, messages: map[string][]string{groupID: {msg(1, 1600000000001, "a", `"x"`, "")}}}
	o := Options{From: c.write(t), Out: filepath.Join(t.TempDir(), "out")}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Convert(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want context.Canceled", err)
	}
	if _, err := portable.Open(o.Out); err == nil {
		t.Fatal("the folder passes for a whole one")
	}
	if _, err := Convert(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if got := read(t, o.Out, convert.Summary{}); len(got.messages[full(groupID)]) != 1 {
		t.Errorf("got %v", got.messages)
	}
	if _, err := Convert(t.Context(), o); err == nil {
		t.Error("a whole folder was overwritten")
	}
}

func TestADumpThatIsNotWholeIsRefused(t *testing.T) {
	whole := dumpContent{lists: map[string][]string{folder.ConversationsFile: {conv(groupID, `,"m":["a"],"c":"a"`)}}, messages: map[string][]string{groupID: {msg(1, 1600000000001, "a", `"x"`, "")}}}
	for name, tt := range map[string]struct {
		damage func(dir string) error
		want   string
	}{
		"no manifest":                   {func(dir string) error { return os.Remove(filepath.Join(dir, folder.ManifestFile)) }, "not whole"},
		"a list of messages is missing": {func(dir string) error { return os.Remove(filepath.Join(dir, folder.MessagesFile(groupID))) }, "is damaged"},
		"a list is missing":             {func(dir string) error { return os.Remove(filepath.Join(dir, folder.ConversationsFile)) }, "is damaged"},
		"a list is cut":                 {func(dir string) error { return os.Truncate(filepath.Join(dir, folder.ConversationsFile), 20) }, "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := whole.write(t)
			if err := tt.damage(dir); err != nil {
				t.Fatal(err)
			}
			_, err := Convert(t.Context(), Options{From: dir, Out: filepath.Join(t.TempDir(), "out")})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestAClientIsAsOldInALaterDump holds that a later dump can be imported over an earlier
// one: a client is known by its ctime too.
func TestAClientIsAsOldInALaterDump(t *testing.T) {
	c := dumpContent{
		lists: map[string][]string{
			folder.ConversationsFile: {conv(groupID, `,"m":["a"],"mu":["mu"],"c":"c"`), conv(otherID, `,"tr":true,"m":["room"]`), conv(thirdID, `,"sys":true`)},
			folder.MemberInfosFile:   {`{"conv_id":"` + groupID + `","row":{"clientId":"info","role":"Manager"}}`},
			folder.SubscribersFile:   {`{"timestamp":1500000000000,"subscriber":"fan","conv_id":"` + thirdID + `"}`},
		},
		messages: map[string][]string{groupID: {msg(1, 1600000000001, "from", `"x"`, "")}},
	}
	for _, id := range []string{"a", "mu", "c", "room", "info", "fan", "from", "5eccba570d3a42c5fd4e25c9"} {
		c.lists[folder.ClientsFile] = append(c.lists[folder.ClientsFile], `{"client_id":"`+id+`"}`)
	}
	first := c.convert(t, Options{})
	c.time = dumped + 86_400_000
	later := c.convert(t, Options{})
	if !maps.Equal(first.born, later.born) {
		t.Errorf("first %v, later %v", first.born, later.born)
	}
	if first.born["fan"] != 1500000000000 || first.born["5eccba570d3a42c5fd4e25c9"] != 0x5eccba57*1000 {
		t.Errorf("got %v", first.born)
	}
}
