package sqlite

import (
	"errors"
	"fmt"
	"testing"

	"github.com/skein-im/skein"
)

func TestMessagesThatShareARetryNumberAreToldApart(t *testing.T) {
	s := newStore(t, Options{})
	conv := newGroup(t, s)
	one, two := sharedTag(t, "ann")
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

// sharedTag finds two ids of a sender's with one tag.
func sharedTag(t *testing.T, sender string) (one, two string) {
	t.Helper()
	seen := map[uint32]string{}
	for i := range 1 << 20 {
		id := fmt.Sprint(i)
		tag := retryTag(sender, id)
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
		{"ann", "1", 0x6c9905fc},
		{"ann1", "", 0x30c2229c},
		{"an", "n1", 0xc63221fa},
		{"Tom", "日本", 0x1a8a057c},
	} {
		if got := retryTag(tt.sender, tt.id); got != tt.want {
			t.Errorf("%q %q: got %#x, want %#x", tt.sender, tt.id, got, tt.want)
		}
	}
}
