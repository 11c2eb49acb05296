package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skein-im/skein"
)

// reads is a notice of how far a client has read, in the conversation with this
// number.
func reads(number byte, client string, seq int64) skein.Notice {
	return skein.Notice{
		Kind: skein.EventRead, App: "shop", Conv: skein.ID{14: number, 15: conv[15]}, Gather: true,
		Positions: []skein.Position{{Client: client, Read: seq, Received: seq + 1}},
	}
}

// inShort is the frames of conv.read as "Tom 3/4 Jerry 5/6".
func inShort(t *testing.T, frames []string) []string {
	t.Helper()
	var all []string
	for _, f := range frames {
		var in struct {
			Type string
			Data struct {
				Reads []struct {
					Client   string `json:"client_id"`
					Read     int64  `json:"read_seq"`
					Received int64  `json:"received_seq"`
				}
			}
		}
		if err := json.Unmarshal([]byte(f), &in); err != nil || in.Type != skein.EventRead {
			t.Fatalf("got frame %s (%v), want conv.read", f, err)
		}
		var parts []string
		for _, r := range in.Data.Reads {
			parts = append(parts, fmt.Sprintf("%s %d/%d", r.Client, r.Read, r.Received))
		}
		all = append(all, strings.Join(parts, " "))
	}
	return all
}

// shown is what came to a screen until now.
func (s *screen) shown() []string {
	synctest.Wait()
	var frames []string
	for len(s.frames) > 0 {
		frames = append(frames, <-s.frames)
	}
	return frames
}

func wantFrames(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) || len(got) != len(want) {
		t.Errorf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

func TestPositionsOfOneConversationGoTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "Tom")
		tom := f.login("Tom", "phone")
		f.Tell(reads(1, "Tom", 3))
		time.Sleep(gatherFor / 2)
		f.Tell(reads(1, "Jerry", 5))
		f.Tell(reads(1, "Tom", 7))
		f.Tell(reads(1, "Jerry", 4)) // overtaken on its way
		wantFrames(t, "within the second", inShort(t, tom.shown()))
		time.Sleep(gatherFor / 2)
		wantFrames(t, "after it", inShort(t, tom.shown()), "Tom 7/8 Jerry 5/6")
		time.Sleep(10 * gatherFor)
		wantFrames(t, "later", inShort(t, tom.shown()))
		f.Tell(reads(1, "Alex", 9))
		time.Sleep(gatherFor)
		wantFrames(t, "the next ones", inShort(t, tom.shown()), "Alex 9/10")
	})
}

func TestOnesOwnPositionComesBackOnlyAmongOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "Tom", "Jerry")
		tom, jerry := f.login("Tom", "phone"), f.login("Jerry", "phone")
		tell := func(client string, seq int64) {
			n := reads(1, client, seq)
			n.Except = client
			f.Tell(n)
		}
		tell("Tom", 3)
		tell("Tom", 4)
		time.Sleep(gatherFor)
		wantFrames(t, "alone, to Tom", inShort(t, tom.shown()))
		wantFrames(t, "alone, to Jerry", inShort(t, jerry.shown()), "Tom 4/5")
		tell("Tom", 5)
		tell("Jerry", 6)
		time.Sleep(gatherFor)
		wantFrames(t, "among others, to Tom", inShort(t, tom.shown()), "Tom 5/6 Jerry 6/7")
		wantFrames(t, "among others, to Jerry", inShort(t, jerry.shown()), "Tom 5/6 Jerry 6/7")
	})
}

func TestTheSessionThatDidItIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "Tom", "Jerry")
		phone, pad, jerry := f.login("Tom", "phone"), f.login("Tom", "pad"), f.login("Jerry", "phone")
		n := reads(1, "Tom", 3)
		n.Gather, n.Session = false, fmt.Sprintf("%032x", 1) // phone
		f.Tell(n)
		wantFrames(t, "the session", inShort(t, phone.shown()))
		wantFrames(t, "another device", inShort(t, pad.shown()), "Tom 3/4")
		wantFrames(t, "another client", inShort(t, jerry.shown()), "Tom 3/4")
	})
}

func TestPositionsOfTwoConversationsStayApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "Tom")
		tom := f.login("Tom", "phone")
		f.Tell(reads(1, "Tom", 3))
		f.Tell(reads(2, "Tom", 4))
		time.Sleep(gatherFor)
		got := inShort(t, tom.shown())
		if len(got) != 2 || got[0] == got[1] {
			t.Errorf("got %q, want one frame each", got)
		}
	})
}

func TestWhatMayNotWaitDoesNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "Tom")
		tom := f.login("Tom", "phone")
		f.Tell(reads(1, "Jerry", 3))
		mine := reads(1, "Tom", 3)
		mine.Gather, mine.Audience = false, []string{"Tom"}
		f.Tell(mine)
		wantFrames(t, "at once", inShort(t, tom.shown()), "Tom 3/4")
	})
}

func TestGatheringIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "Tom")
		tom := f.login("Tom", "phone")
		for i := range maxBatch {
			f.Tell(reads(1, fmt.Sprint("c", i), 1))
		}
		got := inShort(t, tom.shown())
		if len(got) != 1 || strings.Count(got[0], "/") != maxBatch {
			t.Errorf("a full batch: got %d frames, want one of %d positions at once", len(got), maxBatch)
		}
		for i := range maxBatches + 5 {
			n := reads(1, "Tom", 1)
			n.Conv[0], n.Conv[1] = byte(i>>8), byte(i)
			f.Tell(n)
		}
		wantFrames(t, "beyond the batchs", inShort(t, tom.shown()), "Tom 1/2", "Tom 1/2", "Tom 1/2", "Tom 1/2", "Tom 1/2")
		time.Sleep(gatherFor)
		if got := tom.shown(); len(got) != maxBatches {
			t.Errorf("then %d frames, want one of each of %d conversations", len(got), maxBatches)
		}
	})
}

func TestCloseLetsGoOfWhatWasGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "Tom")
		tom := f.login("Tom", "phone")
		f.Tell(reads(1, "Jerry", 3))
		begun, d := time.Now(), f.Delivery
		f.close(context.Background())
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("Close waited %v", waited)
		}
		wantFrames(t, "when it is over", inShort(t, tom.shown()), "Jerry 3/4")
		d.Tell(reads(1, "Alex", 3)) // nobody hears it
		if n := len(d.gathered.batches); n != 0 {
			t.Errorf("%d positions wait for ever", n)
		}
	})
}
