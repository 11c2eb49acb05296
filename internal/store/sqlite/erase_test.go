package sqlite

import (
	"testing"

	"github.com/skein-im/skein"
)

// The number of steps of an erasure depends only on the messages of its own app: one step for
// each 5,000.
func TestAnErasureLooksAtItsOwnAppAlone(t *testing.T) {
	s := newStore(t, Options{})
	loud, _ := newTenant(t, s, "loud", 1)
	conv, _ := newTenant(t, s, "shop", 2)
	drafts := make([]skein.Draft, 3*5_000)
	for i := range drafts {
		drafts[i] = tenantDraft("loud", loud)
	}
	for len(drafts) > 0 {
		if _, err := s.AppendAll(t.Context(), drafts[:1000]); err != nil {
			t.Fatal(err)
		}
		drafts = drafts[1000:]
	}
	for range 3 {
		if _, _, err := s.Append(t.Context(), tenantDraft("shop", conv)); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.DeleteClient(t.Context(), "shop", "shop-0", 9, true); err != nil {
		t.Fatal(err)
	}
	if _, more, err := s.EraseMessages(t.Context(), 9); more || err != nil {
		t.Errorf("the first step: got more %v, %v, want nothing left", more, err)
	}
	page, err := s.Messages(t.Context(), "shop", conv, skein.SeqRange{Limit: 10})
	for _, m := range page {
		if m.Status != skein.StatusDeleted || m.Text != "" {
			t.Errorf("got message %d with status %v and text %q, want it erased", m.Seq, m.Status, m.Text)
		}
	}
	if err != nil || len(page) != 3 {
		t.Errorf("got %d messages, %v, want 3", len(page), err)
	}
}
