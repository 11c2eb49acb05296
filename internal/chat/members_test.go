package chat

import (
	"slices"
	"testing"

	"github.com/skein-im/skein"
)

func TestWhoMayAddMembers(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	f.register(f.shop, "New")
	inviting := *f.shop
	inviting.Settings.MembersMayInvite = true
	roles := map[string]skein.Role{"Tom": skein.RoleOwner, "Jerry": skein.RoleAdmin, "Alex": skein.RoleMember}
	for name, tt := range map[string]struct {
		by      string
		invites bool
		typ     skein.ConvType
		want    error
	}{
		"the owner":                           {"Tom", false, skein.Group, nil},
		"an admin":                            {"Jerry", false, skein.Group, nil},
		"a member":                            {"Alex", false, skein.Group, skein.ErrForbidden},
		"a member, where members may invite":  {"Alex", true, skein.Group, nil},
		"no member, where members may invite": {"Iron", true, skein.Group, skein.ErrForbidden},
		"the backend":                         {"", false, skein.Group, nil},
		"one of a pair":                       {"Tom", false, skein.Private, skein.ErrForbidden},
		"one of a pair, where members may invite": {"Tom", true, skein.Private, skein.ErrForbidden},
		"the backend, to a pair":                  {"", false, skein.Private, skein.ErrConvType},
	} {
		by := f.as(tt.by, skein.NeedManager)
		if tt.invites {
			by.App = &inviting
		}
		conv := f.withRoles(roles)
		if tt.typ == skein.Private {
			conv = f.create(skein.Private, "Tom", "Jerry")
		}
		f.told = nil
		err := f.AddMembers(t.Context(), by, conv, []string{"New", "Alex", "Tom"})
		if tt.want != nil {
			f.wantErr(name, err, tt.want)
			f.wantTold(name)
			continue
		}
		f.must(err)
		wantEqual(f, name, f.members(conv), []string{"Alex", "Jerry", "New", "Tom"})
		f.wantTold(name, `conv.members.added by "`+tt.by+`" [New] also [] audience members`)
		f.must(f.AddMembers(t.Context(), by, conv, []string{"New"}))
		f.wantTold(name + ", once more")
	}
}

func TestMembersAreAddedAllOrNone(t *testing.T) {
	f := newFixture(t, skein.Settings{MaxMembers: 3})
	conv := f.create(skein.Group, "Tom")
	add := func(clients ...string) error { return f.AddMembers(t.Context(), f.backend(), conv, clients) }
	f.wantFault("somebody unknown", add("Jerry", "Nobody"), skein.ErrUnknownClient, "Nobody")
	f.wantErr("more than the limit", add("Jerry", "Alex", "Iron"), skein.ErrTooLarge)
	wantEqual(f, "after the refusals", f.members(conv), []string{"Tom"})
	f.must(add("Jerry", "Alex"))
	f.must(add("Jerry", "Alex", "Tom")) // members already, at the limit
	room := f.create(skein.Room, "Tom")
	f.must(f.AddMembers(t.Context(), f.backend(), room, []string{"Jerry", "Alex", "Iron"}))
}

func TestAClientRemovesOnlyThoseBelowIt(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	roles := map[string]skein.Role{"Tom": skein.RoleOwner, "Jerry": skein.RoleAdmin, "Alex": skein.RoleAdmin, "Iron": skein.RoleMember}
	for name, tt := range map[string]struct {
		by      string
		clients []string
		removed []string
		want    error
	}{
		"an owner an admin":            {"Tom", []string{"Jerry"}, []string{"Jerry"}, nil},
		"an admin a member":            {"Jerry", []string{"Iron"}, []string{"Iron"}, nil},
		"an admin an admin":            {"Jerry", []string{"Iron", "Alex"}, nil, skein.ErrForbidden},
		"an admin the owner":           {"Jerry", []string{"Tom"}, nil, skein.ErrForbidden},
		"an admin itself":              {"Jerry", []string{"Jerry"}, []string{"Jerry"}, nil},
		"a member a member":            {"Iron", []string{"Iron"}, nil, skein.ErrForbidden},
		"the owner itself and another": {"Tom", []string{"Tom", "Jerry"}, []string{"Tom", "Jerry"}, nil},
		"the backend the owner":        {"", []string{"Tom"}, []string{"Tom"}, nil},
		"somebody who is no member":    {"Tom", []string{"Nobody"}, nil, nil},
	} {
		conv := f.withRoles(roles)
		err := f.RemoveMembers(t.Context(), f.as(tt.by, skein.NeedManager), conv, tt.clients, nil)
		if tt.want != nil {
			f.wantErr(name, err, tt.want)
		} else {
			f.must(err)
		}
		wantEqual(f, name, f.members(conv), slices.DeleteFunc([]string{"Alex", "Iron", "Jerry", "Tom"}, func(c string) bool {
			return slices.Contains(tt.removed, c)
		}))
		if len(tt.removed) == 0 {
			f.wantTold(name)
			continue
		}
		f.must(err)
		told := f.told
		f.told = nil
		slices.Sort(tt.removed)
		if len(told) != 1 {
			t.Errorf("%s: told %v, want once, those removed too", name, told)
		}
	}
}

func TestWhoIsRemovedIsTold(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry", "Alex")
	f.told = nil
	f.must(f.RemoveMembers(t.Context(), f.as("Tom", skein.NeedManager), conv, []string{"Jerry", "Iron", "Alex"}, nil))
	f.wantTold("the removal", `conv.members.removed by "Tom" [Jerry Alex] also [Jerry Alex] audience members`)
	f.must(f.Leave(t.Context(), f.as("Tom", skein.NeedMember), conv, "Tom"))
	f.wantTold("the leaving", `conv.members.removed by "Tom" [Tom] also [Tom] audience members`)
}

func TestAPairStaysAsItIs(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	pair := f.create(skein.Private, "Tom", "Jerry")
	f.wantErr("removing", f.RemoveMembers(t.Context(), f.backend(), pair, []string{"Tom"}, nil), skein.ErrConvType)
	f.wantErr("removing, by a client", f.RemoveMembers(t.Context(), f.as("Tom", skein.NeedManager), pair, []string{"Jerry"}, nil), skein.ErrForbidden)
	f.wantErr("leaving", f.Leave(t.Context(), f.as("Tom", skein.NeedMember), pair, "Tom"), skein.ErrConvType)
	wantEqual(f, "its members", f.members(pair), []string{"Jerry", "Tom"})
}

func TestRoomsAreOpenToJoinAndOthersAreNot(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	room, group := f.create(skein.Room, "Tom"), f.create(skein.Group, "Tom")
	f.told = nil
	join := func(id skein.ID, client string) error {
		return f.Join(t.Context(), f.as(client, skein.NeedClient), id, client)
	}
	f.wantErr("a group", join(group, "Jerry"), skein.ErrConvType)
	f.wantErr("one that is not there", join(skein.ID{1}, "Jerry"), skein.ErrUnknownConversation)
	f.wantErr("one unknown, by the backend", f.Join(t.Context(), f.backend(), room, "Nobody"), skein.ErrUnknownClient)
	f.wantErr("leaving before joining", f.Leave(t.Context(), f.as("Jerry", skein.NeedMember), room, "Jerry"), skein.ErrForbidden)
	f.must(join(room, "Jerry"))
	f.must(join(room, "Jerry"))
	f.wantTold("joining twice", `conv.members.added by "Jerry" [Jerry] also [] audience members`)
	wantEqual(f, "the room", f.members(room), []string{"Jerry", "Tom"})
	f.must(f.Leave(t.Context(), f.as("Jerry", skein.NeedMember), room, "Jerry"))
	f.must(f.Leave(t.Context(), f.backend(), room, "Jerry")) // no member: no error for the backend
	wantEqual(f, "the room after", f.members(room), []string{"Tom"})
}

func TestMembersByPageAndByCursor(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry", "Alex")
	f.must(f.AddMembers(t.Context(), f.backend(), conv, []string{"Iron"}))
	in := []string{"Tom", "Jerry", "Alex", "Iron"} // order of joining
	page := func(q skein.MemberQuery) ([]string, skein.Cursor) {
		p, total, err := f.Members(t.Context(), f.as("Tom", skein.NeedMember), conv, q)
		f.must(err)
		wantEqual(f, "the total", total, 4)
		var ids []string
		for _, m := range p.Members {
			ids = append(ids, m.Client)
		}
		return ids, p.Next
	}
	for offset := range 6 {
		got, _ := page(skein.MemberQuery{Offset: offset, Limit: 2})
		wantEqual(f, "two of them", got, in[min(offset, 4):min(offset+2, 4)])
	}
	var walked []string
	for next := (skein.Cursor{}); ; {
		got, after := page(skein.MemberQuery{Limit: 3, After: next})
		if walked = append(walked, got...); after.IsZero() {
			break
		}
		next = after
	}
	wantEqual(f, "by cursor", walked, in)
	_, _, err := f.Members(t.Context(), f.as("Nobody", skein.NeedMember), conv, skein.MemberQuery{Offset: 100, Limit: 1})
	f.wantErr("past the end, by no member", err, skein.ErrForbidden)
}
