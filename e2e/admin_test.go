package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// operator calls the Admin API of a server with a token; empty: without.
type operator struct {
	s     *server
	token string
}

// adminAnswer is an answer of the Admin API.
type adminAnswer struct {
	Status  int
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

func (a adminAnswer) String() string {
	return fmt.Sprintf("HTTP %d, code %d %s, %s", a.Status, a.Code, a.Message, a.Data)
}

// field is a field of the answer's data.
func (a adminAnswer) field(name string) any {
	var data map[string]any
	_ = json.Unmarshal(a.Data, &data) // a wrong answer has no field
	return data[name]
}

func (o operator) call(t *testing.T, method, path, body string) (a adminAnswer) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+o.s.Admin+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Language", "en")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if o.token != "" {
		req.Header.Set("Authorization", "Bearer "+o.token)
	}
	res, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("%s %s: got %q: %v", method, path, text, err)
	}
	a.Status = res.StatusCode
	return a
}

func (o operator) must(t *testing.T, method, path, body string) adminAnswer {
	t.Helper()
	a := o.call(t, method, path, body)
	if a.Code != 0 || a.Status != http.StatusOK {
		t.Fatalf("%s %s %s: got %s, want code 0", method, path, body, a)
	}
	return a
}

// owner makes an operator with all rights, by a command on the server's machine.
func owner(t *testing.T, s *server, name string) operator {
	t.Helper()
	out, errs, exit := skein(t, "operator", "create", "--name", name, "--role", "owner", "--json", "--data", s.Data)
	var made struct {
		Token string `json:"token"`
	}
	if err := json.Unmarshal([]byte(out), &made); exit != 0 || err != nil || made.Token == "" {
		t.Fatalf("skein operator create: exit %d, %v\n%s%s", exit, err, out, errs)
	}
	o := operator{s, made.Token}
	eventually(t, "the server follows", func() bool { return o.call(t, "GET", "/admin/me", "").Code == 0 })
	return o
}

func TestAnOperatorMakesOthersWhoMayDoWhatTheirRolesSay(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev())
	if got := (operator{s, "sko_GUESSED"}).call(t, "GET", "/admin/me", ""); got.Code != 4003 {
		t.Errorf("an installation without operators: got %s, want 4003", got)
	}
	first := owner(t, s, "owner")
	if got := first.must(t, "GET", "/admin/me", "").field("operator_name"); got != "owner" {
		t.Errorf("me: got %v, want owner", got)
	}
	made := first.must(t, "POST", "/admin/operators", `{"operator_name":"bob","roles":[{"app_id":"shop","role":"support"}]}`)
	bob := operator{s, fmt.Sprint(made.field("token"))}
	for name, tt := range map[string]struct {
		by           operator
		method, path string
		code, status int
	}{
		"without a token":                {operator{s: s}, "GET", "/admin/me", 4003, 401},
		"with an unknown token":          {operator{s, bob.token + "X"}, "GET", "/admin/me", 4003, 401},
		"with too long a token":          {operator{s, strings.Repeat("x", 9000)}, "GET", "/admin/me", 4003, 401},
		"the app's operator, himself":    {bob, "GET", "/admin/me", 0, 200},
		"the app's log":                  {bob, "GET", "/admin/audit?app_id=shop", 0, 200},
		"another app's log":              {bob, "GET", "/admin/audit?app_id=other", 4004, 403},
		"the whole log":                  {bob, "GET", "/admin/audit", 4004, 403},
		"the operators":                  {bob, "GET", "/admin/operators", 4004, 403},
		"an unknown operator":            {first, "GET", "/admin/operators/nobody", 4014, 404},
		"an unknown operator, forbidden": {bob, "GET", "/admin/operators/nobody", 4004, 403},
		"no such path":                   {first, "GET", "/admin/nothing", 4040, 404},
		"no such method":                 {first, "PATCH", "/admin/me", 4050, 405},
	} {
		if got := tt.by.call(t, tt.method, tt.path, ""); got.Code != tt.code || got.Status != tt.status {
			t.Errorf("%s: got %s, want code %d, HTTP %d", name, got, tt.code, tt.status)
		}
	}
	if status, _ := s.probe("/admin/me"); status != http.StatusNotFound {
		t.Errorf("the public address answers /admin/me with HTTP %d, want 404", status)
	}
	s.Stop(t)
	s.Restart(t)
	if got := first.must(t, "GET", "/admin/me", "").field("operator_name"); got != "owner" {
		t.Errorf("after a restart: got %v", got)
	}
}

func TestCommandsAndTheAdminAPIChangeTheSameOperatorsAndWriteOneLog(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev())
	first, ann := owner(t, s, "owner"), owner(t, s, "ann")
	made := ann.token
	ann.must(t, "PUT", "/admin/operators/owner", `{"roles":[{"app_id":null,"role":"read-only"}]}`)
	if got := first.call(t, "GET", "/admin/operators", ""); got.Code != 4004 {
		t.Errorf("the operator whose role was taken away: got %s, want 4004", got)
	}
	if _, errs, exit := skein(t, "operator", "delete", "--name", "ann", "--data", s.Data); exit != 1 || !strings.Contains(errs, "last owner") {
		t.Errorf("the last owner: got exit %d, %q", exit, errs)
	}
	token := ann.must(t, "POST", "/admin/me/tokens", `{"token_name":"second","replaces":"default","grace":0}`).field("token")
	if got := ann.call(t, "GET", "/admin/me", ""); got.Code != 4003 {
		t.Errorf("a replaced token without grace: got %s, want 4003", got)
	}
	ann.token = fmt.Sprint(token)
	if _, errs, exit := skein(t, "operator", "delete", "--name", "owner", "--data", s.Data); exit != 0 {
		t.Errorf("skein operator delete: exit %d, %s", exit, errs)
	}
	eventually(t, "the server refuses the removed operator", func() bool { return first.call(t, "GET", "/admin/me", "").Code == 4003 })

	var page struct {
		Data []struct {
			Op       string `json:"op"`
			Operator string `json:"operator_name"`
			Target   string `json:"target"`
		} `json:"data"`
	}
	answer := ann.must(t, "GET", "/admin/audit", "")
	if err := json.Unmarshal(answer.Data, &page); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range page.Data {
		by, _, _ := strings.Cut(d.Operator, ":")
		got = append(got, by+" "+d.Op+" "+d.Target)
	}
	want := "cli operator.delete owner, ann me.token.create ann/second, ann operator.update owner, cli operator.create ann, cli operator.create owner"
	if strings.Join(got, ", ") != want {
		t.Errorf("the audit log:\ngot  %s\nwant %s", strings.Join(got, ", "), want)
	}
	for _, secret := range []string{made, ann.token, first.token} {
		if strings.Contains(string(answer.Data), secret) {
			t.Error("the audit log has a token")
		}
	}
	out, _, _ := skein(t, "doctor", "--data", s.Data, "--addr", s.Addr, "--admin-addr", s.Admin)
	if !strings.Contains(out, "5 entries, the newest has the hash ") {
		t.Errorf("the doctor does not say that it verified the log:\n%s", out)
	}
}

// Every op of the document, with each field of a wrong type, in the body or the query: the answer
// is in the envelope, names a code of its document and is never an internal error.
func TestEveryOpOfTheAdminAPIRefusesWrongTypes(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../api/admin.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Parameters []struct {
				Name, In string
				Schema   map[string]any
			}
			RequestBody struct {
				Content map[string]struct {
					Schema map[string]any
				}
			} `yaml:"requestBody"`
		}
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	s := start(t, withoutDev())
	by := owner(t, s, "owner")
	parameter := regexp.MustCompile(`\{\w+\}`)
	refused := 0
	for path, item := range doc.Paths {
		for method, op := range item {
			target := parameter.ReplaceAllString(path, "nobody")
			for _, wrong := range wrongTypes(method+" "+path, op.RequestBody.Content["application/json"].Schema) {
				got := by.call(t, strings.ToUpper(method), target, jsonOf(obj{wrong.field: wrong.wrong}))
				if got.Code != 4406 || !strings.Contains(got.Message, wrong.field) {
					t.Errorf("%s with %s %s: got %s, want 4406 that names the field", wrong.call, wrong.field, jsonOf(wrong.wrong), got)
				}
				refused++
			}
			for _, p := range op.Parameters {
				if p.In != "query" || p.Schema["type"] != "integer" {
					continue
				}
				for _, wrong := range []string{"x", "1.5", "-1", "99999999999999999999", "%00"} {
					got := by.call(t, strings.ToUpper(method), target+"?"+p.Name+"="+wrong, "")
					if got.Code != 4406 || !strings.Contains(got.Message, p.Name) {
						t.Errorf("%s %s?%s=%s: got %s, want 4406 that names the field", method, path, p.Name, wrong, got)
					}
					refused++
				}
			}
			for _, body := range []string{`[`, `null`, `[]`, `{"operator_name":1,"operator_name":2}`, strings.Repeat("[", 100_000), "\xff", `{"a":` + nested(40) + `}`} {
				if got := by.call(t, strings.ToUpper(method), target, body); got.Code == 1 || got.Code == 0 && method != "get" {
					t.Errorf("%s %s with %s: got %s", method, path, cut(body), got)
				}
			}
		}
	}
	if refused < 40 {
		t.Errorf("only %d wrong fields were tried", refused)
	}
	if got := by.must(t, "GET", "/admin/operators", ""); strings.Count(string(got.Data), `"operator_name"`) != 1 {
		t.Errorf("refused calls made operators: %s", got)
	}
}

// An app is made, changed, given keys and deleted by the Admin API; its clients and backends see each of it on a running server.
func TestAnAppIsRunByTheAdminAPI(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev())
	by := owner(t, s, "owner")
	made := by.must(t, "POST", "/admin/apps", `{"app_id":"shop","settings":{"auto_register":false}}`)
	a := &app{s: s, ID: "shop", Key: fmt.Sprint(made.field("app_key")), Secret: fmt.Sprint(made.field("token_secret"))}
	a.must(t, "POST", "/im/users", map[string]any{"client_id": "Tom"}) // at once on the node that answered
	if got := s.once(t, "GET", "/im/users/Tom", a.as(t, "Tom"), nil); got.Code != 0 {
		t.Errorf("a token of the new app: got %s", got)
	}
	by.must(t, "PATCH", "/admin/apps/shop", `{"settings":{"relaxed_client_ids":true}}`)
	a.must(t, "POST", "/im/users", map[string]any{"client_id": "tom.jones"})
	if got := by.call(t, "PATCH", "/admin/apps/shop", `{"settings":{"max_devices":-1}}`); got.Code != 4406 || !strings.Contains(got.Message, "settings.max_devices") {
		t.Errorf("a setting out of bounds: got %s, want 4406 that names it", got)
	}
	second := *a
	second.Key = fmt.Sprint(by.must(t, "POST", "/admin/apps/shop/keys", `{"key_name":"ci","replaces":"default","grace":0}`).field("app_key"))
	second.must(t, "GET", "/im/users", nil)
	if got := a.call(t, "GET", "/im/users", nil); got.Code != 4003 {
		t.Errorf("the replaced key: got %s, want 4003", got)
	}
	if out, errs, exit := skein(t, "app", "update", "--id", "shop", "--send-rate", "7", "--data", s.Data); exit != 0 {
		t.Errorf("skein app update: exit %d\n%s%s", exit, out, errs)
	}
	settings, _ := by.must(t, "GET", "/admin/apps/shop", "").field("settings").(map[string]any)
	if settings["send_rate"] != 7.0 || settings["relaxed_client_ids"] != true || settings["auto_register"] != false {
		t.Errorf("settings: got %v", settings)
	}
	by.must(t, "DELETE", "/admin/apps/shop", "")
	if got := second.call(t, "GET", "/im/users", nil); got.Code != 4003 {
		t.Errorf("the deleted app: got %s, want 4003", got)
	}
	var page struct {
		Data []struct {
			Op       string `json:"op"`
			Operator string `json:"operator_name"`
		} `json:"data"`
	}
	if err := json.Unmarshal(by.must(t, "GET", "/admin/audit?app_id=shop", "").Data, &page); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range page.Data {
		by, _, _ := strings.Cut(d.Operator, ":")
		got = append(got, by+" "+d.Op)
	}
	if want := "owner app.delete, cli app.update, owner app.key.create, owner app.update, owner app.create"; strings.Join(got, ", ") != want {
		t.Errorf("the audit log:\ngot  %s\nwant %s", strings.Join(got, ", "), want)
	}
}
