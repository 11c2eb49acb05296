package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/portable/leancloud/standin"
)

// TestAnAppMovesFromLeanCloudMessageForMessage dumps a stand-in of LeanCloud IM, converts
// the dump, imports it into a fresh server and compares each conversation's history by
// the API with the stand-in's. Then more is said at LeanCloud, and all of it is done
// again into the server that runs.
func TestAnAppMovesFromLeanCloudMessageForMessage(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(nil)
	source := standin.New(standin.Options{Seed: 7, Conversations: 300, Messages: 50_000, Burst: 2500, Files: "http://" + server.Listener.Addr().String()})
	server.Config.Handler = http.HandlerFunc(source.ServeHTTP)
	server.Start()
	defer server.Close()

	dir := t.TempDir()
	m := &move{source: source, url: server.URL, dir: dir, rename: map[string]string{}}
	for i := range 17 {
		m.rename[fmt.Sprintf("老王%d", i)] = fmt.Sprintf("laowang%d", i)
	}
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	app := newApp(t, newServer(data, withoutDev()), "moved", "--relaxed-client-ids", "on")

	account := m.bring(t, app.ID, data, "first")
	app.s = start(t, withoutDev(), withData(data))
	m.compare(t, app, account)

	for _, c := range source.Conversations()[:5] {
		source.Say(c.ID, 40)
	}
	m.compare(t, app, m.bring(t, app.ID, data, "second"))
}

// move is an app on its way.
type move struct {
	source *standin.Server
	url    string
	dir    string
	rename map[string]string
}

// bring dumps, converts and imports. It answers the account of the conversion.
func (m *move) bring(t *testing.T, app, data, run string) string {
	t.Helper()
	dump, portable, renames := filepath.Join(m.dir, "dump"), filepath.Join(m.dir, run), filepath.Join(m.dir, "rename.json")
	dumpStandIn(t, m.url, dump)
	raw, err := json.Marshal(m.rename)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(renames, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	account, errs, exit := skein(t, "leancloud", "convert", "--from", dump, "--out", portable, "--rename", renames)
	if exit != 0 {
		t.Fatalf("skein leancloud convert: exit %d\n%s%s", exit, account, errs)
	}
	mustSkein(t, "import", "--app", app, "--from", portable, "--data", data)
	return account
}

// compare holds the server to what the stand-in has.
func (m *move) compare(t *testing.T, app *app, account string) {
	t.Helper()
	total := 0
	for _, c := range m.source.Conversations() {
		id := c.ID + "00000000"
		if c.Kind == "system" {
			app.call(t, "GET", convPath(id), nil).want(t, "a system conversation", 4011)
			continue
		}
		truth := m.source.Truth(c.ID)
		total += len(truth)
		history := app.history(t, id)
		if len(history) != len(truth) {
			t.Fatalf("%s %s: got %d messages, want %d\n%s", c.Kind, c.ID, len(history), len(truth), account)
		}
		for i, got := range history {
			want := moved(t, truth[i].Raw, m.rename)
			want.Seq, want.ConvID = int64(i+1), id
			if got, want := plainly(got), plainly(want); got != want {
				t.Fatalf("%s %s:\ngot  %s\nwant %s\nfrom %s", c.Kind, c.ID, got, want, truth[i].Raw)
			}
		}
		m.compareRow(t, app, c)
	}
	if line := fmt.Sprintf(" %d ", total); !strings.Contains(account, line) {
		t.Errorf("convert does not say that it wrote%smessages:\n%s", line, account)
	}
}

// compareRow holds a conversation to its row in _Conversation.
func (m *move) compareRow(t *testing.T, app *app, c standin.Conversation) {
	t.Helper()
	var conv struct {
		Extend struct {
			Name string          `json:"name"`
			Attr json.RawMessage `json:"attr"`
		} `json:"conv_extend"`
		Type int `json:"conv_type"`
	}
	app.must(t, "GET", convPath(c.ID+"00000000"), nil).into(t, &conv)
	var row struct {
		Name    string   `json:"name"`
		Members []string `json:"m"`
	}
	if err := json.Unmarshal([]byte(c.Raw), &row); err != nil {
		t.Fatal(err)
	}
	if conv.Extend.Name != row.Name || (conv.Type == 4) != (c.Kind == "room") || !strings.Contains(string(conv.Extend.Attr), "9007199254740993") {
		t.Errorf("%s %s: got %+v, want %q", c.Kind, c.ID, conv, row.Name)
	}
	if c.Kind == "room" {
		return
	}
	var got, want []string
	app.must(t, "GET", convPath(c.ID+"00000000", "members"), nil).into(t, &got)
	for _, member := range row.Members {
		if to, ok := m.rename[member]; ok {
			member = to
		}
		if !slices.Contains(want, member) {
			want = append(want, member)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("members of %s: got %q, want %q", c.ID, got, want)
	}
}

// dumpStandIn runs skein leancloud dump against a stand-in that makes no trouble.
func dumpStandIn(t *testing.T, url, out string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "leancloud", "dump", "--app-id", standin.AppID, "--server", url, "--out", out, "--rate", "100000")
	cmd.Env = append(cleanEnv(), "SKEIN_LEANCLOUD_MASTER_KEY="+standin.MasterKey)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("skein leancloud dump: %v\n%s", err, said)
	}
}

// moved is the message that a row of LeanCloud is to become, by the table in
// docs/leancloud.md. It is written apart from the converter.
func moved(t *testing.T, raw string, rename map[string]string) message {
	t.Helper()
	var row struct {
		Time int64           `json:"timestamp"`
		Data json.RawMessage `json:"data"`
		From string          `json:"from"`
		ID   string          `json:"msg-id"`
		Bin  bool            `json:"bin"`
	}
	if err := json.Unmarshal([]byte(raw), &row); err != nil {
		t.Fatal(err)
	}
	id, err := base64.RawURLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(row.ID))
	if err != nil {
		t.Fatal(err)
	}
	m := message{MsgID: hex.EncodeToString(id), ClientID: row.From, Ctime: row.Time, MsgStatus: 1, Type: -1}
	if to, ok := rename[row.From]; ok {
		m.ClientID = to
	}
	said, isText := "", json.Unmarshal(row.Data, new(string)) == nil && row.Data[0] == '"'
	content := row.Data
	if isText {
		if err := json.Unmarshal(row.Data, &said); err != nil {
			t.Fatal(err)
		}
		content = json.RawMessage(said)
	}
	var typed struct {
		Type  *int            `json:"_lctype"`
		Text  *string         `json:"_lctext"`
		Attrs json.RawMessage `json:"_lcattrs"`
		File  json.RawMessage `json:"_lcfile"`
		N     json.RawMessage `json:"n"`
		F     json.RawMessage `json:"f"`
	}
	switch isTyped := json.Unmarshal(content, &typed) == nil && typed.Type != nil; {
	case row.Bin:
		m.Type, m.Attr = 1<<31-1, json.RawMessage(`{"bin":true,"data":`+string(row.Data)+`}`)
	case isTyped && *typed.Type == -127:
		m.MsgStatus = 3
	case isTyped:
		m.Type, m.Text, m.Attr = *typed.Type, typed.Text, typed.Attrs
		if typed.File != nil {
			var file struct {
				URL *string `json:"url"`
			}
			if err := json.Unmarshal(typed.File, &file); err != nil {
				t.Fatal(err)
			}
			m.URL, m.Attr = file.URL, json.RawMessage(`{"_lcfile":`+string(typed.File)+`}`)
		}
		if typed.N != nil {
			m.Attr = json.RawMessage(`{"n":` + string(typed.N) + `,"f":` + string(typed.F) + `}`)
		}
	case string(row.Data) == "null":
		m.Type, m.Attr = 1<<31-1, json.RawMessage(`{"data":null}`)
	case isText:
		text := strings.ReplaceAll(said, "\x00", "\uFFFD")
		m.Text = &text
	default:
		text := string(row.Data)
		m.Text = &text
	}
	return m
}

// plainly is what a message says, to compare.
func plainly(m message) string {
	text, url := "none", "none"
	if m.Text != nil {
		text = fmt.Sprintf("%q", *m.Text)
	}
	if m.URL != nil {
		url = *m.URL
	}
	attr := string(m.Attr)
	if attr == "" {
		attr = "null"
	}
	return fmt.Sprintf("%d %s in %s at %d by %s: type %d, status %d, text %s, attr %s, url %s", m.Seq, m.MsgID, m.ConvID, m.Ctime, m.ClientID, m.Type, m.MsgStatus, text, attr, url)
}
