package chat

import (
	"sync"
	"testing"

	"github.com/skein-im/skein"
)

func TestAPairHasOneConversationWhoeverAsks(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	const askers = 16
	ids := make([]skein.ID, askers)
	var all sync.WaitGroup
	for i := range askers {
		all.Go(func() {
			by, other := f.as("Tom", skein.NeedClient), "Jerry"
			if i%2 == 1 {
				by, other = f.as("Jerry", skein.NeedClient), "Tom"
			}
			c, err := f.CreateConversation(t.Context(), by, by.Client, []string{other}, skein.Conversation{Type: skein.Private})
			if err != nil {
				t.Errorf("got error %v", err)
			}
			ids[i] = c.ID
		})
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("the pair has %v and %v", ids[0], id)
		}
	}
	if len(f.told) != 1 {
		t.Errorf("told %v, want once that it was created", f.told)
	}
	for _, client := range []string{"Tom", "Jerry"} {
		_, me, err := f.store.Conversation(t.Context(), "shop", ids[0], client)
		f.must(err)
		wantEqual(f, "the role of "+client, me.Role, skein.RoleMember)
	}
}

// A client that got no answer asks again, perhaps several times at once.
func TestARetryOfACreationMakesNoSecondConversation(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	tom := f.as("Tom", skein.NeedClient)
	draft := skein.Conversation{Type: skein.Group, ID: skein.NamedID("shop", "Tom", "trip"), Extend: []byte(`1`)}
	create := func(by skein.Actor, draft skein.Conversation) (skein.ID, error) {
		c, err := f.CreateConversation(t.Context(), by, by.Client, []string{"Jerry"}, draft)
		return c.ID, err
	}
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if id, err := create(tom, draft); id != draft.ID || err != nil {
				t.Errorf("got %v, %v, want %v", id, err, draft.ID)
			}
		})
	}
	all.Wait()
	if len(f.told) != 1 {
		t.Errorf("told %v, want once that it was created", f.told)
	}
	f.must(second(f.DeleteUser(t.Context(), f.backend(), "Jerry", false)))
	if id, err := create(tom, draft); id != draft.ID || err != nil {
		t.Errorf("once a member is deleted: got %v, %v, want %v", id, err, draft.ID)
	}
	if other := skein.NamedID("shop", "Jerry", "trip"); other == draft.ID {
		t.Error("another client's conversation of that name has the same id")
	}
	room := draft
	room.Type = skein.Room
	_, err := create(tom, room)
	f.wantFault("as another type", err, skein.ErrConflict, "client_conv_id")
	f.must(f.DeleteConversation(t.Context(), f.backend(), draft.ID))
	_, err = f.CreateUser(t.Context(), f.backend(), "Jerry", nil)
	f.must(err)
	_, err = create(tom, draft)
	f.wantFault("once it was deleted", err, skein.ErrConflict, "client_conv_id")
}

func TestCreateHoldsToItsRules(t *testing.T) {
	f := newFixture(t, skein.Settings{MaxMembers: 3, MaxConversations: 5})
	f.must(f.Ban(t.Context(), f.backend(), "Iron", skein.Forever, ""))
	f.wantTold("the ban", `cut Iron "" banned`)
	for name, tt := range map[string]struct {
		by      skein.Actor
		creator string
		others  []string
		typ     skein.ConvType
		want    error
		field   string
	}{
		"a pair with oneself":           {f.backend(), "Tom", []string{"Tom"}, skein.Private, skein.ErrMalformed, "to_client_ids"},
		"a pair of three":               {f.backend(), "Tom", []string{"Jerry", "Alex"}, skein.Private, skein.ErrMalformed, "to_client_ids"},
		"somebody unknown":              {f.backend(), "Tom", []string{"Nobody", "None"}, skein.Group, skein.ErrUnknownClient, "Nobody"},
		"an unknown creator":            {f.backend(), "Nobody", []string{"Jerry"}, skein.Group, skein.ErrUnknownClient, "Nobody"},
		"a banned creator":              {f.backend(), "Iron", []string{"Jerry"}, skein.Group, skein.ErrBanned, "Iron"},
		"somebody unknown, by a client": {f.as("Tom", skein.NeedClient), "Tom", []string{"Nobody"}, skein.Private, skein.ErrUnknownClient, "Nobody"},
		"a group above the limit":       {f.backend(), "Tom", []string{"Jerry", "Alex", "Iron"}, skein.Group, skein.ErrTooLarge, "to_client_ids"},
		"a temporary one above it":      {f.backend(), "Tom", []string{"Jerry", "Alex", "Iron"}, skein.Temporary, skein.ErrTooLarge, "to_client_ids"},
	} {
		_, err := f.CreateConversation(t.Context(), tt.by, tt.creator, tt.others, skein.Conversation{Type: tt.typ})
		f.wantFault(name, err, tt.want, tt.field)
	}
	f.wantTold("of those")
	f.create(skein.Room, "Tom", "Jerry", "Alex", "Iron") // rooms have no limit
	for range 4 {
		f.create(skein.Group, "Tom", "Tom", "Jerry")
	}
	_, err := f.CreateConversation(t.Context(), f.backend(), "Alex", []string{"Jerry"}, skein.Conversation{Type: skein.Group})
	f.wantFault("one more than a client may be in", err, skein.ErrTooLarge, "Jerry")
}

func TestTheCreatorOwnsWhatIsNoPair(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	for _, typ := range []skein.ConvType{skein.Temporary, skein.Group, skein.Room} {
		id := f.create(typ, "Tom", "Jerry", "Tom", "Jerry")
		wantEqual(f, "the members", f.members(id), []string{"Jerry", "Tom"})
		for client, want := range map[string]skein.Role{"Tom": skein.RoleOwner, "Jerry": skein.RoleMember} {
			_, me, err := f.store.Conversation(t.Context(), "shop", id, client)
			f.must(err)
			wantEqual(f, client, me.Role, want)
		}
	}
}

func where(field skein.Field, op skein.Operator, values ...any) []skein.Condition {
	return []skein.Condition{{Field: field, Op: op, Values: values}}
}

func TestAClientFindsItsOwnAlone(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	shared, theirs := f.create(skein.Group, "Tom", "Jerry"), f.create(skein.Group, "Alex", "Iron")
	other := f.app("other", skein.Settings{})
	f.register(other, "Tom")
	for name, tt := range map[string]struct {
		by    skein.Actor
		where []skein.Condition
		want  []skein.ID
	}{
		"all of a client":               {f.as("Tom", skein.NeedClient), nil, []skein.ID{shared}},
		"another's, by its id":          {f.as("Tom", skein.NeedClient), where(skein.FieldConvID, skein.Eq, theirs.String()), nil},
		"another's, by its member":      {f.as("Tom", skein.NeedClient), where(skein.FieldMember, skein.Eq, "Alex"), nil},
		"one shared, by another member": {f.as("Tom", skein.NeedClient), where(skein.FieldMember, skein.Eq, "Jerry"), []skein.ID{shared}},
		"those it is not in":            {f.as("Tom", skein.NeedClient), where(skein.FieldMember, skein.Ne, "Tom"), nil},
		"all of the app":                {f.backend(), nil, []skein.ID{theirs, shared}},
		"another app's, by its id":      {skein.Actor{App: other}, where(skein.FieldConvID, skein.Eq, shared.String()), nil},
		"all of another app":            {skein.Actor{App: other}, nil, nil},
		"a namesake in another app":     {skein.Actor{App: other, Client: "Tom"}, nil, nil},
	} {
		page, err := f.FindConversations(t.Context(), tt.by, skein.ConvQuery{Where: tt.where, Limit: 10, Count: true})
		f.must(err)
		var got []skein.ID
		for _, c := range page.Conversations {
			got = append(got, c.ID)
		}
		wantEqual(f, name, got, tt.want)
		wantEqual(f, name+": total", page.Total, len(tt.want))
	}
}

func TestUpdateIsForManagersOfAllThatMatch(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	own := f.create(skein.Group, "Tom", "Jerry")
	shared := f.create(skein.Group, "Jerry", "Tom")
	theirs := f.create(skein.Group, "Alex", "Jerry")
	elsewhere := f.app("other", skein.Settings{})
	f.told = nil
	update := func(by skein.Actor, w []skein.Condition) error {
		_, err := f.UpdateConversations(t.Context(), by, w, []byte(`{"by":"`+by.Client+`"}`))
		return err
	}
	tom, jerry := f.as("Tom", skein.NeedManager), f.as("Jerry", skein.NeedManager)
	groups := where(skein.FieldType, skein.Eq, int64(skein.Group))

	f.wantErr("all groups of Tom, one of which is Jerry's", update(tom, groups), skein.ErrForbidden)
	f.wantErr("a conversation where it is a member", update(jerry, where(skein.FieldConvID, skein.Eq, own.String())), skein.ErrForbidden)
	f.wantErr("another's", update(tom, where(skein.FieldConvID, skein.Eq, theirs.String())), skein.ErrForbidden)
	f.wantErr("one that is not there", update(tom, where(skein.FieldConvID, skein.Eq, skein.ID{1}.String())), skein.ErrUnknownConversation)
	f.wantErr("another's among what it does not know", update(tom, where(skein.FieldCreator, skein.Eq, "Alex")), skein.ErrUnknownConversation)
	f.wantErr("another app's", update(skein.Actor{App: elsewhere}, where(skein.FieldConvID, skein.Eq, own.String())), skein.ErrUnknownConversation)
	f.wantErr("no condition", update(f.backend(), nil), skein.ErrMalformed)
	f.wantErr("no condition, by a client", update(tom, nil), skein.ErrMalformed)
	f.wantTold("of all those")
	for _, id := range []skein.ID{own, shared, theirs} {
		c, err := f.Conversation(t.Context(), f.backend(), id)
		f.must(err)
		wantEqual(f, "the extension after the refusals", string(c.Extend), "")
	}

	f.must(update(tom, where(skein.FieldCreator, skein.Eq, "Tom")))
	f.wantTold("an update", `conv.updated by "Tom" [] also [] audience members`)
	mine, alexs := f.create(skein.Room, "Tom"), f.create(skein.Room, "Alex")
	f.must(update(tom, where(skein.FieldType, skein.Eq, int64(skein.Room))))
	for id, want := range map[skein.ID]string{mine: `{"by":"Tom"}`, alexs: ""} {
		c, err := f.Conversation(t.Context(), f.backend(), id)
		f.must(err)
		wantEqual(f, "a room, by the owner of one of two", string(c.Extend), want)
	}
	f.must(update(f.backend(), groups))
	for _, id := range []skein.ID{own, shared, theirs} {
		c, err := f.Conversation(t.Context(), f.backend(), id)
		f.must(err)
		wantEqual(f, "the extension after the backend's", string(c.Extend), `{"by":""}`)
	}
}

func TestUpdateRefusesMoreThanAThousand(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	var all sync.WaitGroup
	for range skein.MaxUpdated + 1 {
		all.Go(func() {
			if _, err := f.CreateConversation(t.Context(), f.backend(), "Tom", nil, skein.Conversation{Type: skein.Room}); err != nil {
				t.Errorf("got error %v", err)
			}
		})
	}
	all.Wait()
	f.told = nil
	rooms := where(skein.FieldType, skein.Eq, int64(skein.Room))
	for _, by := range []skein.Actor{f.backend(), f.as("Tom", skein.NeedManager)} {
		n, err := f.UpdateConversations(t.Context(), by, rooms, nil)
		f.wantFault("by "+by.Client, err, skein.ErrMalformed, "where")
		if n != 0 {
			t.Errorf("by %s: %d are updated, want none", by.Client, n)
		}
	}
	f.wantTold("of none of them")
}

func TestDeleteIsForManagersAndTold(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv, pair := f.create(skein.Group, "Tom", "Jerry"), f.create(skein.Private, "Tom", "Jerry")
	f.say(conv, 3)
	f.told = nil
	del := func(by skein.Actor, id skein.ID) error { return f.DeleteConversation(t.Context(), by, id) }
	f.wantErr("a member", del(f.as("Jerry", skein.NeedManager), conv), skein.ErrForbidden)
	f.wantErr("no member", del(f.as("Alex", skein.NeedManager), conv), skein.ErrForbidden)
	f.wantErr("one of a pair", del(f.as("Tom", skein.NeedManager), pair), skein.ErrForbidden)
	f.wantErr("another app", del(skein.Actor{App: f.app("other", skein.Settings{})}, conv), skein.ErrUnknownConversation)
	f.must(del(f.as("Tom", skein.NeedManager), conv))
	f.wantTold("to who was a member", `conv.deleted by "Tom" [] also [] audience [Tom Jerry]`)
	f.wantErr("once more", del(f.as("Tom", skein.NeedManager), conv), skein.ErrUnknownConversation)
	_, _, err := f.Page(t.Context(), f.as("Tom", skein.NeedMember), conv, 1, 10)
	f.wantErr("reading it", err, skein.ErrUnknownConversation)

	f.must(del(f.backend(), pair))
	if again := f.create(skein.Private, "Jerry", "Tom"); again == pair {
		t.Error("the pair got its deleted conversation again")
	}
	empty := f.create(skein.Group, "Tom")
	f.must(f.Leave(t.Context(), f.backend(), empty, "Tom"))
	f.told = nil
	f.must(del(f.backend(), empty))
	f.wantTold("to nobody", `conv.deleted by "" [] also [] audience []`)
}
