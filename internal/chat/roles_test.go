package chat

import (
	"fmt"
	"testing"

	"github.com/skein-im/skein"
)

func TestWhoMayDoWhatToWhom(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	roles := map[string]skein.Role{"Tom": skein.RoleOwner, "Jerry": skein.RoleAdmin, "Alex": skein.RoleAdmin, "Iron": skein.RoleMember, "Spike": skein.RoleMember}
	f.register(f.shop, "Spike")
	updates := map[string]MemberUpdate{
		"role":     {Role: new(skein.RoleAdmin)},
		"mute":     {MutedUntil: new(start + 1000)},
		"nickname": {Nickname: new("N")},
	}
	for _, tt := range []struct {
		by, of  string
		allowed string
	}{
		{"", "Tom", "role mute nickname"},
		{"", "Iron", "role mute nickname"},
		{"Tom", "Tom", "nickname"},
		{"Tom", "Jerry", "role mute nickname"},
		{"Tom", "Iron", "role mute nickname"},
		{"Jerry", "Tom", ""},
		{"Jerry", "Jerry", "nickname"},
		{"Jerry", "Alex", ""},
		{"Jerry", "Iron", "mute nickname"},
		{"Iron", "Tom", ""},
		{"Iron", "Iron", "nickname"},
		{"Iron", "Spike", ""},
		{"Nobody", "Iron", ""},
	} {
		conv := f.withRoles(roles)
		by := f.backend()
		if tt.by != "" {
			by = f.as(tt.by, skein.NeedMember)
		}
		allowed := ""
		for _, what := range []string{"role", "mute", "nickname"} {
			_, err := f.UpdateMember(t.Context(), by, conv, tt.of, updates[what])
			if err == nil {
				allowed += " " + what
				continue
			}
			f.wantErr(fmt.Sprint(tt, what), err, skein.ErrForbidden)
		}
		if allowed != "" {
			allowed = allowed[1:]
		}
		if allowed != tt.allowed {
			t.Errorf("%q to %s: may %q, want %q", tt.by, tt.of, allowed, tt.allowed)
		}
	}
}

func (f *fixture) roles(conv skein.ID) map[string]string {
	f.Helper()
	page, _, err := f.Members(f.Context(), f.backend(), conv, skein.MemberQuery{})
	f.must(err)
	roles := map[string]string{}
	for _, m := range page.Members {
		roles[m.Client] = m.Role.String()
	}
	return roles
}

func TestANewOwnerMakesTheOldOneAnAdmin(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.create(skein.Group, "Tom", "Jerry", "Alex")
	tom := f.as("Tom", skein.NeedMember)
	f.told = nil
	_, err := f.UpdateMember(t.Context(), tom, conv, "Tom", MemberUpdate{Role: new(skein.RoleMember)})
	f.wantFault("an owner who steps down", err, skein.ErrForbidden, "role")
	_, err = f.UpdateMember(t.Context(), tom, conv, "Tom", MemberUpdate{Role: new(skein.RoleOwner)})
	f.must(err)
	f.wantTold("an owner who stays one")
	m, err := f.UpdateMember(t.Context(), tom, conv, "Jerry", MemberUpdate{Role: new(skein.RoleOwner), Nickname: new("J")})
	f.must(err)
	wantEqual(f, "the answer", fmt.Sprint(m.Client, " ", m.Role, " ", m.Nickname), "Jerry owner J")
	f.wantTold("handed over", `conv.updated by "Tom" [Jerry] also [] audience members`)
	wantEqual(f, "the roles", f.roles(conv), map[string]string{"Tom": "admin", "Jerry": "owner", "Alex": "member"})
	_, err = f.UpdateMember(t.Context(), tom, conv, "Alex", MemberUpdate{Role: new(skein.RoleAdmin)})
	f.wantErr("the old owner", err, skein.ErrForbidden)
	f.must(f.Leave(t.Context(), f.as("Jerry", skein.NeedMember), conv, "Jerry"))
	wantEqual(f, "when the owner left", f.roles(conv), map[string]string{"Tom": "admin", "Alex": "member"})
	_, err = f.UpdateMember(t.Context(), f.backend(), conv, "Alex", MemberUpdate{Role: new(skein.RoleOwner)})
	f.must(err)
	wantEqual(f, "when the backend named one", f.roles(conv), map[string]string{"Tom": "admin", "Alex": "owner"})
}

func TestAnUpdateOfAMemberIsAllOrNothing(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.withRoles(map[string]skein.Role{"Tom": skein.RoleOwner, "Jerry": skein.RoleAdmin, "Iron": skein.RoleMember})
	_, err := f.UpdateMember(t.Context(), f.as("Jerry", skein.NeedMember), conv, "Iron", MemberUpdate{Nickname: new("N"), Role: new(skein.RoleAdmin)})
	f.wantFault("one of both", err, skein.ErrForbidden, "role")
	page, _, err := f.Members(t.Context(), f.backend(), conv, skein.MemberQuery{})
	f.must(err)
	for _, m := range page.Members {
		if m.Nickname != "" {
			t.Errorf("%s is called %q", m.Client, m.Nickname)
		}
	}
	f.wantTold("nothing")
}

func TestWhoIsNoMemberCannotBeUpdated(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv, pair := f.create(skein.Group, "Tom", "Jerry"), f.create(skein.Private, "Tom", "Jerry")
	nick, admin := MemberUpdate{Nickname: new("N")}, MemberUpdate{Role: new(skein.RoleAdmin)}
	_, err := f.UpdateMember(t.Context(), f.as("Tom", skein.NeedMember), conv, "Iron", nick)
	f.wantFault("one who is none", err, skein.ErrUnknownClient, "Iron")
	_, err = f.UpdateMember(t.Context(), f.backend(), skein.ID{1}, "Tom", nick)
	f.wantErr("of nothing", err, skein.ErrUnknownConversation)
	for _, by := range []skein.Actor{f.backend(), f.as("Tom", skein.NeedMember)} {
		_, err = f.UpdateMember(t.Context(), by, pair, "Jerry", admin)
		f.wantErr("a role in a pair", err, skein.ErrConvType)
	}
	_, err = f.UpdateMember(t.Context(), f.as("Tom", skein.NeedMember), pair, "Jerry", nick)
	f.wantErr("the other's name in a pair", err, skein.ErrForbidden)
	_, err = f.UpdateMember(t.Context(), f.as("Tom", skein.NeedMember), pair, "Tom", nick)
	f.must(err)
}

func TestMutedMembersDoNotSpeak(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.withRoles(map[string]skein.Role{"Tom": skein.RoleOwner, "Jerry": skein.RoleAdmin, "Iron": skein.RoleMember})
	speak := func(client string) error {
		_, err := f.Send(t.Context(), f.as(client, skein.NeedMember), textOf(conv, client, "hi"))
		return err
	}
	_, err := f.UpdateMember(t.Context(), f.as("Tom", skein.NeedMember), conv, "Iron", MemberUpdate{MutedUntil: new(start + 1000)})
	f.must(err)
	f.wantErr("while muted", speak("Iron"), skein.ErrForbidden)
	f.pass(1000 * 1e6)
	f.must(speak("Iron"))

	f.told = nil
	manager := f.as("Jerry", skein.NeedManager)
	f.must(f.MuteAll(t.Context(), manager, conv, true))
	f.wantTold("all are muted", `conv.updated by "Jerry" [] also [] audience members`)
	before, err := f.Conversation(t.Context(), f.backend(), conv)
	f.must(err)
	f.pass(1000 * 1e6)
	f.must(f.MuteAll(t.Context(), manager, conv, true))
	f.wantTold("again")
	after, err := f.Conversation(t.Context(), f.backend(), conv)
	f.must(err)
	wantEqual(f, "again", after, before)
	f.wantErr("a member", speak("Iron"), skein.ErrForbidden)
	f.must(speak("Tom"))
	f.must(speak("Jerry"))
	f.told = nil
	f.must(f.MuteAll(t.Context(), manager, conv, false))
	f.wantTold("all may speak", `conv.updated by "Jerry" [] also [] audience members`)
	f.must(speak("Iron"))
	f.wantErr("by a member", f.MuteAll(t.Context(), f.as("Iron", skein.NeedManager), conv, true), skein.ErrForbidden)
}

func TestOnlyGroupsAndRoomsAreMuted(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	for typ, want := range map[skein.ConvType]error{
		skein.Private: skein.ErrConvType, skein.Temporary: skein.ErrConvType, skein.Group: nil, skein.Room: nil,
	} {
		conv := f.create(typ, "Tom", "Jerry")
		if err := f.MuteAll(t.Context(), f.backend(), conv, true); want != nil {
			f.wantErr(fmt.Sprint("type ", typ), err, want)
		} else if err != nil {
			t.Errorf("type %d: %v", typ, err)
		}
	}
}
