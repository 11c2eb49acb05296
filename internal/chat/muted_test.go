package chat

import (
	"testing"

	"github.com/skein-im/skein"
)

const family = "👩🏽\u200d❤️\u200d💋\u200d👨🏿" // one character of 35 bytes

func TestAReactionIsOneEmojiOrAName(t *testing.T) {
	for emoji, want := range map[string]bool{
		family: true, "👍": true, "thumbs_up": true, "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f": true,
		"12345678901234567890123456789012": true, "123456789012345678901234567890123": false,
		"👍👍👍👍👍👍👍👍": true, "👍👍👍👍👍👍👍👍👍": false, family + family: false,
		"": false, "\u200b": false, "\u3164": false, "a b": false, "a\n": false,
	} {
		if got := reaction(emoji) == nil; got != want {
			t.Errorf("%q (%d bytes): got %v, want %v", emoji, len(emoji), got, want)
		}
	}
}

func TestMutedMembersDoNotSpeakByOtherMeans(t *testing.T) {
	f := newFixture(t, skein.Settings{})
	conv := f.withRoles(map[string]skein.Role{"Tom": skein.RoleOwner, "Jerry": skein.RoleAdmin, "Iron": skein.RoleMember})
	iron := f.as("Iron", skein.NeedMember)
	m, err := f.Send(t.Context(), iron, textOf(conv, "Iron", "hi"))
	f.must(err)
	_, err = f.React(t.Context(), iron, conv, m.ID, "before", true)
	f.must(err)
	ways := map[string]func(skein.Actor) error{
		"a reaction of words": func(by skein.Actor) error {
			_, err := f.React(t.Context(), by, conv, m.ID, "hello", true)
			return err
		},
		"a reaction of letters": func(by skein.Actor) error {
			_, err := f.React(t.Context(), by, conv, m.ID, "h", true)
			return err
		},
		"a reaction of many emoji": func(by skein.Actor) error {
			_, err := f.React(t.Context(), by, conv, m.ID, "🇦🇧🇨🇩", true)
			return err
		},
		"a nickname": func(by skein.Actor) error {
			_, err := f.UpdateMember(t.Context(), by, conv, by.Client, MemberUpdate{Nickname: new("hello")})
			return err
		},
		"typing": func(by skein.Actor) error { return f.Typing(t.Context(), by, conv, true) },
		"a message": func(by skein.Actor) error {
			_, err := f.Send(t.Context(), by, textOf(conv, by.Client, "hi"))
			return err
		},
		"a transient message": func(by skein.Actor) error {
			s := textOf(conv, by.Client, "hi")
			s.Transient = true
			_, err := f.Send(t.Context(), by, s)
			return err
		},
	}
	edit := func() error {
		_, err := f.Edit(t.Context(), iron, conv, m.ID, Editing{Text: new("hello")})
		return err
	}
	try := func(what string, by skein.Actor, want error) {
		t.Helper()
		for way, do := range ways {
			f.wantErr(what+": "+way, do(by), want)
		}
	}
	for what, mute := range map[string]func(on bool) error{
		"muted": func(on bool) error {
			until := skein.Millis(0)
			if on {
				until = skein.Forever
			}
			_, err := f.UpdateMember(t.Context(), f.as("Jerry", skein.NeedMember), conv, "Iron", MemberUpdate{MutedUntil: &until})
			return err
		},
		"all muted": func(on bool) error { return f.MuteAll(t.Context(), f.as("Jerry", skein.NeedManager), conv, on) },
	} {
		f.must(mute(true))
		try(what, iron, skein.ErrForbidden)
		f.wantErr(what+": an edit", edit(), skein.ErrForbidden)
		try(what+", an admin", f.as("Jerry", skein.NeedMember), nil)
		_, err := f.React(t.Context(), iron, conv, m.ID, "👍", true)
		f.wantErr(what+": an emoji", err, nil)
		_, err = f.React(t.Context(), iron, conv, m.ID, "before", false)
		f.wantErr(what+": taking words back", err, nil)
		f.wantErr(what+": no nickname any more", func() error {
			_, err := f.UpdateMember(t.Context(), iron, conv, "Iron", MemberUpdate{Nickname: new("")})
			return err
		}(), nil)
		f.wantErr(what+": typing no more", f.Typing(t.Context(), iron, conv, false), nil)
		f.must(mute(false))
	}
	try("not muted", iron, nil)
}
