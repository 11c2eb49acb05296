package adminrows

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/hooks"
	"github.com/skein-im/skein/internal/operators"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/sqlite"
	"github.com/skein-im/skein/internal/store/sqlite/sqlitetest"
	"github.com/skein-im/skein/internal/webhooks"
	"github.com/skein-im/skein/internal/wire/strict"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is the table over real use cases and a real store, whose operators are one of each
// role in the installation and one of each role in the app "shop"; each of the latter has that
// role also in two apps of its own, gone and late with its number: one loses a key, the other is deleted. "root" is an owner too, so that no
// call is refused for the last owner.
type fixture struct {
	*testing.T
	*ops.Table

	store *sqlite.Store
	cases *operators.Service
	cuts  []skein.Cut
}

// fixture takes the events of the use cases.
func (f *fixture) Say(skein.Committed)                    {}
func (f *fixture) Tell(skein.Notice)                      {}
func (f *fixture) Cut(c skein.Cut)                        { f.cuts = append(f.cuts, c) }
func (f *fixture) RingAll(string, skein.ID, int64, int64) {}

var who = []skein.OperatorIn{
	{Role: skein.OperatorOwner}, {Role: skein.OperatorAdmin}, {Role: skein.OperatorSupport}, {Role: skein.OperatorReadOnly},
	{App: "shop", Role: skein.OperatorOwner}, {App: "shop", Role: skein.OperatorAdmin}, {App: "shop", Role: skein.OperatorSupport}, {App: "shop", Role: skein.OperatorReadOnly},
	{Role: skein.OperatorNone},
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	now := func() time.Time { return time.UnixMilli(1_790_000_000_000) }
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: sqlitetest.File(t), Readers: 1, Now: now, SearchTime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	f := &fixture{T: t, store: s}
	f.cases = operators.New(operators.Options{Store: s, Users: chat.New(chat.Options{Store: s, Events: f, EraseFor: time.Hour, Now: now}), Now: now})
	f.Table = New(Deps{Operators: f.cases, Webhooks: webhooks.New(webhooks.Options{Store: s, Client: nobody{}, Now: now}), Hooks: hooks.NewService(hooks.ServiceOptions{Store: s, Now: now})})
	f.put(skein.OperatorAccount{Name: "root", Roles: []skein.OperatorIn{{Role: skein.OperatorOwner}}})
	f.app("shop")
	f.app("other")
	for i, role := range who {
		gone, late := role, role
		if role.App != "" {
			gone.App, late.App = fmt.Sprint("gone", i), fmt.Sprint("late", i)
		}
		f.app(fmt.Sprint("gone", i))
		f.app(fmt.Sprint("late", i))
		f.put(skein.OperatorAccount{Name: fmt.Sprint("op", i), Roles: slices.Compact([]skein.OperatorIn{role, gone, late}), Tokens: []skein.OperatorToken{tokenOf("first")}})
	}
	return f
}

func tokenOf(name string) skein.OperatorToken {
	return skein.OperatorToken{Name: name, Expires: skein.Forever}
}

func (f *fixture) put(o skein.OperatorAccount) {
	f.Helper()
	_, err := f.store.Administer(f.Context(), func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		return skein.Deed{}, t.PutOperator(ctx, o)
	})
	if err != nil {
		f.Fatal(err)
	}
}

// app makes an app.
func (f *fixture) app(id string) {
	f.Helper()
	if err := f.store.CreateApp(f.Context(), skein.App{ID: id, Keys: []skein.AppKey{{Name: "default"}}, TokenSecret: []byte("TOKENSECRET")}); err != nil {
		f.Fatal(err)
	}
}

// nobody is a client that reaches no endpoint.
type nobody struct{}

func (nobody) Do(*http.Request) (*http.Response, error) { return nil, errors.New("nobody is there") }

// putHook stores an endpoint of the app shop, in place of all others.
func (f *fixture) putHook(id string) {
	f.Helper()
	w := skein.Webhook{ID: id, App: "shop", Settings: skein.WebhookSettings{URL: "https://example.com/"}, Secrets: []skein.WebhookSecret{{Key: []byte("key"), Expires: skein.Forever}}}
	_, err := f.store.Administer(f.Context(), func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		all, err := t.Webhooks(ctx, "shop")
		for _, e := range all {
			err = errors.Join(err, t.RemoveWebhook(ctx, e.ID))
		}
		return skein.Deed{}, errors.Join(err, t.PutWebhook(ctx, w, "1.0.0", false))
	})
	if err != nil {
		f.Fatal(err)
	}
}

// by is the operator number i.
func (f *fixture) by(i int) skein.Actor {
	f.Helper()
	o, err := f.cases.Get(f.Context(), fmt.Sprint("op", i))
	if err != nil {
		f.Fatal(err)
	}
	return skein.Actor{Operator: &skein.OperatorCall{Account: o, Token: "first", Addr: "10.0.0.7", RequestID: "7f3e"}}
}

// call runs an op with JSON.
func (f *fixture) call(by skein.Actor, name, body string) ([]byte, error) {
	return f.Do(f.Context(), by, f.Op(name), func(in any) error { return strict.Decode([]byte(body), in) })
}

// rights says which operators may call an op, in the order of who: an owner, admin, support and
// read-only of the installation, the same of the app shop, one without a role: Y may, - may not, ? may, though there is no such thing. {new} is a name of
// its own for each call; {victim} an operator whom nobody misses; {i} the number of the caller.
var rights = map[string]struct{ body, want string }{
	"me.get":                {`{}`, "YYYYYYYY-"},
	"me.token.create":       {`{"token_name":"{new}"}`, "YYYYYYYY-"},
	"me.token.delete":       {`{"token_name":"first"}`, "YYYYYYYY-"},
	"me.sign_out":           {`{}`, "????????-"},
	"operator.create":       {`{"operator_name":"{new}","roles":[{"app_id":null,"role":"owner"}]}`, "Y--------"},
	"operator.list":         {`{}`, "YY-------"},
	"operator.get":          {`{"operator_name":"root"}`, "YY-------"},
	"operator.update":       {`{"operator_name":"{victim}","roles":[{"app_id":"shop","role":"admin"}]}`, "Y--------"},
	"operator.delete":       {`{"operator_name":"{victim}"}`, "Y--------"},
	"operator.token.create": {`{"operator_name":"{victim}","token_name":"{new}"}`, "Y--------"},
	"operator.token.delete": {`{"operator_name":"{victim}","token_name":"first"}`, "Y--------"},
	"app.create":            {`{"app_id":"{new}"}`, "YY-------"},
	"app.create open":       {`{"app_id":"{new}","settings":{"token_auth":false}}`, "Y--------"},
	"app.list":              {`{}`, "YYYYYYYY-"},
	"app.get":               {`{"app_id":"shop"}`, "YYYYYYYY-"},
	"app.get another":       {`{"app_id":"other"}`, "YYYY-----"},
	"app.get nothing":       {`{"app_id":"nothing"}`, "????-----"},
	"app.update":            {`{"app_id":"shop","name":"{new}","settings":{"presence":false}}`, "YY--YY---"},
	"app.update the open":   {`{"app_id":"shop","settings":{"token_auth":true}}`, "Y---Y----"},
	"app.update a limit":    {`{"app_id":"shop","settings":{"send_rate":5}}`, "YY-------"},
	"app.update another":    {`{"app_id":"other","name":"x"}`, "YY-------"},
	"app.delete":            {`{"app_id":"late{i}"}`, "Y---Y----"},
	"app.delete another":    {`{"app_id":"nothing"}`, "?--------"},
	"app.key.create":        {`{"app_id":"shop","key_name":"{new}"}`, "YY--YY---"},
	"app.key.list":          {`{"app_id":"shop"}`, "YY--YY---"},
	"app.key.delete":        {`{"app_id":"gone{i}","key_name":"default"}`, "YY--YY---"},
	"webhook.create":        {`{"app_id":"shop","url":"https://example.com/"}`, "YY--YY---"},
	"webhook.list":          {`{"app_id":"shop"}`, "YY--YY---"},
	"webhook.get":           {`{"app_id":"shop","webhook_id":"{victim}"}`, "YY--YY---"},
	"webhook.update":        {`{"app_id":"shop","webhook_id":"{victim}","rate":5}`, "YY--YY---"},
	"webhook.rotate":        {`{"app_id":"shop","webhook_id":"{victim}"}`, "YY--YY---"},
	"webhook.test":          {`{"app_id":"shop","webhook_id":"{victim}"}`, "YY--YY---"},
	"webhook.attempts":      {`{"app_id":"shop","webhook_id":"{victim}"}`, "YY--YY---"},
	"webhook.failed":        {`{"app_id":"shop","webhook_id":"{victim}"}`, "YY--YY---"},
	"webhook.replay":        {`{"app_id":"shop","webhook_id":"{victim}"}`, "YY--YY---"},
	"webhook.delete":        {`{"app_id":"shop","webhook_id":"{victim}"}`, "YY--YY---"},
	"app.usage":             {`{"app_id":"shop"}`, "YYYYYYYY-"},
	"app.usage of another":  {`{"app_id":"other"}`, "YYYY-----"},
	"user.session.list":     {`{"app_id":"shop","client_id":"{victim}"}`, "YYY-YYY--"},
	"user.session.end":      {`{"app_id":"shop","client_id":"{victim}","session_id":"x"}`, "???-???--"},
	"user.logout":           {`{"app_id":"shop","client_id":"{victim}"}`, "YYY-YYY--"},
	"user.logout another":   {`{"app_id":"nothing","client_id":"{victim}"}`, "???------"},
	"user.export":           {`{"app_id":"shop","client_id":"{victim}","reason":"asked"}`, "Y---Y----"},
	"user.erase":            {`{"app_id":"shop","client_id":"{victim}"}`, "YY--YY---"},
	"hook.put":              {`{"app_id":"shop","hook":"message","url":"https://example.com/"}`, "YY--YY---"},
	"hook.list":             {`{"app_id":"shop"}`, "YY--YY---"},
	"hook.rotate":           {`{"app_id":"shop","hook":"message"}`, "YY--YY---"},
	"hook.delete":           {`{"app_id":"shop","hook":"message"}`, "YY--YY---"},
	"audit.list":            {`{}`, "YYY------"},
	"words.put":             {`{"app_id":"shop","replace":["bad"]}`, "YY--YY---"},
	"words.get":             {`{"app_id":"shop"}`, "YYYYYYYY-"},
	"words.test":            {`{"app_id":"shop","text":"bad"}`, "YYYYYYYY-"},
	"words.delete":          {`{"app_id":"shop"}`, "YY--YY---"},
	"audit.list of shop":    {`{"app_id":"shop"}`, "YYY-YYY--"},
	"audit.list of another": {`{"app_id":"other"}`, "YYY------"},
}

func TestEachOperatorMayDoWhatTheTableSays(t *testing.T) {
	f := newFixture(t)
	for name, right := range rights {
		op, _, _ := strings.Cut(name, " ")
		var got []string
		for i := range who {
			victim := fmt.Sprintf("v%d-%s", i, strings.ReplaceAll(name, " ", ""))
			f.put(skein.OperatorAccount{Name: victim, Roles: []skein.OperatorIn{{Role: skein.OperatorReadOnly}}, Tokens: []skein.OperatorToken{tokenOf("first")}})
			f.putHook(victim)
			f.putWords()
			if strings.Contains(right.body, "client_id") {
				f.client(victim)
			}
			f.putBeforeHook()
			before := f.state()
			_, err := f.call(f.by(i), op, strings.NewReplacer("{new}", strings.ReplaceAll("n"+victim, ".", "-"), "{victim}", victim, "{i}", fmt.Sprint(i)).Replace(right.body))
			switch {
			case err == nil:
				got = append(got, "Y")
			case errors.Is(err, skein.ErrNotFound):
				got = append(got, "?")
			case errors.Is(err, skein.ErrForbidden):
				got = append(got, "-")
				if after := f.state(); after != before {
					t.Errorf("%s by %+v was refused, and changed\n%s\nto\n%s", name, who[i], before, after)
				}
			default:
				t.Errorf("%s by %+v: got error %v", name, who[i], err)
			}
		}
		if s := strings.Join(got, ""); s != right.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, s, right.want)
		}
	}
	for _, op := range f.Rows() {
		if _, ok := rights[op.Name]; !ok {
			t.Errorf("%s: nothing says who may", op.Name)
		}
	}
}

// putWords gives the app shop a word list.
func (f *fixture) putWords() {
	f.Helper()
	_, err := f.store.Administer(f.Context(), func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		return skein.Deed{}, t.PutWordList(ctx, "shop", skein.WordList{Revision: 1, Replace: []string{"bad"}})
	})
	if err != nil {
		f.Fatal(err)
	}
}

// putBeforeHook gives the app shop a hook before messages.
func (f *fixture) putBeforeHook() {
	f.Helper()
	err := f.store.UpdateApp(f.Context(), "shop", func(a *skein.App) error {
		a.Settings.BeforeHooks = []skein.BeforeHook{{On: skein.BeforeMessage, URL: "https://example.com/"}}
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
}

// state is all operators and the newest entry of the audit log.
func (f *fixture) state() string {
	f.Helper()
	all, err := f.cases.List(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	deeds, err := f.cases.Audit(f.Context(), skein.AuditQuery{Limit: 1})
	if err != nil {
		f.Fatal(err)
	}
	apps, err := f.cases.Apps(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	return fmt.Sprint(all, deeds, apps)
}

func TestNoAppAndNoClientMayCallTheAdminAPI(t *testing.T) {
	f := newFixture(t)
	app := &skein.App{ID: "shop"}
	for _, op := range f.Rows() {
		for name, by := range map[string]skein.Actor{"a backend": {App: app}, "a client": {App: app, Client: "Tom"}} {
			if _, err := f.call(by, op.Name, `{}`); !errors.Is(err, skein.ErrForbidden) {
				t.Errorf("%s by %s: got error %v, want %v", op.Name, name, err, skein.ErrForbidden)
			}
		}
	}
}

func TestBadInputIsRefusedWithTheNameOfItsField(t *testing.T) {
	f := newFixture(t)
	many := strings.TrimSuffix(strings.Repeat(`{"app_id":null,"role":"owner"},`, 101), ",")
	for body, want := range map[string]struct {
		op, field string
		err       error
	}{
		`{"operator_name":"x","token_name":"a b","roles":[{"app_id":null,"role":"owner"}]}`:            {"operator.create", "token_name", skein.ErrMalformed},
		`{"operator_name":"cli:root","roles":[{"app_id":null,"role":"owner"}]}`:                        {"operator.create", "operator_name", skein.ErrMalformed},
		`{"operator_name":"` + strings.Repeat("x", 65) + `","roles":[{"app_id":null,"role":"owner"}]}`: {"operator.create", "operator_name", skein.ErrMalformed},
		`{"operator_name":"root","roles":[{"app_id":null,"role":"owner"}]}`:                            {"operator.create", "operator_name", skein.ErrConflict},
		`{"roles":[{"app_id":null,"role":"owner"}]}`:                                                   {"operator.create", "operator_name", skein.ErrMissing},
		`{"operator_name":"x"}`:                                                                         {"operator.create", "roles", skein.ErrMissing},
		`{"operator_name":"x","roles":[` + many + `]}`:                                                  {"operator.create", "roles", skein.ErrMalformed},
		`{"operator_name":"x","roles":[{"app_id":"","role":"owner"}]}`:                                  {"operator.create", "roles.app_id", skein.ErrMalformed},
		`{"operator_name":"x","roles":[{"app_id":null,"role":"god"}]}`:                                  {"operator.create", "roles.role", skein.ErrMalformed},
		`{"operator_name":"x","roles":[{"app_id":null,"role":""}]}`:                                     {"operator.create", "roles.role", skein.ErrMalformed},
		`{"operator_name":"x","roles":"owner"}`:                                                         {"operator.create", "roles", skein.ErrMalformed},
		`{"operator_name":"x","roles":[{"app_id":null,"role":"owner"},{"app_id":null,"role":"admin"}]}`: {"operator.create", "roles.app_id", skein.ErrMalformed},
		`{"operator_name":"x","ttl":59,"roles":[{"app_id":null,"role":"owner"}]}`:                       {"operator.create", "ttl", skein.ErrMalformed},
		`{"token_name":"x","ttl":31536001}`:                                                             {"me.token.create", "ttl", skein.ErrMalformed},
		`{"token_name":"x","ttl":"x"}`:                                                                  {"me.token.create", "ttl", skein.ErrMalformed},
		`{"token_name":"x","grace":-1}`:                                                                 {"me.token.create", "grace", skein.ErrMalformed},
		`{"token_name":"x","grace":2592001}`:                                                            {"me.token.create", "grace", skein.ErrMalformed},
		`{"token_name":"x","replaces":"a/b"}`:                                                           {"me.token.create", "replaces", skein.ErrMalformed},
		`{"token_name":"x","replaces":"nobody"}`:                                                        {"me.token.create", "replaces", skein.ErrNotFound},
		`{"token_name":"first"}`:                                                                        {"me.token.create", "token_name", skein.ErrConflict},
		`{"token_name":"nobody"}`:                                                                       {"me.token.delete", "token_name", skein.ErrNotFound},
		`{"token_name":"\u0000"}`:                                                                       {"me.token.delete", "token_name", skein.ErrMalformed},
		`{"operator_name":"nobody"}`:                                                                    {"operator.get", "operator_name", skein.ErrNotFound},
		`{"operator_name":"%2e%2e"}`:                                                                    {"operator.get", "operator_name", skein.ErrMalformed},
		`{"operator_name":"nobody","token_name":"x"}`:                                                   {"operator.token.create", "operator_name", skein.ErrNotFound},
		`{"operator_name":"x y","token_name":"x"}`:                                                      {"operator.token.delete", "operator_name", skein.ErrMalformed},
		`{"operator_name":"x y"}`:                                                                       {"operator.delete", "operator_name", skein.ErrMalformed},
		`{"operator_name":"nobody","roles":[{"app_id":null,"role":"owner"}]}`:                           {"operator.update", "operator_name", skein.ErrNotFound},
		`{"app_id":"a b","text":"x"}`:                                                                   {"words.test", "app_id", skein.ErrMalformed},
		`{"app_id":"shop"}`:                                                                             {"words.test", "text", skein.ErrMissing},
		`{"app_id":"shop","text":"x"}`:                                                                  {"words.test", "app_id", skein.ErrNotFound},
		`{"app_id":"shop","replace":[""]}`:                                                              {"words.put", "replace", skein.ErrMalformed},
		`{"app_id":"nobody","replace":["x"]}`:                                                           {"words.put", "app_id", skein.ErrNotFound},
		`{"app_id":"nobody"}`:                                                                           {"words.delete", "app_id", skein.ErrNotFound},
		`{"app_id":"shop","first":"2026-11-31"}`:                                                        {"app.usage", "first", skein.ErrMalformed},
		`{"app_id":"shop","last":"today"}`:                                                              {"app.usage", "last", skein.ErrMalformed},
		`{"app_id":"nobody","last":"2026-11-30"}`:                                                       {"app.usage", "app_id", skein.ErrNotFound},
		`{"app_id":"a b","client_id":"x"}`:                                                              {"user.session.list", "app_id", skein.ErrMalformed},
		`{"app_id":"shop","client_id":"a b"}`:                                                           {"user.logout", "client_id", skein.ErrInvalidClientID},
		`{"app_id":"nobody","client_id":"x"}`:                                                           {"user.erase", "app_id", skein.ErrNotFound},
		`{"app_id":"shop","client_id":"x","messages":"all"}`:                                            {"user.erase", "messages", skein.ErrMalformed},
		`{"app_id":"shop","client_id":"x","device_id":""}`:                                              {"user.logout", "device_id", skein.ErrMalformed},
		`{"app_id":"shop","client_id":"x"}`:                                                             {"user.export", "reason", skein.ErrMissing},
		`{"app_id":"shop","client_id":"x","reason":"` + strings.Repeat("x", 501) + `"}`:                 {"user.export", "reason", skein.ErrMalformed},
		`{"app_id":"shop","hook":"nothing","url":"https://example.com/"}`:                               {"hook.put", "hook", skein.ErrMalformed},
		`{"app_id":"shop","hook":"message","url":"http://127.0.0.1/"}`:                                  {"hook.put", "url", skein.ErrMalformed},
		`{"app_id":"shop","hook":"message","url":"https://example.com/","timeout_ms":49}`:               {"hook.put", "timeout_ms", skein.ErrMalformed},
		`{"app_id":"shop","hook":"message","url":"https://example.com/","timeout_ms":2001}`:             {"hook.put", "timeout_ms", skein.ErrMalformed},
		`{"app_id":"shop","hook":"message","url":"https://example.com/","on_failure":"drop"}`:           {"hook.put", "on_failure", skein.ErrMalformed},
		`{"app_id":"shop","hook":"message"}`:                                                            {"hook.rotate", "hook", skein.ErrNotFound},
		`{"app_id":"nobody","hook":"message"}`:                                                          {"hook.delete", "app_id", skein.ErrNotFound},
		`{"app_id":"a b"}`:                                                                              {"audit.list", "app_id", skein.ErrMalformed},
		`{"op":"` + strings.Repeat("x", 257) + `"}`:                                                     {"audit.list", "op", skein.ErrMalformed},
		`{"from":0}`:                    {"audit.list", "from", skein.ErrMalformed},
		`{"until":9223372036854775807}`: {"audit.list", "until", skein.ErrMalformed},
		`{"before_seq":0}`:              {"audit.list", "before_seq", skein.ErrMalformed},
		`{"limit":0}`:                   {"audit.list", "limit", skein.ErrMalformed},
		`{"limit":501}`:                 {"audit.list", "limit", skein.ErrMalformed},
		`{"limit":1,"limit":2}`:         {"audit.list", "limit", skein.ErrMalformed},
	} {
		before := f.state()
		answer, err := f.call(f.by(0), want.op, body)
		var fault *skein.Fault
		if !errors.Is(err, want.err) || !errors.As(err, &fault) || fault.Field != want.field {
			t.Errorf("%s %s: got %s, %v, want %v about %s", want.op, body, answer, err, want.err, want.field)
		}
		if after := f.state(); after != before {
			t.Errorf("%s %s changed the state", want.op, body)
		}
	}
}

func TestAnInstallationKeepsItsLastOwner(t *testing.T) {
	f := newFixture(t)
	root := f.by(0)
	if _, err := f.call(root, "operator.delete", `{"operator_name":"root"}`); err != nil {
		t.Fatal(err)
	}
	for op, body := range map[string]string{
		"operator.delete": `{"operator_name":"op0"}`,
		"operator.update": `{"operator_name":"op0","roles":[{"app_id":"shop","role":"owner"}]}`,
	} {
		if _, err := f.call(root, op, body); !errors.Is(err, skein.ErrConflict) {
			t.Errorf("%s of the last owner: got error %v, want %v", op, err, skein.ErrConflict)
		}
	}
}

func TestAReplacedTokenExpiresAfterItsGrace(t *testing.T) {
	f := newFixture(t)
	if _, err := f.call(f.by(3), "me.token.create", `{"token_name":"second","replaces":"first","grace":60}`); err != nil {
		t.Fatal(err)
	}
	o := f.by(3).Operator.Account
	want := f.cases.Now().Add(time.Minute)
	if got := o.Token("first"); got == nil || got.Expires != want {
		t.Errorf("the replaced token: got %+v, want it to expire at %d", got, want)
	}
	for i := range skein.MaxOperatorTokens - 2 {
		if _, err := f.call(f.by(3), "me.token.create", fmt.Sprintf(`{"token_name":"t%d"}`, i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.call(f.by(3), "me.token.create", `{"token_name":"last"}`); !errors.Is(err, skein.ErrTooLarge) {
		t.Errorf("one token too many: got error %v, want %v", err, skein.ErrTooLarge)
	}
}

func TestEveryChangeIsInTheAuditLogAndNoTokenIs(t *testing.T) {
	f := newFixture(t)
	newest := func() skein.Deed {
		deeds, err := f.cases.Audit(t.Context(), skein.AuditQuery{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		return deeds[0]
	}
	for _, tt := range []struct{ op, body, target, before, after string }{
		{"operator.create", `{"operator_name":"new","roles":[{"app_id":"shop","role":"admin"}]}`, "new", "", `"role":"admin"`},
		{"operator.update", `{"operator_name":"new","roles":[{"app_id":null,"role":"support"}]}`, "new", `"role":"admin"`, `"role":"support"`},
		{"operator.token.create", `{"operator_name":"new","token_name":"ci"}`, "new/ci", `"default"`, `"ci"`},
		{"operator.token.delete", `{"operator_name":"new","token_name":"ci"}`, "new/ci", `"ci"`, `"default"`},
		{"operator.delete", `{"operator_name":"new"}`, "new", `"role":"support"`, ""},
		{"words.put", `{"app_id":"shop","replace":["secretword"]}`, "", "", `"replace":1`},
		{"words.put", `{"app_id":"shop","reject":["a","b"]}`, "", `"replace":1`, `"reject":2`},
		{"words.delete", `{"app_id":"shop"}`, "", `"reject":2`, ""},
		{"me.token.create", `{"token_name":"mine"}`, "op0/mine", `"first"`, `"mine"`},
		{"me.token.delete", `{"token_name":"mine"}`, "op0/mine", `"mine"`, `"first"`},
	} {
		answer, err := f.call(f.by(0), tt.op, tt.body)
		if err != nil {
			t.Fatalf("%s: %v", tt.op, err)
		}
		d := newest()
		if d.Op != tt.op || d.Operator != "op0" || d.Token != "first" || d.Addr != "10.0.0.7" || d.RequestID != "7f3e" || d.Target != tt.target ||
			!strings.Contains(string(d.Before), tt.before) || !strings.Contains(string(d.After), tt.after) || (tt.before == "") != (d.Before == nil) || (tt.after == "") != (d.After == nil) {
			t.Errorf("%s %s: got the entry %+v (before %s, after %s)", tt.op, tt.body, d, d.Before, d.After)
		}
		if _, token, ok := strings.Cut(string(answer), "sko_"); ok && strings.Contains(string(d.Before)+string(d.After), token[:20]) {
			t.Errorf("%s: the audit log has the token: %s", tt.op, d.After)
		}
	}
	entries, _, broken, err := operators.Verify(t.Context(), f.store)
	if err != nil || broken != "" || entries < 7 {
		t.Errorf("verify: got %d entries, %q, %v", entries, broken, err)
	}
}

// tampered is a store whose audit log somebody altered by hand.
type tampered struct {
	store.Admin

	alter func([]skein.Deed) []skein.Deed
}

func (s tampered) AuditAfter(ctx context.Context, seq int64, limit int) ([]skein.Deed, error) {
	all, err := s.Admin.AuditAfter(ctx, seq, limit)
	if seq > 0 {
		return all, err
	}
	return s.alter(all), err
}

func TestAnAlteredAuditLogIsFound(t *testing.T) {
	f := newFixture(t)
	for name, alter := range map[string]func([]skein.Deed) []skein.Deed{
		"an entry changed":      func(all []skein.Deed) []skein.Deed { all[4].Operator = "somebody else"; return all },
		"a time changed":        func(all []skein.Deed) []skein.Deed { all[4].At++; return all },
		"fields moved":          func(all []skein.Deed) []skein.Deed { all[4].App, all[4].Target = "x", all[4].App; return all },
		"an entry removed":      func(all []skein.Deed) []skein.Deed { return append(all[:4:4], all[5:]...) },
		"the first one removed": func(all []skein.Deed) []skein.Deed { return all[1:] },
		"one changed and hashed": func(all []skein.Deed) []skein.Deed {
			all[4].Op = "x"
			all[4].Hash = all[4].Sum(all[3].Hash)
			return all
		},
	} {
		if _, _, broken, err := operators.Verify(t.Context(), tampered{f.store, alter}); err != nil || broken == "" {
			t.Errorf("%s: got %q, %v, want it found", name, broken, err)
		}
	}
	if _, _, broken, err := operators.Verify(t.Context(), f.store); err != nil || broken != "" {
		t.Errorf("unaltered: got %q, %v", broken, err)
	}
}
