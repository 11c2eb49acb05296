package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The whole life of the keys: a server that seals, one that lacks the key, a backup, a new key.
func TestSecretsAreSealedWithKeysThatAreNotInTheStore(t *testing.T) {
	t.Parallel()
	keys := filepath.Join(t.TempDir(), "keys")
	addKey := func() string {
		t.Helper()
		line, errs, exit := skein(t, "secrets", "key")
		old, _ := os.ReadFile(keys) // the first time there is none
		if err := os.WriteFile(keys, append(old, line...), 0o600); err != nil || exit != 0 {
			t.Fatalf("skein secrets key: exit %d, %v\n%s", exit, err, errs)
		}
		return line
	}
	addKey()
	s := start(t, withoutDev(), withArgs("--secret-key-file", keys))
	a := newApp(t, s, "shop", "--secret-key-file", keys)
	works := func(what string) {
		t.Helper()
		eventually(t, what, func() bool { return s.once(t, "GET", "/im/users/Tom", a.as(t, "Tom"), nil).Code == 0 })
	}
	a.user(t, "first")
	if got := s.once(t, "POST", "/im/users", a.server(), map[string]any{"client_id": "Tom"}); got.Code != 0 {
		t.Fatalf("make a client: %+v", got)
	}
	works("sealed")

	s.Stop(t)
	for _, file := range []string{"skein.db", "skein.db-wal"} {
		if text, _ := os.ReadFile(filepath.Join(s.Data, file)); bytes.Contains(text, []byte(a.Secret)) {
			t.Errorf("%s holds the token secret in clear", file)
		}
	}
	if _, errs, exit := skein(t, "serve", "--data", s.Data, "--addr", s.Addr, "--admin-addr", s.Admin); exit != 1 ||
		!strings.Contains(errs, "token secret of app shop: sealed with key ") || !strings.Contains(errs, "--secret-key-file does not have") {
		t.Errorf("a server without the key: exit %d, %q", exit, errs)
	}
	if out, _, exit := skein(t, "doctor", "--data", s.Data); exit != 1 || !strings.Contains(out, "fail  secrets: token secret of app shop: sealed with key ") {
		t.Errorf("the doctor without the key: exit %d\n%s", exit, out)
	}

	old, _ := os.ReadFile(keys)
	newest := addKey()
	s.Restart(t)
	works("two keys")
	if out, errs, exit := skein(t, "secrets", "reseal", "--data", s.Data, "--secret-key-file", keys); exit != 0 || out != "1 secret sealed with the newest key.\n" {
		t.Errorf("skein secrets reseal: exit %d, %q %q", exit, out, errs)
	}
	if out, _, _ := skein(t, "secrets", "list", "--data", s.Data, "--secret-key-file", keys); !strings.Contains(out, "the newest: seals") || !strings.Contains(out, "no longer needed") {
		t.Errorf("skein secrets list:\n%s", out)
	}
	if err := os.WriteFile(keys, []byte(newest), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Stop(t)
	s.Restart(t)
	works("the newest alone")
	if bytes.Equal(old, []byte(newest)) {
		t.Error("two keys are the same")
	}
}
