package chat

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

// hook is a before-hook for tests: it rejects what says "reject" and whatever concerns Iron, and has *** for "bad".
type hook struct{ asked []skein.Question }

func (h *hook) Ask(_ context.Context, _ *skein.App, all []skein.Question) []skein.Answer {
	answers := make([]skein.Answer, len(all))
	for i, q := range all {
		if q.Message != nil { // it is the caller's, who may change it
			m := *q.Message
			q.Message = &m
		}
		h.asked = append(h.asked, q)
		answers[i] = h.answer(q)
	}
	return answers
}

func (h *hook) answer(q skein.Question) skein.Answer {
	switch m := q.Message; {
	case slices.Contains(q.Clients, "Iron") || q.Client == "Iron" || q.Title == "virus.png":
		return skein.Answer{Err: &skein.Fault{Err: skein.ErrRejected, Detail: "not Iron"}}
	case m != nil && strings.Contains(m.Text, "reject"):
		return skein.Answer{Err: &skein.Fault{Err: skein.ErrRejected, Detail: "no ads"}}
	case m != nil && strings.Contains(m.Text, "bad"):
		body := m.Body
		body.Text, body.Attr = strings.ReplaceAll(m.Text, "bad", "***"), []byte(`{"by":"hook"}`)
		return skein.Answer{Verdict: skein.Verdict{Body: &body}}
	}
	return skein.Answer{}
}

// withHook gives the app of a fixture a hook.
func (f *fixture) withHook(on ...string) *hook {
	h := &hook{}
	f.hooks = h
	for _, what := range on {
		f.shop.Settings.BeforeHooks = append(f.shop.Settings.BeforeHooks, skein.BeforeHook{On: what})
	}
	return h
}

func TestAHookIsAskedBeforeAMessageIsSent(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	h := f.withHook(skein.BeforeMessage)
	f.withWords(skein.WordList{Replace: []string{"worse"}, Reject: []string{"worst"}})
	conv := f.create(skein.Group, "Tom", "Jerry")
	tom := f.as("Tom", skein.NeedMember)
	tom.Device = "phone"
	send := func(text, id string) (skein.Message, error) {
		return f.Send(t.Context(), tom, skein.Draft{Message: skein.Message{Conv: conv, Sender: "Tom", ClientMsgID: id, Body: skein.Body{Type: skein.TypeText, Text: text}}})
	}
	m, err := send("bad and worse", "x")
	if err != nil || m.Text != "*** and *****" || string(m.Attr) != `{"by":"hook"}` || m.Seq != 1 {
		t.Errorf("replaced: got %q %s seq %d, %v", m.Text, m.Attr, m.Seq, err)
	}
	if q := h.asked[0]; len(h.asked) != 1 || q.On != skein.BeforeMessage || q.Client != "Tom" || q.Device != "phone" || q.ConvType != skein.Group || q.Message.Text != "bad and *****" || q.Message.ID != m.ID || q.Edit {
		t.Errorf("asked: got %+v", h.asked)
	}
	if again, err := send("bad and worse", "x"); err != nil || again.ID != m.ID || again.Seq != 1 {
		t.Errorf("its retry: got %v seq %d, %v, want the first message", again.ID, again.Seq, err)
	}
	f.withWords(skein.WordList{Reject: []string{"bad"}})
	if again, err := send("bad and worse", "x"); err != nil || again.ID != m.ID || again.Seq != 1 {
		t.Errorf("its retry after the word list refuses it: got %v seq %d, %v, want the first message", again.ID, again.Seq, err)
	}
	f.withWords(skein.WordList{Replace: []string{"worse"}, Reject: []string{"worst"}})
	if _, err := send("something else", "x"); !errors.Is(err, skein.ErrConflict) {
		t.Errorf("a retry with other content: got %v, want %v", err, skein.ErrConflict)
	}
	if _, err := send("reject this", "y"); !errors.Is(err, skein.ErrRejected) || !strings.Contains(err.Error(), "no ads") {
		t.Errorf("rejected: got %v", err)
	}
	sent := f.Service.Send(t.Context(), tom, drafts(conv, "one", "reject", "bad", "worst", "five"))
	if sent[0].Message.Seq != 2 || !errors.Is(sent[1].Err, skein.ErrRejected) || sent[2].Message.Text != "***" || sent[2].Message.Seq != 3 || !errors.Is(sent[3].Err, skein.ErrRefused) || sent[4].Message.Seq != 4 {
		t.Errorf("several at once: got %+v", sent)
	}
	transient := drafts(conv, "bad")
	transient[0].Transient = true
	if got := f.Service.Send(t.Context(), tom, transient)[0]; got.Err != nil || got.Message.Text != "***" {
		t.Errorf("a transient message: got %q, %v", got.Message.Text, got.Err)
	}
}

func TestAHookIsNotAskedAboutWhatMayNotHappenOrTheBackendDoes(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	h := f.withHook(skein.BeforeMessage)
	conv := f.create(skein.Group, "Tom", "Jerry")
	if sent := f.Service.Send(t.Context(), f.backend(), drafts(conv, "reject")); sent[0].Err != nil {
		t.Errorf("the backend: got %v", sent[0].Err)
	}
	alex := drafts(conv, "reject")
	alex[0].Sender = "Alex"
	if sent := f.Service.Send(t.Context(), f.as("Alex", skein.NeedMember), alex); !errors.Is(sent[0].Err, skein.ErrForbidden) {
		t.Errorf("who is no member: got %v, want %v", sent[0].Err, skein.ErrForbidden)
	}
	f.shop.Settings.BeforeHooks = nil
	if sent := f.Service.Send(t.Context(), f.as("Tom", skein.NeedMember), drafts(conv, "reject")); sent[0].Err != nil {
		t.Errorf("an app without a hook: got %v", sent[0].Err)
	}
	if len(h.asked) != 0 {
		t.Errorf("asked about %+v, want nothing", h.asked)
	}
}

func TestAHookIsAskedBeforeAMessageIsEdited(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry")
	tom, jerry := f.as("Tom", skein.NeedMember), f.as("Jerry", skein.NeedMember)
	m := f.Service.Send(t.Context(), tom, drafts(conv, "hello"))[0].Message
	h := f.withHook(skein.BeforeMessage)
	edit := func(by skein.Actor, text string) (skein.Message, error) {
		return f.Edit(t.Context(), by, conv, m.ID, Editing{Text: &text})
	}
	if got, err := edit(tom, "so bad"); err != nil || got.Text != "so ***" || string(got.Attr) != `{"by":"hook"}` || got.Version != 2 {
		t.Errorf("replaced: got %q %s version %d, %v", got.Text, got.Attr, got.Version, err)
	}
	if q := h.asked[0]; !q.Edit || q.Message.ID != m.ID || q.Message.Text != "so bad" || q.ConvType != skein.Group {
		t.Errorf("asked: got %+v", q)
	}
	if got, err := edit(tom, "so bad"); err != nil || got.Version != 2 {
		t.Errorf("its retry: got version %d, %v, want no change", got.Version, err)
	}
	if _, err := edit(tom, "reject"); !errors.Is(err, skein.ErrRejected) {
		t.Errorf("rejected: got %v", err)
	}
	asked := len(h.asked)
	if _, err := edit(jerry, "reject"); !errors.Is(err, skein.ErrForbidden) {
		t.Errorf("another's message: got %v, want %v", err, skein.ErrForbidden)
	}
	if _, err := edit(f.backend(), "reject"); err != nil {
		t.Errorf("the backend: got %v", err)
	}
	if len(h.asked) != asked {
		t.Errorf("asked about another's edit or the backend's: %+v", h.asked[asked:])
	}
}

func TestAHookIsAskedBeforeConversationsMembersLoginsAndUploads(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	room := f.create(skein.Room, "Tom")
	h := f.withHook(skein.BeforeConversation, skein.BeforeMembers, skein.BeforeLogin, skein.BeforeUpload)
	tom := f.as("Tom", skein.NeedManager)
	tom.Device = "phone"
	create := func(by skein.Actor, id skein.ID, others ...string) error {
		_, err := f.CreateConversation(t.Context(), by, "Tom", others, skein.Conversation{ID: id, Type: skein.Group, Extend: []byte(`{"a":1}`)})
		return err
	}
	group := skein.ID{15: 1}
	for i, step := range []struct {
		what string
		do   func() error
		want error
		ask  skein.Question // whose On is empty: none
	}{
		{"a conversation", func() error { return create(tom, group, "Jerry") }, nil, skein.Question{On: skein.BeforeConversation, Client: "Tom", Device: "phone", Conv: group, ConvType: skein.Group, Clients: []string{"Jerry"}, Extend: []byte(`{"a":1}`)}},
		{"its retry", func() error { return create(tom, group, "Jerry") }, nil, skein.Question{}},
		{"a conversation that is rejected", func() error { return create(tom, skein.ID{15: 2}, "Iron") }, skein.ErrRejected, skein.Question{On: skein.BeforeConversation, Client: "Tom", Device: "phone", Conv: skein.ID{15: 2}, ConvType: skein.Group, Clients: []string{"Iron"}, Extend: []byte(`{"a":1}`)}},
		{"the backend's conversation", func() error { return create(f.backend(), skein.ID{15: 3}, "Iron") }, nil, skein.Question{}},
		{"members", func() error { return f.AddMembers(t.Context(), tom, group, []string{"Alex"}) }, nil, skein.Question{On: skein.BeforeMembers, Client: "Tom", Device: "phone", Conv: group, ConvType: skein.Group, Clients: []string{"Alex"}}},
		{"members who are rejected", func() error { return f.AddMembers(t.Context(), tom, group, []string{"Iron"}) }, skein.ErrRejected, skein.Question{On: skein.BeforeMembers, Client: "Tom", Device: "phone", Conv: group, ConvType: skein.Group, Clients: []string{"Iron"}}},
		{"members by who may not", func() error {
			return f.AddMembers(t.Context(), f.as("Jerry", skein.NeedManager), group, []string{"Iron"})
		}, skein.ErrForbidden, skein.Question{}},
		{"who joins", func() error { return f.Join(t.Context(), f.as("Iron", skein.NeedClient), room, "Iron") }, skein.ErrRejected, skein.Question{On: skein.BeforeMembers, Client: "Iron", Conv: room, ConvType: skein.Room, Clients: []string{"Iron"}}},
		{"a login", func() error { return f.Register(t.Context(), f.as("New", skein.NeedClient), nil, "10.0.0.7") }, nil, skein.Question{On: skein.BeforeLogin, Client: "New", Addr: "10.0.0.7"}},
		{"a login that is rejected", func() error { return f.Register(t.Context(), f.as("Iron", skein.NeedClient), nil, "") }, skein.ErrRejected, skein.Question{On: skein.BeforeLogin, Client: "Iron"}},
		{"an upload", func() error { return f.AskAboutUpload(t.Context(), tom, "f.png", "virus.png", 7) }, skein.ErrRejected, skein.Question{On: skein.BeforeUpload, Client: "Tom", Device: "phone", Path: "/storage/uploads/f.png", Title: "virus.png", Bytes: 7}},
	} {
		h.asked = nil
		if err := step.do(); !errors.Is(err, step.want) {
			t.Errorf("step %d, %s: got %v, want %v", i, step.what, err, step.want)
		}
		if step.ask.On == "" && len(h.asked) > 0 || step.ask.On != "" && (len(h.asked) != 1 || !reflect.DeepEqual(h.asked[0], step.ask)) {
			t.Errorf("step %d, %s: asked %+v, want %+v", i, step.what, h.asked, step.ask)
		}
	}
	if _, err := f.User(t.Context(), f.backend(), "New"); err != nil {
		t.Errorf("a client whose login passed: got %v", err)
	}
	if _, _, err := f.store.Conversation(t.Context(), "shop", skein.ID{15: 2}, ""); !errors.Is(err, skein.ErrUnknownConversation) {
		t.Errorf("a conversation that was rejected: got %v", err)
	}
}
