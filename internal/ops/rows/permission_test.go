package rows

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/ops"
)

// rights says what each caller of an op is answered, in this order: the backend,
// the owner, an admin, a member, a client who is none, the backend of another app.
// {c} is a group of theirs, {r} a room, {m} a message in {c}, {u} another client,
// {new} an id of nobody; a backend adds the fields behind the bar, in whose name it
// acts.
var rights = map[string]struct {
	body string
	want string
}{
	"user.create":         {`{"client_id":"{new}"}`, "0 4004 4004 4004 4004 0"},
	"user.import":         {`{"users":[{"client_id":"{new}"}]}`, "0 4004 4004 4004 4004 0"},
	"user.list":           {`{}`, "0 4004 4004 4004 4004 0"},
	"app.usage":           {`{}`, "0 4004 4004 4004 4004 0"},
	"user.get":            {`{"client_id":"{u}"}`, "0 0 0 0 0 211"},
	"user.get_many":       {`{"client_ids":["{u}"]}`, "0 0 0 0 0 0"},
	"user.update":         {`{"client_id":"{u}","ext":1}`, "0 4004 4004 4004 4004 211"},
	"user.delete":         {`{"client_id":"{u}"}`, "0 4004 4004 4004 4004 211"},
	"user.ban":            {`{"client_id":"{u}"}`, "0 4004 4004 4004 4004 211"},
	"user.unban":          {`{"client_id":"{u}"}`, "0 4004 4004 4004 4004 211"},
	"user.logout":         {`{"client_id":"{u}"}`, "0 4004 4004 4004 4004 211"},
	"user.token":          {`{"client_id":"{u}","ttl":60}`, "0 4004 4004 4004 4004 211"},
	"conv.create":         {`{"to_client_ids":["{u}"],"conv_type":3}|,"client_id":"Owner"`, "0 0 0 0 0 211"},
	"conv.query":          {`{"where":[["conv_id","{c}"]]}`, "0 0 0 0 0 0"},
	"conv.update":         {`{"where":[["conv_id","{c}"]],"update":{"conv_extend":1}}`, "0 0 0 4004 4004 4011"},
	"conv.get":            {`{"conv_id":"{c}"}`, "0 0 0 0 4004 4011"},
	"conv.delete":         {`{"conv_id":"{c}"}`, "0 0 0 4004 4004 4011"},
	"conv.join":           {`{"conv_id":"{r}"}|,"client_id":"{u}"`, "0 0 0 0 0 4011"},
	"conv.leave":          {`{"conv_id":"{c}"}|,"client_id":"Member"`, "0 0 0 0 4004 4011"},
	"conv.members":        {`{"conv_id":"{c}"}`, "0 0 0 0 4004 4011"},
	"conv.members.list":   {`{"conv_id":"{c}"}`, "0 0 0 0 4004 4011"},
	"conv.members.add":    {`{"conv_id":"{c}","client_ids":["{u}"]}`, "0 0 0 4004 4004 4011"},
	"conv.members.remove": {`{"conv_id":"{c}","client_ids":["Member"]}`, "0 0 0 4004 4004 4011"},
	"conv.list":           {`{"size":5}|,"client_id":"Member"`, "0 0 0 0 0 211"},
	"conv.mark":           {`{"conv_id":"{c}","pin":1}|,"client_id":"Member"`, "0 0 0 0 4004 4011"},
	"conv.unread":         {`{}|"client_id":"Member"`, "0 0 0 0 0 211"},
	"conv.read_all":       {`{}|"client_id":"Member"`, "0 0 0 0 0 211"},
	"conv.received_many":  {`{"receipts":[{"conv_id":"{c}"}]}|,"client_id":"Member"`, "0 0 0 0 0 211"},
	"sync":                {`{"limit":5}|,"client_id":"Member"`, "0 0 0 0 0 211"},
	"conv.read":           {`{"conv_id":"{c}"}|,"client_id":"Member"`, "0 0 0 0 4004 4011"},
	"conv.received":       {`{"conv_id":"{c}"}|,"client_id":"Member"`, "0 0 0 0 4004 4011"},
	"conv.readers":        {`{"conv_id":"{c}"}`, "0 0 0 0 4004 4011"},
	"typing":              {`{"conv_id":"{c}"}`, "0 0 0 0 4004 4011"},
	"conv.members.update": {`{"conv_id":"{c}","client_id":"Member","nickname":"M"}`, "0 0 0 0 4004 4011"},
	"conv.mute_all":       {`{"conv_id":"{c}"}`, "0 0 0 4004 4004 4011"},
	"msg.send":            {`{"conv_id":"{c}","type":-1,"text":"hi"}|,"from_client":"Outsider"`, "0 0 0 0 4004 4011"},
	"msg.list":            {`{"conv_id":"{c}"}`, "0 0 0 0 4004 4011"},
	"msg.find":            {`{"conv_id":"{c}","types":[-1]}`, "0 0 0 0 4004 4011"},
	"msg.get":             {`{"conv_id":"{c}","msg_id":"{m}"}`, "0 0 0 0 4004 4011"},
	"msg.edit":            {`{"conv_id":"{c}","msg_id":"{m}","text":"ho"}`, "0 4004 4004 0 4004 4011"},
	"msg.recall":          {`{"conv_id":"{c}","msg_id":"{m}"}`, "0 0 0 0 4004 4011"},
	"msg.delete":          {`{"conv_id":"{c}","msg_id":"{m}"}|,"client_id":"Member"`, "0 0 0 0 4004 4011"},
	"msg.react":           {`{"conv_id":"{c}","msg_id":"{m}","emoji":"👍"}|,"client_id":"Member"`, "0 0 0 0 4004 4011"},
	"msg.pin":             {`{"conv_id":"{c}","msg_id":"{m}"}`, "0 0 0 4004 4004 4011"},
	"msg.pins":            {`{"conv_id":"{c}"}`, "0 0 0 0 4004 4011"},
	"msg.ranges":          {`{"ranges":[{"conv_id":"{c}","after_seq":0}]}|,"client_id":"Member"`, "0 0 0 0 0 211"},
	"changes":             {`{"conv_id":"{c}"}`, "0 0 0 0 4004 4011"},
	"presence.get":        {`{"client_ids":["{u}"]}`, "0 0 0 0 0 0"},
	"presence.subscribe":  {`{"client_ids":["{u}"]}`, "0 0 0 0 0 0"},
	"file.upload":         {`{}`, "0 0 0 0 0 0"},
}

func TestEachCallerMayDoWhatTheTableSays(t *testing.T) {
	f := newFixture(t)
	callers := []skein.Actor{
		f.actor("shop", ""), f.actor("shop", "Owner"), f.actor("shop", "Admin"),
		f.actor("shop", "Member"), f.actor("shop", "Outsider"), f.actor("other", ""),
	}
	for _, op := range f.Rows() {
		right, ok := rights[op.Name]
		if !ok {
			t.Errorf("%s: nothing says who may", op.Name)
			continue
		}
		var got []string
		for i, by := range callers {
			answer, code, _ := f.do(by, op.Name, f.body(fmt.Sprintf("%sx%d", letters(op.Name), i), right.body, by))
			got = append(got, fmt.Sprint(code))
			if code == 0 {
				checkAnswer(t, op, answer)
			}
		}
		if s := strings.Join(got, " "); s != right.want {
			t.Errorf("%s:\ngot  %s\nwant %s (backend, owner, admin, member, outsider, another app)", op.Name, s, right.want)
		}
	}
}

// By socket it is the same op, and so the same answer.
func TestASocketMayDoWhatRESTMay(t *testing.T) {
	f := newFixture(t)
	for _, name := range slices.Sorted(maps.Keys(rights)) {
		op, right := f.op(name), strings.Fields(rights[name].want)
		for i, who := range people {
			by := f.actor("shop", who)
			body := f.body(fmt.Sprintf("%sy%d", letters(name), i), rights[name].body, by)
			answer, err := f.Call(t.Context(), by, name, []byte(body))
			want := right[i+1]
			if !op.Socket() {
				want = "4406"
			}
			if got := fmt.Sprint(codeOf(err)); got != want {
				t.Errorf("%s by %s: got code %s (%v), want %s", name, who, got, err, want)
			}
			if err == nil {
				checkAnswer(t, op, string(answer))
			}
		}
	}
}

// letters is the name of an op as a part of an id.
func letters(op string) string { return strings.NewReplacer(".", "", "_", "").Replace(op) }

// body fills a template; id is an id that no other call uses.
func (f *fixture) body(id, template string, by skein.Actor) string {
	f.Helper()
	body, more, _ := strings.Cut(template, "|")
	if by.Server() {
		body = strings.TrimSuffix(body, "}") + more + "}"
	}
	if strings.Contains(body, "{u}") {
		f.client("u" + id)
	}
	conv := ""
	if strings.Contains(body, "{c}") {
		conv = f.conv(skein.Group)
	}
	if strings.Contains(body, "{m}") {
		body = strings.ReplaceAll(body, "{m}", f.message(conv))
	}
	if strings.Contains(body, "{r}") {
		body = strings.ReplaceAll(body, "{r}", f.conv(skein.Room))
	}
	return strings.NewReplacer("{c}", conv, "{u}", "u"+id, "{new}", "n"+id).Replace(body)
}

// checkAnswer wants an answer to have the form that its row says.
func checkAnswer(t *testing.T, op *ops.Op, answer string) {
	t.Helper()
	if op.Answer == any(ops.Done{}) {
		if answer != "true" {
			t.Errorf("%s: answers %s, want true", op.Name, answer)
		}
		return
	}
	zero, err := json.Marshal(op.Answer)
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := errors.Join(json.Unmarshal([]byte(answer), &got), json.Unmarshal(zero, &want)); err != nil {
		t.Fatalf("%s: answers %s: %v", op.Name, answer, err)
	}
	if m, ok := got.(map[string]any); ok {
		maps.DeleteFunc(m, func(key string, _ any) bool { return mayBeLeftOut(reflect.TypeOf(op.Answer), key) })
	}
	if g, w := keys(got), keys(want); g != w {
		t.Errorf("%s: answers %s, want the form of %s", op.Name, g, w)
	}
}

// mayBeLeftOut reports whether an answer may lack a field, as its tag says.
func mayBeLeftOut(answer reflect.Type, name string) bool {
	return answer.Kind() == reflect.Struct && slices.ContainsFunc(reflect.VisibleFields(answer), func(f reflect.StructField) bool {
		return f.Tag.Get("json") == name+",omitzero"
	})
}

// keys is the form of an answer: the keys of an object, the kind of all else.
func keys(v any) string {
	if m, ok := v.(map[string]any); ok {
		return fmt.Sprint(slices.Sorted(maps.Keys(m)))
	}
	return fmt.Sprintf("%T", v)
}

func TestATokenLimitedToActionsMayDoThoseAlone(t *testing.T) {
	f := newFixture(t)
	for _, acts := range [][]string{{}, {"msg.list"}, {"msg.list", "conv.get"}} {
		by := f.actor("shop", "Owner")
		by.Actions = acts
		for _, op := range f.Rows() {
			asked := false
			_, err := f.Do(t.Context(), by, op, func(any) error {
				asked = true
				return skein.Missing("anything")
			})
			if allowed := slices.Contains(acts, op.Name); allowed != asked || !allowed && !errors.Is(err, skein.ErrForbidden) {
				t.Errorf("%s with act %q: request read %v, error %v", op.Name, acts, asked, err)
			}
		}
	}
	key := f.actor("shop", "")
	key.Actions = []string{} // no token's: the server role has all
	if _, code, err := f.do(key, "user.list", `{}`); code != 0 {
		t.Errorf("the server role: got error %v", err)
	}
}

func TestAClientActsForItselfAlone(t *testing.T) {
	for name, tt := range map[string]struct{ field, body string }{
		"conv.create":        {"client_id", `{"to_client_ids":["Admin"],"conv_type":3%s}`},
		"conv.join":          {"client_id", `{"conv_id":"{r}"%s}`},
		"conv.leave":         {"client_id", `{"conv_id":"{c}"%s}`},
		"conv.list":          {"client_id", `{"size":5%s}`},
		"conv.mark":          {"client_id", `{"conv_id":"{c}","pin":1%s}`},
		"conv.unread":        {"client_id", `{"muted":1%s}`},
		"conv.read_all":      {"client_id", `{"old":1%s}`},
		"conv.received_many": {"client_id", `{"receipts":[{"conv_id":"{c}"}]%s}`},
		"sync":               {"client_id", `{"limit":5%s}`},
		"conv.read":          {"client_id", `{"conv_id":"{c}"%s}`},
		"conv.received":      {"client_id", `{"conv_id":"{c}"%s}`},
		"msg.send":           {"from_client", `{"conv_id":"{c}","type":-1,"text":"hi"%s}`},
	} {
		f := newFixture(t)
		for who, code := range map[string]int{"": 0, "Member": 0, "Owner": 4004} {
			named := ""
			if who != "" {
				named = fmt.Sprintf(`,%q:%q`, tt.field, who)
			}
			by := f.actor("shop", "Member")
			if _, got, err := f.do(by, name, f.body("x", fmt.Sprintf(tt.body, named), by)); got != code {
				t.Errorf("%s naming %q: got code %d (%v), want %d", name, who, got, err, code)
			}
		}
		var fault *skein.Fault
		_, code, err := f.do(f.actor("shop", ""), name, f.body("x", fmt.Sprintf(tt.body, ""), f.actor("shop", "Owner")))
		if code != 4001 || !errors.As(err, &fault) || fault.Field != tt.field {
			t.Errorf("%s by the backend without a name: got %v, want 4001 about %s", name, err, tt.field)
		}
	}
	f := newFixture(t)
	if _, code, err := f.do(f.actor("shop", "Member"), "user.update", `{"client_id":"Member","ext":{}}`); code != 0 {
		t.Errorf("user.update of oneself: got %v", err)
	}
}
