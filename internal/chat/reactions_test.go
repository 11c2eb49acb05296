package chat

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

func TestAReactionIsSetAndTakenAwayOnce(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	m := f.said(f.create(skein.Group, "Tom", "Jerry"), "Tom", "hi")
	react := func(client, emoji string, on bool) (skein.Message, error) {
		return f.React(t.Context(), f.member(client), m.Conv, m.ID, emoji, on)
	}
	for i, tt := range []struct {
		client, emoji string
		on            bool
		want          string
		changes       int
	}{
		{"Tom", "👍", false, `[]`, 0},
		{"Tom", "👍", true, `[{👍 1 [Tom]}]`, 1},
		{"Tom", "👍", true, `[{👍 1 [Tom]}]`, 1},
		{"Jerry", "👍", true, `[{👍 2 [Tom Jerry]}]`, 2},
		{"Jerry", "ok", true, `[{👍 2 [Tom Jerry]} {ok 1 [Jerry]}]`, 3},
		{"Tom", "👍", false, `[{👍 1 [Jerry]} {ok 1 [Jerry]}]`, 4},
		{"Tom", "👍", false, `[{👍 1 [Jerry]} {ok 1 [Jerry]}]`, 4},
	} {
		got, err := react(tt.client, tt.emoji, tt.on)
		f.must(err)
		wantEqual(f, fmt.Sprintf("step %d", i+1), fmt.Sprint(got.Reactions), tt.want)
		wantEqual(f, fmt.Sprintf("changes at step %d", i+1), len(f.log(f.backend(), m.Conv)), tt.changes)
	}
	for name, emoji := range map[string]string{
		"none": "", "a space": " ", "one with a space": "a b", "a line feed": "a\n", "33 bytes": strings.Repeat("x", 33), "no UTF-8": "\xff",
	} {
		_, err := react("Tom", emoji, true)
		f.wantFault(name, err, skein.ErrMalformed, "emoji")
	}
	for i := range skein.MaxReactions - 2 {
		_, err := react("Tom", fmt.Sprint("e", i), true)
		f.must(err)
	}
	_, err := react("Tom", "more", true)
	f.wantFault("one too many", err, skein.ErrTooLarge, "emoji")
	_, err = react("Tom", "ok", true)
	f.wantCase("one that is there", err, nil, "")
}
