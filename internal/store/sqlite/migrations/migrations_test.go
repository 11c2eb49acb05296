package migrations

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestALandedMigrationIsNeverEdited(t *testing.T) {
	raw, err := os.ReadFile("landed/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	landed := make(map[string]string)
	for line := range strings.Lines(string(raw)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		landed[name] = sum
	}
	files, err := filepath.Glob("*.sql")
	if err != nil || len(files) < len(landed) {
		t.Fatalf("%d migrations, %d have landed: a landed migration is never taken away; %v", len(files), len(landed), err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		switch got, want := hex.EncodeToString(sum[:]), landed[filepath.Base(file)]; {
		case want == "":
			t.Errorf("%s: its sum is not in the list: run go generate ./internal/store/sqlite/migrations", file)
		case got != want:
			t.Errorf("%s: a landed migration is never edited: add one; got sum %s, want %s", file, got, want)
		}
	}
}
