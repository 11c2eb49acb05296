package leancloud

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein/internal/portable/convert"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
)

// quoted returns a text as a JSON string.
func quoted(s string) string {
	raw, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

func TestWhatAMessageSaysIsKept(t *testing.T) {
	long := strings.Repeat("汉", 6000)
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for name, tt := range map[string]struct {
		data     string // JSON
		more     string
		kind     int
		text     string
		attr     string
		url      string
		status   int
		reported string
	}{
		"plain text":                             {data: `"今天天气不错！😀"`, kind: -1, text: "今天天气不错！😀"},
		"a protocol of the app":                  {data: quoted(`{"cmd": "x",  "n":9007199254740993}`), kind: -1, text: `{"cmd": "x",  "n":9007199254740993}`},
		"an object of the app":                   {data: `{"cmd":"x"}`, kind: -1, text: `{"cmd":"x"}`},
		"a typed text":                           {data: quoted(`{"_lctype":-1,"_lctext":"hi","_lcattrs":{"a":1.0,"b":9007199254740993}}`), kind: -1, text: "hi", attr: `{"a":1.0,"b":9007199254740993}`},
		"a typed text as an object":              {data: `{"_lctype":-1,"_lctext":"hi","_lcattrs":null}`, kind: -1, text: "hi"},
		"attrs that are a text":                  {data: quoted(`{"_lctype":-1,"_lctext":"hi","_lcattrs":"{\"a\":1}"}`), kind: -1, text: "hi", attr: `"{\"a\":1}"`},
		"an image by its url":                    {data: quoted(`{"_lctype":-2,"_lcfile":{"url":"http://ac-x.clouddn.com/1"}}`), kind: -2, url: "http://ac-x.clouddn.com/1"},
		"an image with all":                      {data: quoted(`{"_lctype":-2,"_lctext":"t","_lcattrs":{"a":1},"_lcfile":{"url":"http://x.cn/1","objId":"o","metaData":{"size":18}}}`), kind: -2, text: "t", url: "http://x.cn/1", attr: `{"a":1,"_lcfile":{"url":"http://x.cn/1","objId":"o","metaData":{"size":18}}}`},
		"attrs with a name that is taken":        {data: quoted(`{"_lctype":-5,"_lcattrs":{"_lcloc":1},"_lcloc":{"longitude":23.2}}`), kind: -5, attr: `{"_lcattrs":{"_lcloc":1},"_lcloc":{"longitude":23.2}}`},
		"attrs that are a list":                  {data: quoted(`{"_lctype":-5,"_lcattrs":[1],"_lcloc":{"longitude":23.2}}`), kind: -5, attr: `{"_lcattrs":[1],"_lcloc":{"longitude":23.2}}`},
		"an image without a url":                 {data: quoted(`{"_lctype":-2,"_lctext":"t","_lcfile":{}}`), kind: convert.OtherType, text: "t", attr: `{"_lctype":-2,"_lctext":"t","_lcfile":{}}`, reported: "changed type:"},
		"an image with a script for a url":       {data: quoted(`{"_lctype":-2,"_lcfile":{"url":"javascript:alert(1)"}}`), kind: convert.OtherType, attr: `{"_lctype":-2,"_lcfile":{"url":"javascript:alert(1)"}}`, reported: "changed url:"},
		"a location":                             {data: quoted(`{"_lctype":-5,"_lcloc":{"longitude":23.2,"latitude":45.2}}`), kind: -5, attr: `{"_lcloc":{"longitude":23.2,"latitude":45.2}}`},
		"a type of the app":                      {data: quoted(`{"_lctype":7,"_lctext":"t","red":[1]}`), kind: 7, text: "t", attr: `{"red":[1]}`},
		"a type beyond 32 bits":                  {data: quoted(`{"_lctype":9007199254740993,"_lctext":"t"}`), kind: convert.OtherType, text: "t", attr: `{"_lctype":9007199254740993,"_lctext":"t"}`, reported: "changed type:"},
		"no type":                                {data: quoted(`{"_lctype":0,"x":1}`), kind: convert.OtherType, attr: `{"_lctype":0,"x":1}`, reported: "changed type:"},
		"a type of LeanCloud's own":              {data: quoted(`{"_lctype":-99}`), kind: convert.OtherType, attr: `{"_lctype":-99}`, reported: "changed type:"},
		"a type in words":                        {data: quoted(`{"_lctype":"text","_lctext":"t"}`), kind: convert.OtherType, text: "t", attr: `{"_lctype":"text","_lctext":"t"}`, reported: "changed type:"},
		"a blank text":                           {data: `" \u200b"`, kind: convert.OtherType, text: " \u200b", attr: "{\"data\":\" \u200b\"}", reported: "changed type:"},
		"nothing":                                {data: `null`, kind: convert.OtherType, attr: `{"data":null}`, reported: "changed type:"},
		"a typed text without text":              {data: quoted(`{"_lctype":-1,"_lcattrs":{"a":1}}`), kind: convert.OtherType, attr: `{"_lctype":-1,"_lcattrs":{"a":1}}`, reported: "changed type:"},
		"a text that is no text":                 {data: quoted(`{"_lctype":3,"_lctext":{"a":1}}`), kind: 3, attr: `{"_lctext":{"a":1}}`},
		"recalled":                               {data: quoted(`{"_lctype":-127}`), kind: -1, status: 3},
		"binary":                                 {data: `"AAEC/w=="`, more: `,"bin":true`, kind: convert.OtherType, attr: `{"bin":true,"data":"AAEC/w=="}`, reported: "noted is binary"},
		"U+0000":                                 {data: `"a\u0000b"`, kind: -1, text: "a\uFFFDb", reported: "changed text: U+0000"},
		"half a surrogate pair":                  {data: `"a\ud83d"`, kind: -1, text: "a\uFFFD", reported: "changed text: U+0000"},
		"half a surrogate pair in a typed text":  {data: quoted(`{"_lctype":-1,"_lctext":"a\ud83d"}`), kind: -1, text: "a\uFFFD", reported: "changed text: U+0000"},
		"bytes that are no UTF-8":                {data: "\"a\xff\"", kind: -1, text: "a\uFFFD", reported: "changed text: U+0000"},
		"U+0000 in attrs":                        {data: quoted(`{"_lctype":-1,"_lctext":"t","_lcattrs":{"a":"\u0000"}}`), kind: -1, text: "t", attr: "{\"a\":\"\uFFFD\"}", reported: "changed attr: U+0000"},
		"a number beyond a double":               {data: quoted(`{"_lctype":-1,"_lctext":"t","_lcattrs":{"a":1e999}}`), kind: -1, text: "t", attr: `"{\"a\":1e999}"`, reported: "changed attr: JSON"},
		"attrs that nest too deep":               {data: quoted(`{"_lctype":-1,"_lctext":"t","_lcattrs":` + deep + `}`), kind: -1, text: "t", attr: quoted(deep), reported: "changed attr: JSON"},
		"a key twice":                            {data: quoted(`{"_lctype":-1,"_lctext":"t","_lctext":"u"}`), kind: -1, text: `{"_lctype":-1,"_lctext":"t","_lctext":"u"}`},
		"a text over 16 KiB":                     {data: quoted(long), kind: -1, text: long[:16383], reported: "changed text: cut"},
		"attrs over 16 KiB":                      {data: quoted(`{"_lctype":-1,"_lctext":"t","_lcattrs":"` + long + `"}`), kind: -1, text: "t", reported: "changed attr: over"},
		"a url over 2 KiB":                       {data: quoted(`{"_lctype":-2,"_lcfile":{"url":"http://x.cn/` + strings.Repeat("a", 3000) + `"}}`), kind: convert.OtherType, attr: `{"_lctype":-2,"_lcfile":{"url":"http://x.cn/` + strings.Repeat("a", 3000) + `"}}`, reported: "changed url:"},
		"mentions":                               {data: `"@a"`, more: `,"mention-all":true,"mention_client_ids":["a","no one"]`, kind: -1, text: "@a", reported: "changed mention_client_ids"},
		"an edit":                                {data: `"new"`, more: `,"patch-timestamp":1600000000009`, kind: -1, text: "new", reported: "noted was edited"},
		"a recall with mentions and an edit":     {data: quoted(`{"_lctype":-127}`), more: `,"mention-all":true,"patch-timestamp":1600000000009`, kind: -1, status: 3},
		"a message that is longer than a folder": {data: `"` + strings.Repeat(`\u0001`, 300<<10) + `"`, kind: -1, reported: "changed text: cut"},
	} {
		t.Run(name, func(t *testing.T) {
			c := dumpContent{
				lists:    map[string][]string{folder.ConversationsFile: {conv(groupID, `,"m":["a"],"c":"a"`)}},
				messages: map[string][]string{groupID: {msg(1, 1600000000001, "a", tt.data, tt.more)}},
			}
			got := c.convert(t, Options{})
			if len(got.messages[full(groupID)]) != 1 {
				t.Fatalf("no message; the report:\n%s", got.said())
			}
			m := got.messages[full(groupID)][0]
			if name == "a message that is longer than a folder" { // control characters alone are blank
				if m.Type != convert.OtherType || len(m.Text) != 16<<10 {
					t.Errorf("got type %d and %d bytes", m.Type, len(m.Text))
				}
			} else if m.Type != tt.kind || m.Text != tt.text || string(m.Attr) != tt.attr || m.URL != tt.url || m.Status != tt.status {
				line, _ := json.Marshal(m)
				t.Errorf("got %s\nwant type %d, text %q, attr %s, url %q, status %d", line, tt.kind, tt.text, tt.attr, tt.url, tt.status)
			}
			if outcome, why, ok := strings.Cut(tt.reported, " "); ok && got.reported(convert.Outcome(outcome), why) == 0 {
				t.Errorf("not reported: %s; the report:\n%s", tt.reported, got.said())
			}
			if tt.reported == "" && got.reported(convert.Changed, "") > 0 {
				t.Errorf("reported as changed:\n%s", got.said())
			}
		})
	}
}

func TestIDsAreTheBytesOfTheSource(t *testing.T) {
	for name, tt := range map[string]struct {
		in, want string
		exact    bool
		of       func(string) (string, bool)
	}{
		"a msg-id":                        {"vdkGm4dtRNmhQ5gqUTFBiA", "bdd9069b876d44d9a143982a51314188", true, messageHex},
		"a msg-id in both alphabets":      {"4XC_IHK+Ry6CXzIPq_nc7Q", "e170bf2072be472e825f320fabf9dced", true, messageHex},
		"a msg-id with padding":           {"vdkGm4dtRNmhQ5gqUTFBiA==", "bdd9069b876d44d9a143982a51314188", true, messageHex},
		"a msg-id with bits left over":    {"vdkGm4dtRNmhQ5gqUTFBiB", "bdd9069b876d44d9a143982a51314188", true, messageHex},
		"a msg-id with a line end":        {"vdkGm4dtRNmhQ5gqUTFB\niA", "", false, messageHex},
		"a msg-id of zeros":               {"AAAAAAAAAAAAAAAAAAAAAA", "", false, messageHex},
		"an objectId":                     {"5541c02ce4b0f83f4d44414e", "5541c02ce4b0f83f4d44414e00000000", true, convHex},
		"an objectId in capitals":         {"5541C02CE4B0F83F4D44414E", "5541c02ce4b0f83f4d44414e00000000", true, convHex},
		"a conv-id":                       {"5667070f60b2298fdddb683700000000", "5667070f60b2298fdddb683700000000", true, convHex},
		"an objectId that is no such one": {"weird", "", false, convHex},
	} {
		t.Run(name, func(t *testing.T) {
			got, exact := tt.of(tt.in)
			if exact != tt.exact || exact && got != tt.want {
				t.Errorf("%s: got %s %t, want %s %t", tt.in, got, exact, tt.want, tt.exact)
			}
			if again, _ := tt.of(tt.in); again != got || got == strings.Repeat("0", 32) {
				t.Errorf("%s: got %s, then %s", tt.in, got, again)
			}
		})
	}
}

func messageHex(s string) (string, bool) { id, exact := messageID(s); return id.String(), exact }

func convHex(s string) (string, bool) { id, exact := objectID(s); return id.String(), exact }
