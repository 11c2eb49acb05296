package cursor

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

var testSeal = NewSealer([]byte("secret")).For("shop", "op", "Tom")

func TestASealedCursorIsShortAndShowsNothing(t *testing.T) {
	page, sync := skein.Cursor{Sort: 1, Tie: 2, Since: 3}, skein.SyncCursor{Epoch: 4, Since: 5, Upto: 6, Key: 7}
	one, two := *OfPage(page, testSeal), OfSync(sync, testSeal)
	for _, text := range []string{one, two} {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(text) > 88 || bytes.Contains(raw, make([]byte, 3)) {
			t.Errorf("got %q (%x), %v; want at most 88 characters, without three bytes of zero", text, raw, err)
		}
	}
	if again := *OfPage(page, testSeal); again != one {
		t.Errorf("the same cursor again: got %q, want %q", again, one)
	}
	page.Sort++
	next := *OfPage(page, testSeal)
	for i := 0; i+4 <= len(one); i++ {
		if strings.Contains(next, one[i:i+4]) {
			t.Errorf("the next cursor %q shares %q with %q", next, one[i:i+4], one)
		}
	}
}

func TestACursorThatWasTouchedDoesNotOpen(t *testing.T) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	plain := []byte("0123456789abcdefghijklmno")
	text := testSeal.close(plain)
	for i := range text {
		for _, letter := range letters {
			bad := text[:i] + string(letter) + text[i+1:]
			if got, err := testSeal.open(bad, len(plain)); bad != text && err == nil {
				t.Fatalf("%q at %d of %q opens: %q", letter, i, text, got)
			}
		}
	}
	for i := range text {
		for _, bad := range []string{text[:i], text[:i] + "\n" + text[i+1:], text[:i] + "\n" + text[i:]} {
			if _, err := testSeal.open(bad, len(plain)); err == nil {
				t.Errorf("%q opens", bad)
			}
		}
	}
	if got, err := testSeal.open(text, len(plain)); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("untouched: got %q, %v; want %q", got, err, plain)
	}
}

func TestACursorOpensOnlyForWhatItWasMadeFor(t *testing.T) {
	sealer := NewSealer([]byte("secret"))
	plain := []byte("plain")
	text := sealer.For("shop", "op", "Tom").close(plain)
	for name, seal := range map[string]Seal{
		"another app":        sealer.For("game", "op", "Tom"),
		"another op":         sealer.For("shop", "po", "Tom"),
		"another client":     sealer.For("shop", "op", "Tim"),
		"the backend":        sealer.For("shop", "op", ""),
		"a shifted boundary": sealer.For("shopo", "p", "Tom"),
		"and another":        sealer.For("shop", "opT", "om"),
		"another store":      NewSealer([]byte("secreT")).For("shop", "op", "Tom"),
	} {
		_, err := seal.open(text, len(plain))
		checkFault(t, name, text, err, skein.ErrMalformed, "cursor")
	}
}

func TestACursorOfSyncWithoutASealIsOfAnotherHistory(t *testing.T) {
	old := base64.RawURLEncoding.EncodeToString(append(make([]byte, 31), 9))
	if got, err := ParseSync(old, testSeal); err != nil || got != ofEarlier {
		t.Errorf("%q: got %+v, %v; want %+v", old, got, err, ofEarlier)
	}
}

// FuzzCursor holds that a text opens only where it is the one that close makes.
func FuzzCursor(f *testing.F) {
	f.Add(OfSync(skein.SyncCursor{Epoch: 1}, testSeal))
	f.Add(*OfPage(skein.Cursor{Sort: 1}, testSeal))
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		for _, size := range []int{cursorSize, syncCursorSize} {
			if plain, err := testSeal.open(text, size); err == nil && testSeal.close(plain) != text {
				t.Errorf("%q opens as %x, which is written %q", text, plain, testSeal.close(plain))
			}
		}
	})
}
