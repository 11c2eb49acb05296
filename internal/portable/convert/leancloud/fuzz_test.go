package leancloud

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein/internal/portable"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
)

// FuzzAnyRowIsTakenOrReported converts a dump of arbitrary rows. Convert must not panic. It
// either says that the dump is damaged, or makes a folder whose every line the portable reader
// accepts, with an account that balances for every kind.
func FuzzAnyRowIsTakenOrReported(f *testing.F) {
	for _, row := range []string{
		msg(1, 1600000000001, "a", `"x"`, `,"ack-at":1,"mention-all":true,"mention-pids":["a"],"patch-timestamp":1600000000002`),
		msg(1, 1600000000001, "a", quoted(`{"_lctype":-2,"_lctext":"t","_lcattrs":{"a":1},"_lcfile":{"url":"http://x.cn/1","objId":"o"}}`), ""),
		msg(1, 1, "a", quoted(`{"_lctype":-127}`), `,"x":{"a":[1e400]}`), msg(1, 1, "a", `"\ud800\u0000"`, ""), `{"data":{"_lctype":-1,"_lctext":""}}`,
		conv(groupID, `,"m":["a","b"],"mu":["a"],"c":"a","unique":true,"name":"n","attr":{"a":1},"lm":{"__type":"Date","iso":"2020-05-28T06:42:31.482Z"}`),
		conv("x", `,"tr":true,"sys":1`), `{"_id":{"$oid":"5eccba570d3a42c5fd4e25c3"},"createdAt":{"$date":{"$numberLong":"7"}}}`,
		`{"conv_id":"` + groupID + `","row":{"clientId":"b","role":"Manager"}}`, `{"client_id":"b b"}`, `[`, `{}`, "null", `{"a":1,"a":2}`, "{\"\xff\":\"\xff\"}",
	} {
		f.Add(row, row, `{"_lctype":-1,"_lctext":"t","_lcattrs":{"a":[1.0,"\u0000"]}}`)
	}
	f.Add(conv(groupID, `,"m":["a"]`), "", `{"_lctype":-2,"_lctext":"t","_lcfile":{"url":"https://x.cn/1","metaData":{}},"_lcattrs":{"a":1e9}}`)
	f.Fuzz(func(t *testing.T, a, b, data string) {
		a, b = strings.ReplaceAll(a, "\n", " "), strings.ReplaceAll(b, "\n", " ")
		said := msg(2, 1600000000001, "a", quoted(strings.ToValidUTF8(data, "?")), "")
		c := dumpContent{lists: map[string][]string{}, messages: map[string][]string{groupID: {a, b, a, said}}}
		for _, list := range []string{folder.ConversationsFile, folder.MemberInfosFile, folder.ClientsFile} {
			c.lists[list] = []string{a, b}
		}
		from, out := c.write(t), filepath.Join(t.TempDir(), "out")
		if _, err := Convert(t.Context(), Options{From: from, Out: out, Memory: 64}); err != nil {
			t.Fatalf("%q, %q: %v", a, b, err)
		}
		r, err := portable.Open(out)
		if err != nil {
			t.Fatalf("%q, %q: %v", a, b, err)
		}
		defer r.Close()
		err = r.Each(func(portable.Record) error { return nil }, func(e *portable.LineError) error { return e })
		if err != nil {
			t.Fatalf("%q, %q: %v", a, b, err)
		}
		report, err := os.ReadFile(filepath.Join(out, "report.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(report)) {
			if !jsontext.Value(line).IsValid() {
				t.Fatalf("%q, %q: the report says %s", a, b, line)
			}
		}
	})
}
