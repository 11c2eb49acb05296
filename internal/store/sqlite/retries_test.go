package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/skein-im/skein"
)

func TestMessagesThatShareARetryNumberAreToldApart(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	one, two := sharedTag(t, s.writer.salt, "ann")
	say := func(clientMsgID, text string) (skein.Message, bool, error) {
		d := newDraft(conv, text)
		d.ClientMsgID = clientMsgID
		return s.Append(t.Context(), d)
	}
	for i, id := range []string{one, two} {
		if m, again, err := say(id, id); err != nil || again || m.Seq != int64(i+1) {
			t.Fatalf("%s: got seq %d, again %v, error %v", id, m.Seq, again, err)
		}
	}
	for i, id := range []string{one, two} {
		if m, again, err := say(id, id); err != nil || !again || m.Seq != int64(i+1) || m.Text != id {
			t.Errorf("%s again: got seq %d, %q, again %v, error %v", id, m.Seq, m.Text, again, err)
		}
		if _, _, err := say(id, "other"); !errors.Is(err, skein.ErrConflict) {
			t.Errorf("%s with another text: got error %v, want %v", id, err, skein.ErrConflict)
		}
	}
	wantDense(t, s, conv, 2)
}

func TestTheSaltIsTheStoresOwnAndStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "skein.db")
	s, other := newStore(t, Options{Path: path}), newStore(t, Options{})
	if len(s.writer.salt) != 16 || bytes.Equal(s.writer.salt, other.writer.salt) {
		t.Errorf("salts %x and %x", s.writer.salt, other.writer.salt)
	}
	if again := openStore(t, Options{Path: path}); !bytes.Equal(again.writer.salt, s.writer.salt) {
		t.Errorf("salt %x, when it is opened again %x", s.writer.salt, again.writer.salt)
	}
}

// sharedTag finds two ids of a sender's with one tag.
func sharedTag(t *testing.T, salt []byte, sender string) (one, two string) {
	t.Helper()
	seen := map[uint32]string{}
	for i := range 1 << 20 {
		id := fmt.Sprint(i)
		tag := retryTag(salt, sender, id)
		if other, found := seen[tag]; found {
			return other, id
		}
		seen[tag] = id
	}
	t.Fatal("no two ids of a million share a tag")
	return "", ""
}

// What is on the disk must be found by later versions too.
func TestRetryTagsStayAsTheyAre(t *testing.T) {
	for _, tt := range []struct {
		sender, id string
		want       uint32
	}{
		{"ann", "1", 0xfcb6c375},
		{"ann1", "", 0x07a48b43},
		{"an", "n1", 0xb91e1964},
		{"Tom", "日本", 0xa14045c9},
	} {
		if got := retryTag([]byte("salt"), tt.sender, tt.id); got != tt.want {
			t.Errorf("%q %q: got %#x, want %#x", tt.sender, tt.id, got, tt.want)
		}
	}
}
