package delivery

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skein-im/skein"
)

func TestWhoTypesIsToldOnceInAWhile(t *testing.T) {
	const pause = skein.Millis(typingPause / time.Millisecond)
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "Tom", "Jerry")
		tom, jerry := f.login("Tom", "phone"), f.login("Jerry", "phone")
		for _, step := range []struct {
			what string
			at   skein.Millis
			by   string
			on   bool
			told bool
		}{
			{"an end without a beginning", 10, "Tom", false, false},
			{"the first", 1000, "Tom", true, true},
			{"with the next key", 1001, "Tom", true, false},
			{"another's", 1001, "Alex", true, true},
			{"the end", 1002, "Tom", false, true},
			{"the end again", 1003, "Tom", false, false},
			{"a beginning too soon after the first", 999 + pause, "Tom", true, false},
			{"its end", 999 + pause, "Tom", false, false},
			{"after the pause", 1000 + pause, "Tom", true, true},
			{"the end of that", 1001 + pause, "Tom", false, true},
			{"when the clock was set back", 500, "Tom", true, true},
		} {
			f.Tell(skein.Notice{
				Kind: skein.EventTyping, App: "shop", Conv: conv, Time: step.at, By: step.by, Except: step.by, On: step.on,
			})
			got := jerry.shown()
			on := map[bool]string{true: `"on":1`, false: `"on":0`}[step.on]
			if told := len(got) == 1 && strings.Contains(got[0], `"client_id":"`+step.by+`"`) && strings.Contains(got[0], on); told != step.told {
				t.Errorf("%s: told %v: %q, want %v", step.what, told, got, step.told)
			}
			if got := tom.shown(); len(got) > 0 && step.by == "Tom" {
				t.Errorf("%s: who types is told %q", step.what, got)
			}
		}
	})
}

func TestTypingInOneConversationSaysNothingOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "Tom", "Jerry")
		jerry := f.login("Jerry", "phone")
		for i := range byte(3) {
			f.Tell(skein.Notice{Kind: skein.EventTyping, App: "shop", Conv: skein.ID{15: i}, By: "Tom", Except: "Tom", On: true})
		}
		if got := jerry.shown(); len(got) != 3 {
			t.Errorf("got %q, want one a conversation", got)
		}
	})
}
