package cache

import (
	"context"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/storetest"
)

// Budgets: how often a read that memory answers may allocate.
const (
	audienceBudget     = 0
	clientBudget       = 0
	conversationBudget = 1 // the member, a copy
	messagesBudget     = 1 // the list, a copy
	newsBudget         = 0 // room for messages is made once in fifty
)

func wantAllocs(t *testing.T, what string, budget float64, work func() error) {
	t.Helper()
	got := testing.AllocsPerRun(200, func() {
		if err := work(); err != nil {
			t.Fatal(err)
		}
	})
	if got > budget {
		t.Errorf("%s: %v allocations, the budget is %v", what, got, budget)
	}
}

func TestAudienceAlloc(t *testing.T) {
	s, conv := warm(t)
	wantAllocs(t, "an audience", audienceBudget, func() error {
		_, _, err := s.Audience(t.Context(), "app", conv, 0)
		return err
	})
}

func TestAllocsOfReadsThatMemoryAnswers(t *testing.T) {
	s, conv := warm(t)
	missed := s.misses.Load()
	wantAllocs(t, "a client", clientBudget, func() error {
		_, err := s.Client(t.Context(), "app", "ann")
		return err
	})
	wantAllocs(t, "a conversation and a member", conversationBudget, func() error {
		_, _, err := s.Conversation(t.Context(), "app", conv, "ann")
		return err
	})
	wantAllocs(t, "the newest messages", messagesBudget, func() error {
		_, err := s.Messages(t.Context(), "app", conv, skein.SeqRange{Limit: 20, Newest: true, Viewer: "ann"})
		return err
	})
	if got := s.misses.Load() - missed; got != 0 {
		t.Errorf("the engine was asked %d times: it was not memory that answered", got)
	}
}

func TestAllocsOfTakingInACommit(t *testing.T) {
	s, conv := warm(t)
	news := []skein.Committed{{App: "app", Message: skein.Message{Conv: conv, Sender: "ann", Seq: 30, Body: skein.Body{Text: "hi"}}}}
	wantAllocs(t, "a message", newsBudget, func() error {
		news[0].Seq++
		s.commit(news)
		return nil
	})
}

// warm is a cache that knows all of a conversation of 30 messages.
func warm(t *testing.T) (*Store, skein.ID) {
	t.Helper()
	s, ctx := open(t, storetest.Options{}, DefaultBytes), context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.CreateApp(ctx, skein.App{ID: "app"}))
	_, _, err := s.CreateClient(ctx, skein.Client{App: "app", ID: "ann"})
	must(err)
	c := skein.Conversation{App: "app", ID: newID(), Type: skein.Group, Created: 1}
	_, _, err = s.CreateConversation(ctx, c, []skein.Member{{Client: "ann"}}, store.MemberLimit{})
	must(err)
	for range 30 {
		must(say(ctx, s, c.ID))
	}
	_, err = s.Client(ctx, "app", "ann")
	must(err)
	_, _, err = s.Conversation(ctx, "app", c.ID, "ann")
	must(err)
	_, _, err = s.Audience(ctx, "app", c.ID, 0)
	must(err)
	_, err = s.Messages(ctx, "app", c.ID, skein.SeqRange{Limit: 20, Newest: true})
	must(err)
	return s, c.ID
}
