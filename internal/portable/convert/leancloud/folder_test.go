package leancloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/portable"
	"github.com/skein-im/skein/internal/portable/convert"
	"github.com/skein-im/skein/internal/portable/leancloud/folder"
)

// TestTheSameDumpMakesTheSameBytesHoweverLittleMemory also shows that sorting through files loses
// nothing.
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

// TestAClientIsAsOldInALaterDump shows that a later dump can be imported over an earlier one,
// which fails if the ctime of a client differs.
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
