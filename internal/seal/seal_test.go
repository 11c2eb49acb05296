package seal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keyFile writes a file with these lines.
func keyFile(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, lines ...string) *Keys {
	t.Helper()
	k, err := Read(keyFile(t, lines...))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

const secret, about = "a token secret", "token secret of app shop"

func TestTheNewestKeySealsAndAllOpen(t *testing.T) {
	first, second := NewKey(), NewKey()
	before, after := read(t, first), read(t, "# an older one", first, "", second)
	old, sealed := before.Seal([]byte(secret), about), after.Seal([]byte(secret), about)
	for name, stored := range map[string][]byte{"by the older key": old, "by the newest key": sealed, "never sealed": []byte(secret)} {
		if got, err := after.Open(stored, about); err != nil || string(got) != secret {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, secret)
		}
	}
	if ids := after.IDs(); SealedWith(old) != ids[0] || SealedWith(sealed) != ids[1] || after.Newest() != ids[1] || SealedWith([]byte(secret)) != "" {
		t.Errorf("sealed with %s and %s, want %v", SealedWith(old), SealedWith(sealed), ids)
	}
	if strings.Contains(string(sealed), secret) || string(sealed) == string(after.Seal([]byte(secret), about)) {
		t.Errorf("%s shows the secret, or is the same each time", sealed)
	}
	var missing *MissingKeyError
	if _, err := before.Open(sealed, about); !errors.As(err, &missing) || missing.ID != after.Newest() {
		t.Errorf("without the key: got error %v, want a *MissingKeyError of %s", err, after.Newest())
	}
}

func TestASealedSecretThatWasAlteredOrMovedDoesNotOpen(t *testing.T) {
	k := read(t, NewKey())
	sealed := k.Seal([]byte(secret), about)
	altered := append([]byte{}, sealed...)
	altered[len(altered)-5] ^= 1
	for name, tt := range map[string]struct {
		stored []byte
		about  string
	}{
		"altered":           {altered, about},
		"cut":               {sealed[:len(sealed)-8], about},
		"without its end":   {sealed[:len(mark)+9], about},
		"of another app":    {sealed, "token secret of app other"},
		"not base64 at all": {append(append([]byte{}, sealed[:len(mark)+9]...), "!!!"...), about},
	} {
		if got, err := k.Open(tt.stored, tt.about); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got %q, %v, want ErrDamaged", name, got, err)
		}
	}
}

func TestWithoutKeysSecretsStayAsTheyAre(t *testing.T) {
	k, err := Read("")
	if err != nil {
		t.Fatal(err)
	}
	if got := k.Seal([]byte(secret), about); string(got) != secret || k.Newest() != "" {
		t.Errorf("seal: got %q, newest %q", got, k.Newest())
	}
	if got, err := k.Open([]byte(secret), about); err != nil || string(got) != secret {
		t.Errorf("open: got %q, %v", got, err)
	}
	if _, err := k.Open(read(t, NewKey()).Seal([]byte(secret), about), about); err == nil {
		t.Error("a sealed secret opened without a key")
	}
}

func TestAKeyThatIsAddedToTheFileOpensWithoutARestartAndDoesNotSealYet(t *testing.T) {
	first, second := NewKey(), NewKey()
	path := keyFile(t, first)
	k, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(first+"\n"+second), 0o600); err != nil {
		t.Fatal(err)
	}
	sealed := read(t, second).Seal([]byte(secret), about)
	before := k.Newest()
	if got, err := k.Open(sealed, about); err != nil || string(got) != secret {
		t.Errorf("got %q, %v, want %q", got, err, secret)
	}
	if k.Newest() != before {
		t.Error("a running process seals with a key that other nodes may not have")
	}
}

func TestAFileOfKeysThatIsWrongIsRefusedWithoutItsContent(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"empty":           {"# nothing\n", "has no key"},
		"not base64":      {NewKey() + "\nhunter2!", "line 2 is not 32 bytes in base64"},
		"too short a key": {"aGVsbG8=", "line 1 is not 32 bytes in base64"},
		"too long a file": {strings.Repeat("#\n", maxFile), "more than"},
	} {
		_, err := Read(keyFile(t, tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got error %v, want one with %q", name, err, tt.want)
		}
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got error %v", err)
	}
}
