package leancloud

import (
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/portable/convert"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
)

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
