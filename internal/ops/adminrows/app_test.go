package adminrows

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// settings are those of an app, by name.
func (f *fixture) settings(app string) map[string]string {
	f.Helper()
	answer, err := f.call(f.by(0), "app.get", `{"app_id":"`+app+`"}`)
	if err != nil {
		f.Fatal(err)
	}
	var view struct {
		Settings map[string]jsontext.Value `json:"settings"`
	}
	if err := json.Unmarshal(answer, &view); err != nil {
		f.Fatal(err)
	}
	all := map[string]string{}
	for name, value := range view.Settings {
		all[name] = string(value)
	}
	return all
}

// otherThan is a good value of a setting that is not its default.
func otherThan(s adminapi.Setting) string {
	switch {
	case s.Type.Elem().Kind() == reflect.Bool:
		return fmt.Sprint(s.Default != "true")
	case len(s.Words) > 0:
		return `"` + s.Words[len(s.Words)-1] + `"`
	case s.Type.Elem().Kind() == reflect.String:
		return `"https://id.example/keys"`
	case s.Name == "allowed_origins":
		return `["https://a.example","*.b.example"]`
	case s.Type.Elem().Kind() == reflect.Slice:
		return `["png","jpg"]`
	default:
		return "77" // within the bounds of every number
	}
}

func TestEachSettingIsSetAloneAndGoesBackToItsDefault(t *testing.T) {
	f := newFixture(t)
	if _, err := f.call(f.by(0), "words.put", `{"app_id":"shop","replace":["bad"]}`); err != nil {
		t.Fatal(err)
	}
	list := f.wordList("shop")
	want := f.settings("shop")
	if want["max_devices"] != "10" || want["send_rate"] != "0" || want["add_by"] != `"anyone"` || want["token_auth"] != "true" || want["allowed_origins"] != "[]" || want["file_types"] != "" {
		t.Errorf("the defaults: got %v", want)
	}
	update := func(name, value string) {
		t.Helper()
		if _, err := f.call(f.by(0), "app.update", fmt.Sprintf(`{"app_id":"shop","settings":{%q:%s}}`, name, value)); err != nil {
			t.Fatalf("%s %s: %v", name, value, err)
		}
	}
	for _, s := range adminapi.AllSettings {
		before := want[s.Name]
		update(s.Name, otherThan(s))
		want[s.Name] = otherThan(s)
		if got := f.settings("shop"); !reflect.DeepEqual(got, want) {
			t.Errorf("after %s %s:\ngot  %v\nwant %v", s.Name, otherThan(s), got, want)
		}
		back := before
		if back == "" {
			back = "[]"
		}
		update(s.Name, back)
		if want[s.Name] = before; before == "" {
			delete(want, s.Name)
		}
		if got := f.settings("shop"); !reflect.DeepEqual(got, want) {
			t.Errorf("after %s %s:\ngot  %v\nwant %v", s.Name, back, got, want)
		}
	}
	if got := f.wordList("shop"); list == 0 || got != list {
		t.Errorf("the revision of the word list after all these changes: got %d, want %d", got, list)
	}
	const others = 2 // WordList and BeforeHooks, which words.put and hook.put change
	if n, fields := len(adminapi.AllSettings), reflect.TypeFor[skein.Settings]().NumField()-others; n != fields {
		t.Errorf("the table has %d settings, and skein.Settings %d: every setting is in the table", n, fields)
	}
}

// wordList is the revision of the word list of an app, as its settings have it.
func (f *fixture) wordList(app string) int64 {
	f.Helper()
	a, err := f.store.App(f.Context(), app)
	if err != nil {
		f.Fatal(err)
	}
	return a.Settings.WordList
}

func TestASettingOutOfBoundsIsNamedAndNothingIsChanged(t *testing.T) {
	f := newFixture(t)
	bad := map[string][]string{
		"add_by":          {`"everyone"`, `""`, `1`},
		"file_access":     {`"private"`, `""`, `1`},
		"allowed_origins": {`["*"]`, `["https://a.example/path"]`, `["javascript:x"]`, `"https://a.example"`, `[` + strings.Repeat(`"https://a.example",`, 2) + `"null"]`},
		"jwks":            {`"http://id.example/keys"`, `"{"`, `"{\"keys\":[]}"`, `"` + strings.Repeat("x", 16385) + `"`, `1`},
		"token_issuer":    {`"` + strings.Repeat("x", 1025) + `"`, `1`},
		"token_audience":  {`"` + strings.Repeat("x", 1025) + `"`, `["x"]`},
		"file_types":      {`["` + strings.Repeat("x", 33) + `"]`, `["a/b"]`, `{}`, `[1]`, `["` + strings.Join(numbered(201), `","`) + `"]`},
	}
	for _, s := range adminapi.AllSettings {
		values := bad[s.Name]
		switch s.Type.Elem().Kind() {
		case reflect.Bool:
			values = []string{`"true"`, `1`, `[]`}
		case reflect.Int64:
			values = []string{`-2`, `9223372036854775807`, `1125899906842625`, `1.5`, `"5"`, `1e3`, `9223372036854775808`}
			if strings.HasPrefix(s.Name, "max_") {
				values = append(values, `-1`)
			}
		}
		if len(values) == 0 {
			t.Errorf("%s: no bad value is tried", s.Name)
		}
		for _, value := range values {
			for _, op := range []string{"app.update", "app.create"} {
				body := fmt.Sprintf(`{"app_id":"shop","name":"New","settings":{"presence":false,%q:%s}}`, s.Name, value)
				if s.Name == "presence" {
					body = fmt.Sprintf(`{"app_id":"shop","name":"New","settings":{%q:%s}}`, s.Name, value)
				}
				before := f.state()
				_, err := f.call(f.by(0), op, body)
				var fault *skein.Fault
				if !errors.Is(err, skein.ErrMalformed) || !errors.As(err, &fault) || !strings.HasPrefix(fault.Field, "settings."+s.Name) {
					t.Errorf("%s %s: got error %v, want %v about settings.%s", op, body, err, skein.ErrMalformed, s.Name)
				}
				if f.state() != before {
					t.Errorf("%s %s changed the state", op, body)
				}
			}
		}
	}
}

func numbered(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint("t", i))
	}
	return all
}

func TestASettingThatTheRoleMayNotChangeIsNamed(t *testing.T) {
	f := newFixture(t)
	_, err := f.call(f.by(5), "app.update", `{"app_id":"shop","settings":{"presence":false,"max_members":5}}`)
	var fault *skein.Fault
	if !errors.As(err, &fault) || !errors.Is(err, skein.ErrForbidden) || fault.Field != "settings.max_members" || !strings.Contains(fault.Detail, "admin of the installation") {
		t.Errorf("got error %v, want %v about settings.max_members", err, skein.ErrForbidden)
	}
}

func TestAppsAreListedInPagesToThoseWhoHaveARoleThere(t *testing.T) {
	f := newFixture(t)
	for i, want := range map[int]string{0: `gone0 gone1 gone2 `, 7: `gone7 late7 shop `} {
		answer, err := f.call(f.by(i), "app.list", `{"limit":3}`)
		var page adminapi.Apps
		if err := errors.Join(err, json.Unmarshal(answer, &page)); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, a := range page.Data {
			got += a.AppID + " "
		}
		if got != want || (page.NextAfter != nil) != (i == 0) {
			t.Errorf("operator %d: got %s, next %v, want %s", i, got, page.NextAfter, want)
		}
	}
	if answer, err := f.call(f.by(0), "app.list", `{"after":"shop"}`); err != nil || string(answer) != `{"data":[],"next_after":null}` {
		t.Errorf("behind the last one: got %s, %v", answer, err)
	}
}

func TestDeedsOnAppsAreInTheAuditLogWithoutSecrets(t *testing.T) {
	f := newFixture(t)
	for _, tt := range []struct{ op, body, target, before, after string }{
		{"app.create", `{"app_id":"new","settings":{"send_rate":50}}`, "", "", `"send_rate":50`},
		{"app.update", `{"app_id":"new","name":"New","settings":{"send_rate":60}}`, "", `{"name":"new","settings":{"send_rate":50}}`, `{"name":"New","settings":{"send_rate":60}}`},
		{"app.update", `{"app_id":"new","settings":{"send_rate":60}}`, "", `{}`, `{}`},
		{"app.key.create", `{"app_id":"new","key_name":"ci","replaces":"default","grace":60}`, "ci", `{"keys":[{"key_name":"default","expires":null}]}`, `{"keys":[{"key_name":"default","expires":1790000060000},{"key_name":"ci","expires":null}]}`},
		{"app.key.delete", `{"app_id":"new","key_name":"ci"}`, "ci", `"ci"`, `{"keys":[{"key_name":"default","expires":1790000060000}]}`},
		{"app.delete", `{"app_id":"new"}`, "", `"send_rate":60`, ""},
	} {
		answer, err := f.call(f.by(0), tt.op, tt.body)
		if err != nil {
			t.Fatalf("%s: %v", tt.op, err)
		}
		deeds, err := f.cases.Audit(t.Context(), skein.AuditQuery{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		d := deeds[0]
		if d.Op != tt.op || d.App != "new" || d.Operator != "op0" || d.Target != tt.target || !strings.Contains(string(d.Before), tt.before) || !strings.Contains(string(d.After), tt.after) || (tt.before == "") != (d.Before == nil) || (tt.after == "") != (d.After == nil) {
			t.Errorf("%s: got the entry %+v (before %s, after %s)", tt.op, d, d.Before, d.After)
		}
		var secrets struct {
			Key    string `json:"app_key"`
			Secret string `json:"token_secret"`
		}
		_ = json.Unmarshal(answer, &secrets) // true has none
		for _, s := range []string{secrets.Key, secrets.Secret} {
			if s != "" && strings.Contains(string(d.Before)+string(d.After), s) {
				t.Errorf("%s: the audit log has a secret: %s", tt.op, d.After)
			}
		}
	}
}

func TestKeysOfAnAppReplaceEachOther(t *testing.T) {
	f := newFixture(t)
	keys := func() string {
		t.Helper()
		app, err := f.cases.App(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, k := range app.Keys {
			end := "never"
			if k.Expires != 0 {
				end = k.Expires.Time().Sub(f.cases.Now().Time()).String()
			}
			all = append(all, k.Name+":"+end)
		}
		return strings.Join(all, " ")
	}
	for _, tt := range []struct {
		op, body, want string
		err            error
	}{
		{"app.key.create", `{"app_id":"shop","key_name":"a","ttl":3600}`, "default:never a:1h0m0s", nil},
		{"app.key.create", `{"app_id":"shop","key_name":"a"}`, "default:never a:1h0m0s", skein.ErrConflict},
		{"app.key.create", `{"app_id":"shop","key_name":"b","replaces":"nobody"}`, "default:never a:1h0m0s", skein.ErrNotFound},
		{"app.key.create", `{"app_id":"shop","key_name":"b","replaces":"default","grace":60}`, "default:1m0s a:1h0m0s b:never", nil},
		{"app.key.create", `{"app_id":"shop","key_name":"c","replaces":"default"}`, "default:1m0s a:1h0m0s b:never c:never", nil},
		{"app.key.create", `{"app_id":"shop","key_name":"d","replaces":"b","grace":0}`, "default:1m0s a:1h0m0s c:never d:never", nil},
		{"app.key.delete", `{"app_id":"shop","key_name":"nobody"}`, "default:1m0s a:1h0m0s c:never d:never", skein.ErrNotFound},
		{"app.key.delete", `{"app_id":"shop","key_name":"c"}`, "default:1m0s a:1h0m0s d:never", nil},
		{"app.key.create", `{"app_id":"shop","key_name":"e","ttl":59}`, "default:1m0s a:1h0m0s d:never", skein.ErrMalformed},
		{"app.key.create", `{"app_id":"shop","key_name":"e f"}`, "default:1m0s a:1h0m0s d:never", skein.ErrMalformed},
		{"app.key.create", `{"app_id":"none","key_name":"e"}`, "default:1m0s a:1h0m0s d:never", skein.ErrNotFound},
	} {
		if _, err := f.call(f.by(0), tt.op, tt.body); !errors.Is(err, tt.err) {
			t.Errorf("%s %s: got error %v, want %v", tt.op, tt.body, err, tt.err)
		}
		if got := keys(); got != tt.want {
			t.Errorf("after %s %s:\ngot  %s\nwant %s", tt.op, tt.body, got, tt.want)
		}
	}
	for i := range skein.MaxAppKeys - 3 {
		if _, err := f.call(f.by(0), "app.key.create", fmt.Sprintf(`{"app_id":"shop","key_name":"k%d"}`, i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.call(f.by(0), "app.key.create", `{"app_id":"shop","key_name":"last"}`); !errors.Is(err, skein.ErrTooLarge) {
		t.Errorf("one key too many: got error %v, want %v", err, skein.ErrTooLarge)
	}
}
