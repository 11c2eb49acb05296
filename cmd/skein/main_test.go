package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// TestMain frees the tests from the environment's own settings.
func TestMain(m *testing.M) {
	for _, kv := range os.Environ() {
		if name, _, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "SKEIN_") {
			_ = os.Unsetenv(name) // a name that was just listed
		}
	}
	os.Exit(m.Run())
}

// result is what a command did.
type result struct {
	out, err string
	code     int
}

// runSkein runs a command to its end, as main does. Package e2e tests the same
// commands as processes.
func runSkein(t *testing.T, args ...string) result {
	t.Helper()
	var out, stderr bytes.Buffer
	code := run(args, &out, &stderr)
	return result{out.String(), stderr.String(), code}
}

// must runs a command that is to work and answers what it printed.
func must(t *testing.T, args ...string) string {
	t.Helper()
	r := runSkein(t, args...)
	if r.code != exitOK {
		t.Fatalf("skein %v: exit %d\n%s%s", args, r.code, r.out, r.err)
	}
	return r.out
}

// mustJSON is must for what prints JSON.
func mustJSON[T any](t *testing.T, args ...string) T {
	t.Helper()
	out := must(t, append(args, "--json")...)
	var v T
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		t.Fatalf("skein %v: %v\n%s", args, err, out)
	}
	return v
}

// newApp is a data directory with one app in it.
func newApp(t *testing.T) (data string, app appSecrets) {
	t.Helper()
	data = filepath.Join(t.TempDir(), "data")
	return data, mustJSON[appSecrets](t, "app", "create", "--id", "shop", "--name", "Shop", "--data", data)
}

func TestCreatePrintsExactlyThreeFields(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	got := mustJSON[map[string]string](t, "app", "create", "--id", "shop", "--name", "Shop", "--data", data)
	if len(got) != 3 || got["app_id"] != "shop" || got["app_key"] == "" || got["token_secret"] == "" {
		t.Errorf("got %v, want app_id shop, app_key, token_secret", got)
	}
	info, err := os.Stat(data)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("--data: got %v, %v, want mode 0700", info.Mode(), err)
	}
}

func TestSecretsAreShownOnce(t *testing.T) {
	data, app := newApp(t)
	shown := must(t, "app", "show", "--id", "shop", "--json", "--data", data) + must(t, "app", "list", "--data", data)
	for _, secret := range []string{app.AppKey, app.TokenSecret} {
		if strings.Contains(shown, secret) {
			t.Errorf("a secret is shown again:\n%s", shown)
		}
	}
	if view := mustJSON[appView](t, "app", "show", "--id", "shop", "--secret", "--data", data); view.TokenSecret != app.TokenSecret {
		t.Errorf("--secret: got %q, want %q", view.TokenSecret, app.TokenSecret)
	}
}

func TestUpdateSetsEachSetting(t *testing.T) {
	data, _ := newApp(t)
	view := mustJSON[appView](t, "app", "update", "--id", "shop", "--name", "Laden", "--data", data,
		"--token-auth=off", "--relaxed-client-ids=on", "--auto-register=off", "--members-may-invite=on", "--add-by=nobody", "--members-may-mention-all=off",
		"--private-history=on", "--max-devices=1", "--max-members=2", "--max-sockets=11", "--max-storage-bytes=12", "--file-access=signed", "--file-link-life=60",
		"--max-conversations=3", "--send-rate=-1", "--send-burst=4", "--rest-rate=5", "--command-rate=6",
		"--login-rate=7", "--file-types=png,.JPG,png", "--max-file-bytes=8",
		"--allowed-origins=https://a.com,*.b.com", "--one-per-device-type=on", "--presence=off", "--last-seen=on", "--edit-window=9", "--recall-window=-1",
		"--jwks=https://id.example/keys", "--token-issuer=https://id.example", "--token-audience=skein")
	stored := skein.Settings{
		Open: true, RelaxedClientIDs: true, NoAutoRegister: true, MembersMayInvite: true, AddBy: skein.AddByNobody, ManagersMentionAll: true,
		PrivateHistory: true, MaxDevices: 1, MaxMembers: 2, MaxSockets: 11, MaxStorageBytes: 12, PrivateFiles: true, FileLinkLife: 60,
		MaxConversations: 3, SendRate: -1, SendBurst: 4, RESTRate: 5, CommandRate: 6,
		LoginRate: 7, FileTypes: []string{"png", "jpg"}, MaxFileBytes: 8,
		OnePerDeviceType: true, HidePresence: true, LastSeen: true, EditWindow: 9, RecallWindow: -1,
		AllowedOrigins: []string{"https://a.com", "*.b.com"},
		JWKS:           "https://id.example/keys", TokenIssuer: "https://id.example", TokenAudience: "skein",
	}
	want := adminapi.SettingsOf(stored)
	same(t, "update", view.Settings, want)
	if view.Name != "Laden" {
		t.Errorf("name: got %q", view.Name)
	}

	same(t, "show", mustJSON[appView](t, "app", "show", "--id", "shop", "--data", data).Settings, want)

	stored.Open, stored.FileTypes, stored.MaxDevices, stored.HidePresence, stored.RecallWindow, stored.AllowedOrigins, stored.JWKS = false, nil, 0, false, 0, nil, ""
	want = adminapi.SettingsOf(stored)
	view = mustJSON[appView](t, "app", "update", "--id", "shop", "--data", data,
		"--token-auth=on", "--file-types=", "--allowed-origins=", "--max-devices=0", "--presence=on", "--recall-window=0", "--jwks=")
	same(t, "what is not given stays", view.Settings, want)
}

func TestShowNamesTheServersFlagForALimitThatTheAppDoesNotSet(t *testing.T) {
	data, _ := newApp(t)
	must(t, "app", "update", "--id", "shop", "--data", data, "--send-rate=50")
	text := strings.Join(strings.Fields(must(t, "app", "show", "--id", "shop", "--data", data)), " ")
	for _, want := range []string{"send-rate 50 ", "send-burst as the server's --send-burst ", "max-members as the server's --max-members ", "max-devices 10 "} {
		if !strings.Contains(text, want) {
			t.Errorf("got %q, want %q in it", text, want)
		}
	}
	if got := mustJSON[appView](t, "app", "show", "--id", "shop", "--data", data).Settings; *got.SendRate != 50 || *got.SendBurst != 0 || *got.MaxMembers != 0 {
		t.Errorf("JSON: got send_rate %d, send_burst %d, max_members %d; want 50, 0, 0", *got.SendRate, *got.SendBurst, *got.MaxMembers)
	}
}

func same(t *testing.T, what string, got, want adminapi.Settings) {
	t.Helper()
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want)
	if !bytes.Equal(g, w) {
		t.Errorf("%s\ngot  %s\nwant %s", what, g, w)
	}
}

func TestDeleteMakesTheAppUnknown(t *testing.T) {
	data, _ := newApp(t)
	must(t, "app", "delete", "--id", "shop", "--data", data)
	if r := runSkein(t, "app", "show", "--id", "shop", "--data", data); r.code != exitFailed || !strings.Contains(r.err, `there is no app "shop"`) {
		t.Errorf("show after delete: %+v", r)
	}
	if apps := mustJSON[[]appLine](t, "app", "list", "--data", data); len(apps) != 0 {
		t.Errorf("list after delete: %v", apps)
	}
}

func TestRefused(t *testing.T) {
	data, _ := newApp(t)
	for name, tt := range map[string]struct {
		args, want string
		code       int
	}{
		"no command":               {"", "expected one of", exitUsage},
		"unknown flag":             {"app list --loud", "unknown flag --loud", exitUsage},
		"create without an id":     {"app create", "--id", exitUsage},
		"create with a bad id":     {"app create --id a/b", `--id: "a/b" is not 1 to 64 of`, exitUsage},
		"create it again":          {"app create --id shop", `--id: app "shop" is there already`, exitFailed},
		"a name that is too long":  {"app create --id b --name " + strings.Repeat("n", 101), "--name: 101 characters are more than 100", exitUsage},
		"update of nothing":        {"app update --id shop", "nothing to change", exitUsage},
		"update of nobody":         {"app update --id nope --name x", `--id: there is no app "nope"`, exitFailed},
		"a number below zero":      {"app update --id shop --max-members=-4", "--max-members: must be 1 to 1000000000", exitUsage},
		"a switch that is neither": {"app update --id shop --token-auth=maybe", `"maybe" is neither on nor off`, exitUsage},
		"rotate to a taken name":   {"app rotate-key --id shop --name default", `--name: there is a key "default" already`, exitFailed},
		"rotate an unknown key":    {"app rotate-key --id shop --old nope", `--old: there is no key "nope"`, exitFailed},
		"negative grace":           {"app rotate-key --id shop --grace=-1h", "--grace: -1h0m0s is less than nothing", exitUsage},
		"delete nobody":            {"app delete --id nope", `there is no app "nope"`, exitFailed},
		"token of an unknown app":  {"token --app nope --client Tom", `--app: there is no app "nope"`, exitFailed},
		"token of a bad client":    {"token --app shop --client T.om", `--client: "T.om" is no client id`, exitFailed},
		"token for too long":       {"token --app shop --client Tom --ttl 2161h", "ttl: must be 1 second to 90 days", exitFailed},
		"another database":         {"app list --database mysql://db/skein", "--database", exitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			args := strings.Fields(tt.args)
			if len(args) > 0 {
				args = append(args, "--data", data)
			}
			r := runSkein(t, args...)
			if r.code != tt.code || !strings.Contains(r.err, tt.want) || r.out != "" {
				t.Errorf("skein %s\ngot  exit %d, %q, stdout %q\nwant exit %d, … %s …", tt.args, r.code, r.err, r.out, tt.code, tt.want)
			}
		})
	}
}

func TestLookingMakesNoStore(t *testing.T) {
	data := filepath.Join(t.TempDir(), "mistyped")
	for _, args := range [][]string{{"app", "list"}, {"app", "show", "--id", "x"}, {"token", "--app", "x", "--client", "y"}} {
		r := runSkein(t, append(args, "--data", data)...)
		if r.code != exitFailed || !strings.Contains(r.err, "there is no store in "+data) {
			t.Errorf("%v: %+v", args, r)
		}
	}
	if _, err := os.Stat(data); !os.IsNotExist(err) {
		t.Errorf("%s was made: %v", data, err)
	}
}

func TestToken(t *testing.T) {
	data, app := newApp(t)
	text := must(t, "token", "--app", "shop", "--client", "Tom", "--ttl", "2h", "--device", "phone", "--act", "login,msg.send", "--data", data)
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(strings.TrimSpace(text), claims, func(*jwt.Token) (any, error) { return []byte(app.TokenSecret), nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired())
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal([]any{claims["sub"], claims["app"], claims["dev"], claims["act"]})
	if want := `["Tom","shop","phone",["login","msg.send"]]`; string(got) != want {
		t.Errorf("claims: got %s, want %s", got, want)
	}
	life := claims["exp"].(float64) - claims["iat"].(float64)
	if want := (2 * time.Hour).Seconds(); life < want-1 || life > want+1 {
		t.Errorf("life: got %v s, want %v", life, want)
	}
}

func TestVersion(t *testing.T) {
	if out := must(t, "version"); !strings.HasPrefix(out, "skein ") || !strings.Contains(out, "go1.") {
		t.Errorf("got %q", out)
	}
}

// The help of a setting says what holds when nobody says.
func TestHelpOfASettingSaysItsDefault(t *testing.T) {
	help := map[string]string{}
	for _, s := range adminapi.AllSettings {
		help[s.Name] = helpOf(s)
	}
	for name, want := range map[string]string{
		"token_auth": "(default on).", "private_history": "(default off).", "send_rate": "(0: as the server's --send-rate, -1: no limit).",
		"add_by": "(default anyone).", "max_devices": "(0: 10).", "allowed_origins": "(default none).", "max_storage_bytes": "(0: no limit).",
	} {
		if !strings.HasSuffix(help[name], want) {
			t.Errorf("--%s: help %q, want %s at its end", flagOf(name), help[name], want)
		}
	}
}
