package chat

import (
	"context"
	"errors"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/words"
)

// withWords gives the app of a fixture a word list.
func (f *fixture) withWords(list skein.WordList) {
	f.Helper()
	list.Revision = 1
	_, err := f.store.Administer(f.Context(), putWords("shop", list))
	f.must(err)
	lists := words.New(words.Options{Store: f.store})
	f.Cleanup(lists.Close)
	f.words, f.shop.Settings.WordList = lists, 1
}

func TestTheWordListHoldsForAllThatMembersWrite(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	f.withWords(skein.WordList{Replace: []string{"bad", "坏蛋"}, Reject: []string{"worst"}})
	tom := skein.Actor{App: f.shop, Client: "Tom", Need: skein.NeedMember}
	conv, err := f.CreateConversation(t.Context(), tom, "Tom", []string{"Jerry"}, skein.Conversation{Type: skein.Group, Extend: []byte(`{"a":{"name":"bad"}, "name" : "a b\u0061d \"name\"","z":[1]}`)})
	f.must(err)
	if want := `{"a":{"name":"bad"}, "name" : "a *** \"name\"","z":[1]}`; string(conv.Extend) != want {
		t.Errorf("a name: got %s, want %s", conv.Extend, want)
	}
	send := func(text, id string) (skein.Message, error) {
		return f.Send(t.Context(), tom, skein.Draft{Message: skein.Message{Conv: conv.ID, Sender: "Tom", ClientMsgID: id, Body: skein.Body{Type: skein.TypeText, Text: text}}})
	}
	m, err := send("你这坏蛋 BAD", "x")
	if err != nil || m.Text != "你这** ***" || m.Seq != 1 {
		t.Errorf("a message: got %q, seq %d, %v", m.Text, m.Seq, err)
	}
	if again, err := send("你这坏蛋 BAD", "x"); err != nil || again.ID != m.ID {
		t.Errorf("its retry: got %v, %v, want the first message", again.ID, err)
	}
	if _, err := send("the worst", "y"); !errors.Is(err, skein.ErrRefused) {
		t.Errorf("a word that rejects: got error %v", err)
	}
	sent := f.Service.Send(t.Context(), tom, drafts(conv.ID, "one", "worst", "bad", "four"))
	if sent[0].Message.Seq != 2 || !errors.Is(sent[1].Err, skein.ErrRefused) || sent[2].Message.Text != "***" || sent[2].Message.Seq != 3 || sent[3].Message.Text != "four" {
		t.Errorf("several at once: got %+v", sent)
	}
	text := "now bad"
	if m, err := f.Edit(t.Context(), tom, conv.ID, m.ID, Editing{Text: &text}); err != nil || m.Text != "now ***" {
		t.Errorf("an edit: got %q, %v", m.Text, err)
	}
	text = "worst"
	if _, err := f.Edit(t.Context(), tom, conv.ID, m.ID, Editing{Text: &text}); !errors.Is(err, skein.ErrRefused) {
		t.Errorf("an edit that is refused: got error %v", err)
	}
	nickname := "bad Tom"
	if me, err := f.UpdateMember(t.Context(), tom, conv.ID, "Tom", MemberUpdate{Nickname: &nickname}); err != nil || me.Nickname != "*** Tom" {
		t.Errorf("a nickname: got %q, %v", me.Nickname, err)
	}
	tom.Need = skein.NeedManager
	where := []skein.Condition{{Field: skein.FieldConvID, Op: skein.Eq, Values: []any{conv.ID.String()}}}
	if _, err := f.UpdateConversations(t.Context(), tom, where, []byte(`{"name":"worst"}`)); !errors.Is(err, skein.ErrRefused) {
		t.Errorf("a new name that is refused: got error %v", err)
	}
	for _, extend := range []string{`null`, `"bad"`, `{"name":7}`, `{"name":null}`, `{}`} {
		if n, err := f.UpdateConversations(t.Context(), tom, where, []byte(extend)); err != nil || n != 1 {
			t.Errorf("conv_extend %s: got %d, %v", extend, n, err)
		}
	}
}

func drafts(conv skein.ID, texts ...string) []skein.Draft {
	all := make([]skein.Draft, len(texts))
	for i, text := range texts {
		all[i].Message = skein.Message{Conv: conv, Sender: "Tom", Body: skein.Body{Type: skein.TypeText, Text: text}}
	}
	return all
}

func putWords(app string, list skein.WordList) func(context.Context, store.AdminTx) (skein.Deed, error) {
	return func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		return skein.Deed{}, t.PutWordList(ctx, app, list)
	}
}
