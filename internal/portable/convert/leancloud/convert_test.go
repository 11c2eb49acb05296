package leancloud

import (
	"slices"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/portable/convert"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
)

func TestAConversationBecomesWhatItIs(t *testing.T) {
	for name, tt := range map[string]struct {
		rows     []string
		want     int // conv_type of the last
		members  string
		creator  string
		reported string // outcome and reason; empty: none
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
