package chat

import (
	"testing"
	"time"

	"github.com/skein-im/skein"
)

func TestWhoIsRemovedFromARoomDoesNotComeBackByItself(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	room := f.create(skein.Room, "Tom", "Jerry", "Alex")
	tom := f.as("Tom", skein.NeedManager)
	join := func(client string) error {
		return f.Join(t.Context(), f.as(client, skein.NeedClient), room, client)
	}
	f.must(f.RemoveMembers(t.Context(), tom, room, []string{"Jerry", "Iron"}, nil))
	f.wantErr("removed", join("Jerry"), skein.ErrForbidden)
	f.wantErr("named, though no member", join("Iron"), skein.ErrForbidden)
	f.wantErr("in its name", f.Join(t.Context(), f.backend(), room, "Jerry"), skein.ErrForbidden)
	f.must(f.AddMembers(t.Context(), tom, room, []string{"Jerry"}))
	f.must(f.Leave(t.Context(), f.as("Jerry", skein.NeedMember), room, "Jerry"))
	f.must(join("Jerry"))
	f.must(f.RemoveMembers(t.Context(), tom, room, []string{"Iron"}, new(skein.Millis(0))))
	f.must(join("Iron"))
	f.must(f.RemoveMembers(t.Context(), f.backend(), room, []string{"Iron"}, new(f.now().Add(time.Minute))))
	f.wantErr("for a minute", join("Iron"), skein.ErrForbidden)
	f.pass(time.Minute)
	f.must(join("Iron"))
	f.must(f.RemoveMembers(t.Context(), tom, room, []string{"Tom"}, nil))
	f.must(join("Tom"))

	group := f.create(skein.Group, "Tom", "Jerry")
	f.wantErr("a ban from a group", f.RemoveMembers(t.Context(), tom, group, []string{"Jerry"}, new(skein.Forever)), skein.ErrConvType)
	f.must(f.RemoveMembers(t.Context(), tom, group, []string{"Jerry"}, nil))
	f.must(f.AddMembers(t.Context(), tom, group, []string{"Jerry"}))
}

func TestNobodyShedsAMuteByLeaving(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	for name, typ := range map[string]skein.ConvType{"a room": skein.Room, "a group": skein.Group} {
		conv := f.create(typ, "Tom", "Jerry")
		tom := f.as("Tom", skein.NeedManager)
		back := func() error {
			if typ == skein.Room {
				return f.Join(t.Context(), f.as("Jerry", skein.NeedClient), conv, "Jerry")
			}
			return f.AddMembers(t.Context(), tom, conv, []string{"Jerry"})
		}
		speak := func() error {
			_, err := f.Send(t.Context(), f.as("Jerry", skein.NeedMember), textOf(conv, "Jerry", "hi"))
			return err
		}
		_, err := f.UpdateMember(t.Context(), f.as("Tom", skein.NeedMember), conv, "Jerry", MemberUpdate{MutedUntil: new(f.now().Add(time.Hour))})
		f.must(err)
		for range 2 {
			f.must(f.Leave(t.Context(), f.as("Jerry", skein.NeedMember), conv, "Jerry"))
			f.must(back())
			f.wantErr(name+": muted, gone and back", speak(), skein.ErrForbidden)
		}
		f.must(f.RemoveMembers(t.Context(), tom, conv, []string{"Jerry"}, nil))
		f.must(f.AddMembers(t.Context(), tom, conv, []string{"Jerry"}))
		f.wantErr(name+": muted, removed and added", speak(), skein.ErrForbidden)
		f.pass(time.Hour)
		f.must(speak())
		f.must(f.Leave(t.Context(), f.as("Jerry", skein.NeedMember), conv, "Jerry"))
		f.must(back())
		f.must(speak())
	}
}
