package chat

import (
	"context"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// otherNode is a store on which another node writes just before each write of this one.
type otherNode struct {
	store.Store

	first func()
}

func (o *otherNode) AddMembers(ctx context.Context, app string, id skein.ID, by store.Authority, clients []string, at skein.Millis, limit store.MemberLimit) ([]string, error) {
	o.first()
	return o.Store.AddMembers(ctx, app, id, by, clients, at, limit)
}

func (o *otherNode) RemoveMembers(ctx context.Context, app string, id skein.ID, by store.Authority, clients []string, at, ban skein.Millis) ([]string, error) {
	o.first()
	return o.Store.RemoveMembers(ctx, app, id, by, clients, at, ban)
}

func (o *otherNode) UpdateMember(ctx context.Context, app string, id skein.ID, by store.Authority, client string, at skein.Millis, change func(skein.Conversation, *skein.Member) error) (skein.Conversation, skein.Member, error) {
	o.first()
	return o.Store.UpdateMember(ctx, app, id, by, client, at, change)
}

func (o *otherNode) UpdateConversation(ctx context.Context, app string, id skein.ID, by store.Authority, change func(*skein.Conversation) error) (skein.Conversation, error) {
	o.first()
	return o.Store.UpdateConversation(ctx, app, id, by, change)
}

func (o *otherNode) UpdateConversations(ctx context.Context, app string, by store.Authority, where []skein.Condition, extend []byte, at skein.Millis) ([]skein.ID, error) {
	o.first()
	return o.Store.UpdateConversations(ctx, app, by, where, extend, at)
}

func (o *otherNode) DeleteConversation(ctx context.Context, app string, id skein.ID, by store.Authority) ([]string, error) {
	o.first()
	return o.Store.DeleteConversation(ctx, app, id, by)
}

func (o *otherNode) ChangeMessage(ctx context.Context, app string, conv, id skein.ID, by store.Authority, emoji string, decide func(skein.MessageState) (skein.Change, error)) (skein.Change, error) {
	o.first()
	return o.Store.ChangeMessage(ctx, app, conv, id, by, emoji, decide)
}

func (o *otherNode) AppendAll(ctx context.Context, drafts []skein.Draft) ([]store.Appended, error) {
	o.first()
	return o.Store.AppendAll(ctx, drafts)
}

// Whatever a use case reads before its write, another node may change in between: the
// right to the write is decided in its transaction.
func TestARightThatIsTakenJustBeforeTheWriteIsGone(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	f.register(f.shop, "Spike")
	node := &otherNode{Store: f.store}
	f.store = node
	member, manager := f.as("Tom", skein.NeedMember), f.as("Tom", skein.NeedManager)
	var conv skein.ID
	var said skein.Message
	ops := map[string]func() error{
		"conv.members.add": func() error { return f.AddMembers(t.Context(), manager, conv, []string{"Spike"}) },
		"conv.members.remove": func() error {
			return f.RemoveMembers(t.Context(), manager, conv, []string{"Jerry"}, nil)
		},
		"conv.members.update": func() error {
			_, err := f.UpdateMember(t.Context(), member, conv, "Jerry", MemberUpdate{MutedUntil: new(skein.Forever)})
			return err
		},
		"conv.members.update, a role": func() error {
			_, err := f.UpdateMember(t.Context(), member, conv, "Jerry", MemberUpdate{Role: new(skein.RoleAdmin)})
			return err
		},
		"conv.mute_all": func() error { return f.MuteAll(t.Context(), manager, conv, true) },
		"conv.update": func() error {
			where := []skein.Condition{{Field: skein.FieldConvID, Op: skein.Eq, Values: []any{conv.String()}}}
			_, err := f.UpdateConversations(t.Context(), manager, where, []byte(`1`))
			return err
		},
		"conv.delete": func() error { return f.DeleteConversation(t.Context(), manager, conv) },
		"msg.pin":     func() error { return f.Pin(t.Context(), manager, conv, said.ID, true) },
		"msg.recall":  func() error { return f.Recall(t.Context(), member, conv, said.ID) },
		"msg.react": func() error {
			_, err := f.React(t.Context(), f.as("Iron", skein.NeedMember), conv, said.ID, "👍", true)
			return err
		},
		"msg.delete": func() error { return f.Hide(t.Context(), f.as("Iron", skein.NeedMember), conv, said.ID) },
		"msg.send": func() error {
			_, err := f.Send(t.Context(), f.as("Iron", skein.NeedMember), textOf(conv, "Iron", "hi"))
			return err
		},
		"conv.read": func() error {
			_, err := f.Read(t.Context(), f.as("Iron", skein.NeedMember), conv, "Iron", nil)
			return err
		},
		"conv.leave": func() error { return f.Leave(t.Context(), f.as("Iron", skein.NeedMember), conv, "Iron") },
	}
	for name, op := range ops {
		node.first = func() {}
		conv = f.withRoles(map[string]skein.Role{"Tom": skein.RoleOwner, "Jerry": skein.RoleMember, "Alex": skein.RoleAdmin, "Iron": skein.RoleMember})
		var err error
		said, err = f.Send(t.Context(), f.as("Jerry", skein.NeedMember), textOf(conv, "Jerry", "hello"))
		f.must(err)
		f.wantTold(name + ", before") // nothing
		state := f.stateOf(conv)
		once := true
		node.first = func() { // Tom is owner no more, and Iron has gone
			if !once {
				return
			}
			once = false
			_, _, err := node.Store.UpdateMember(t.Context(), "shop", conv, store.Authority{}, "Tom", f.now(), func(_ skein.Conversation, m *skein.Member) error {
				m.Role = skein.RoleMember
				return nil
			})
			f.must(err)
			_, err = node.Store.RemoveMembers(t.Context(), "shop", conv, store.Authority{}, []string{"Iron"}, f.now(), 0)
			f.must(err)
			state = f.stateOf(conv)
		}
		f.wantErr(name, op(), skein.ErrForbidden)
		wantEqual(f, name+": what is stored", f.stateOf(conv), state)
		f.wantTold(name)
		if once {
			t.Errorf("%s: asked the store for no write", name)
		}
	}
}

// stateOf is what an op may change of a conversation.
func (f *fixture) stateOf(conv skein.ID) (state [3]any) {
	f.Helper()
	c, _, err := f.store.Conversation(f.Context(), "shop", conv, "")
	f.must(err)
	members, err := f.store.Members(f.Context(), "shop", conv, skein.MemberQuery{})
	f.must(err)
	messages, err := f.store.Messages(f.Context(), "shop", conv, skein.SeqRange{Limit: 100})
	f.must(err)
	return [3]any{c, members.Members, messages}
}
