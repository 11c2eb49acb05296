package chat

import (
	"context"
	"log/slog"
	"testing"

	"github.com/skein-im/skein"
)

func TestUpkeepEndsWithItsContextAndLeavesNothingBehind(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry")
	f.say(conv, 20)
	_, _, err := f.store.DeleteClient(t.Context(), "shop", "Tom", f.now(), true)
	f.must(err)
	gone := f.create(skein.Group, "Jerry")
	f.must(f.DeleteConversation(t.Context(), f.backend(), gone))
	f.tidy(t.Context(), slog.New(slog.DiscardHandler))
	for what, do := range map[string]func(context.Context, skein.Millis) (bool, error){
		"to purge": f.store.Purge, "to erase": f.store.EraseMessages,
	} {
		more, err := do(t.Context(), f.now())
		f.must(err)
		if more {
			t.Errorf("there is more %s", what)
		}
	}
	m, _, err := f.Page(t.Context(), f.backend(), conv, 1, 1)
	f.must(err)
	wantEqual(f, "what a deleted client said", m[0].Text, "")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.Upkeep(ctx, slog.New(slog.DiscardHandler)) // returns
	f.tidy(ctx, slog.New(slog.DiscardHandler))
}
