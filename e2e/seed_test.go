package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

const seedFile = "testdata/seed-api.zh.md"

// example is one request of the original document with what it prints after it.
type example struct {
	title string
	curl  string // a curl line, or empty
	frame string // a socket frame, or empty
	want  string // the printed answer
	push  string // the printed push that follows, or empty
}

var fence = regexp.MustCompile("(?ms)^(#+ *[^\n]+)$|^```\n(.*?)^```")

// seedExamples are the examples of the document in its order.
func seedExamples(t *testing.T) []example {
	t.Helper()
	doc, err := os.ReadFile(seedFile)
	if err != nil {
		t.Fatal(err)
	}
	var all []example
	title := ""
	for _, m := range fence.FindAllSubmatch(doc, -1) {
		block := strings.TrimSpace(string(m[2]))
		switch last := len(all) - 1; {
		case m[1] != nil:
			title = strings.TrimLeft(string(m[1]), "# ")
		case strings.HasPrefix(block, "curl"):
			all = append(all, example{title: title, curl: string(m[2])})
		case strings.Contains(block, `"login",`):
			all = append(all, example{title: title, frame: block})
		case all[last].want == "":
			all[last].want = block
		case all[last].push == "":
			all[last].push = block
		default:
			t.Fatalf("%s: a block that belongs to no request:\n%s", title, block)
		}
	}
	return all
}

// fits holds an answer against a printed example: each key of the example is
// there with the same JSON type, except where the reference says otherwise. Every
// element of a list is held against the example's first.
func fits(path string, got, want any) (faults []string) {
	if null, ok := want.(string); ok && null == "null" {
		// an absent value is null, never the string "null".
		if got != nil {
			return []string{fmt.Sprintf("%s: got %v, want JSON null", path, got)}
		}
		return nil
	}
	wantKind := kind(want)
	for suffix, settled := range map[string]string{
		".per_page":         "number", // all integers
		".data.from_client": "string", // ids are answered as strings
		".data.transient":   "number", // flags are answered as 0/1
	} {
		if strings.HasSuffix(path, suffix) {
			wantKind = settled
		}
	}
	if want == nil {
		return nil // null in the example: may hold anything
	}
	if strings.HasSuffix(path, ".mtime") && got == nil {
		return nil
	}
	if k := kind(got); k != wantKind {
		return []string{fmt.Sprintf("%s: got %s (%v), want %s", path, k, got, wantKind)}
	}
	switch want := want.(type) {
	case map[string]any:
		object, _ := got.(map[string]any)
		for k, w := range want {
			g, there := object[k]
			if !there {
				faults = append(faults, fmt.Sprintf("%s.%s: is not there", path, k))
				continue
			}
			faults = append(faults, fits(path+"."+k, g, w)...)
		}
	case []any:
		list, _ := got.([]any)
		if len(list) == 0 {
			faults = append(faults, path+": is empty")
		}
		for i, g := range list {
			faults = append(faults, fits(fmt.Sprintf("%s[%d]", path, i), g, want[0])...)
		}
	}
	return faults
}

func holdAgainst(t *testing.T, raw []byte, printed string) {
	t.Helper()
	for _, f := range fits("", decode(t, raw), decode(t, []byte(printed))) {
		t.Errorf("%s\n got %s\nwant the form of %s", f, raw, printed)
	}
}

func TestSeedExamples(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("curl is needed: apt-get install curl")
	}
	a := demoApp(start(t))
	examples := map[string]example{}
	curls := 0
	for _, e := range seedExamples(t) {
		if _, twice := examples[e.title]; twice {
			t.Fatalf("two examples under %q", e.title)
		}
		examples[e.title] = e
		if e.curl != "" {
			curls++
		}
	}
	if curls != 9 || len(examples) != 10 {
		t.Fatalf("examples in the document: got %d, %d of them curl lines; want 10 and 9", len(examples), curls)
	}
	newConv := func(t *testing.T) string { return a.group(t, "1597500303", "1597500304", "2", "1111") }

	// run is one curl line of the document, held against its printed answer.
	run := func(t *testing.T, title, conv string) *answer {
		t.Helper()
		e, ok := examples[title]
		if !ok || e.curl == "" || e.want == "" {
			t.Fatalf("no example under %q", title)
		}
		got := runCurl(t, a.s, e.curl, conv)
		got.want(t, e.curl, 0)
		holdAgainst(t, got.Raw, e.want)
		if got.RequestID != nil {
			t.Errorf("request-id: got %q, want null where none was sent", *got.RequestID)
		}
		return got
	}
	members := func(t *testing.T, conv string) []string {
		t.Helper()
		var ids []string
		run(t, "查询用户", conv).into(t, &ids)
		return ids
	}

	t.Run("新增用户", func(t *testing.T) {
		conv := newConv(t)
		if got := run(t, "新增用户", conv); string(got.Data) != "true" {
			t.Errorf("data: got %s, want true", got.Data)
		}
		want := []string{"1597500303", "1597500304", "2", "1111", "Tom", "Jerry"}
		if got := members(t, conv); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("members: got %v, want %v", got, want)
		}
	})
	t.Run("查询用户", func(t *testing.T) {
		want := []string{"Tom", "Alex", "Iron"}
		if got := members(t, a.group(t, "Tom", "Alex", "Iron")); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("members: got %v, want %v", got, want)
		}
	})
	t.Run("登录", func(t *testing.T) {
		e := examples["登录"]
		c := a.s.socket(t)
		if err := c.sendText(e.frame); err != nil {
			t.Fatal(err)
		}
		f := c.next(t)
		holdAgainst(t, f.Raw, e.want)
		if f.Type != "login.success" || f.Msg != "success" {
			t.Errorf("got %s, want login.success", f)
		}
		var data struct {
			SessionID  string `json:"session_id"`
			HeartbeatS int    `json:"heartbeat_s"`
		}
		f.into(t, &data)
		if data.SessionID == "" || data.HeartbeatS != 25 {
			t.Errorf("got %s, want session_id and heartbeat_s 25", f)
		}
	})
	t.Run("创建会话", func(t *testing.T) {
		got := run(t, "创建会话", "")
		conv := got.text("conv_id")
		if !isHexID(conv) {
			t.Errorf("conv_id: got %q, want 32 lower-case hex", conv)
		}
		c := a.must(t, "GET", convPath(conv), nil)
		if c.number("conv_type") != 2 || c.text("conv_creater_id") != "1597500303" || c.number("client_num") != 2 {
			t.Errorf("conversation: got %s", c)
		}
		if got := fmt.Sprint(c.field("conv_extend")); got != "map[conv_name:just test]" {
			t.Errorf("conv_extend: got %s", got)
		}
	})
	t.Run("查询会话", func(t *testing.T) {
		conv := newConv(t)
		var page struct {
			Total int `json:"total"`
			Data  []struct {
				ConvID    string  `json:"conv_id"`
				ClientNum int     `json:"client_num"`
				Ctime     string  `json:"ctime"`
				Mtime     *string `json:"mtime"`
			} `json:"data"`
		}
		run(t, "查询会话", conv).into(t, &page)
		if page.Total != 1 || len(page.Data) != 1 || page.Data[0].ConvID != conv || page.Data[0].ClientNum != 4 {
			t.Errorf("got %+v, want conversation %s of 4 alone", page, conv)
		}
		if !regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`).MatchString(page.Data[0].Ctime) {
			t.Errorf("ctime: got %q, want YYYY-MM-DD HH:MM:SS", page.Data[0].Ctime)
		}
	})
	t.Run("更新会话", func(t *testing.T) {
		conv, other := newConv(t), newConv(t)
		if got := run(t, "更新会话", conv); string(got.Data) != "true" {
			t.Errorf("data: got %s, want true", got.Data)
		}
		if got := fmt.Sprint(a.must(t, "GET", convPath(conv), nil).field("conv_extend")); got != "map[conv_name:test2]" {
			t.Errorf("conv_extend: got %s", got)
		}
		if got := a.must(t, "GET", convPath(other), nil).field("conv_extend"); got != nil {
			t.Errorf("conv_extend of another conversation: got %v, want null", got)
		}
	})
	t.Run("删除会话", func(t *testing.T) {
		conv := newConv(t)
		if got := run(t, "删除会话", conv); string(got.Data) != "true" {
			t.Errorf("data: got %s, want true", got.Data)
		}
		a.call(t, "GET", convPath(conv), nil).want(t, "a deleted conversation", 4011)
	})
	t.Run("发送信息", func(t *testing.T) {
		conv := newConv(t)
		receivers := []*socket{a.login(t, "1111", "1111"), a.login(t, "1111", "2222"), a.login(t, "1597500304", "1")}
		sender, outsider := a.login(t, "2", "1"), a.login(t, "Tom", "1")
		sent := run(t, "发送信息", conv)
		if !isHexID(sent.text("msg_id")) || sent.number("seq") != 1 {
			t.Errorf("got %s, want a msg_id of 32 hex and seq 1", sent)
		}
		for _, r := range receivers {
			f := r.expect(t, "msg.new")
			holdAgainst(t, f.Raw, examples["发送信息"].push)
			m := f.message(t)
			if m.MsgID != sent.text("msg_id") || m.ConvID != conv || m.FromClient != "2" || m.text() != "HELLO !" || m.Seq != 1 {
				t.Errorf("got %s, want message %s of 2 in %s", f, sent.text("msg_id"), conv)
			}
		}
		sender.nothing(t, "msg.new") // no_sync 0 is the default of REST
		outsider.nothing(t, "msg.new")
	})
	t.Run("信息列表", func(t *testing.T) {
		conv := newConv(t)
		for i := range 12 {
			a.send(t, conv, "2", fmt.Sprint("text ", i+1))
		}
		got := run(t, "信息列表", conv)
		var page struct {
			Data     []message `json:"data"`
			Page     int       `json:"current_page"`
			LastPage int       `json:"last_page"`
			PerPage  int       `json:"per_page"`
			Total    int       `json:"total"`
		}
		got.into(t, &page)
		if page.Page != 3 || page.PerPage != 5 || page.LastPage != 3 || page.Total != 12 {
			t.Errorf("page: got %s, want page 3 of 3, 5 each, 12 in all", got)
		}
		if len(page.Data) != 2 || page.Data[0].text() != "text 2" || page.Data[1].text() != "text 1" {
			t.Errorf("messages: got %s, want text 2 and text 1", got)
		}
		for _, m := range page.Data {
			if m.ClientID != "2" || m.MsgStatus != 1 || m.ConvID != conv {
				t.Errorf("message: got %+v, want one of client 2, msg_status 1", m)
			}
		}
	})
	t.Run("上传文件", func(t *testing.T) {
		var link string
		run(t, "上传文件", "").into(t, &link)
		if !regexp.MustCompile(`^` + regexp.QuoteMeta(a.s.url("/storage/uploads/")) + `[0-9a-f]{32}\.jpg$`).MatchString(link) {
			t.Fatalf("link: got %q, want %s<32 hex>.jpg", link, a.s.url("/storage/uploads/"))
		}
		res, body := fetch(t, link, nil)
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != "image/jpeg" || !bytes.Equal(body, realJPEG(t)) {
			t.Errorf("GET %s: got %s, %s, %d bytes; want the picture", link, res.Status, res.Header.Get("Content-Type"), len(body))
		}
	})
}

// jsonOf is v as compact JSON.
func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
