package presence

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

func TestTheLastGoodbyeIsKept(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.come("1", "Tom/ios")
		w.come("2", "Tom/web")
		pass(500 * time.Millisecond)
		w.leave("1")
		pass(5 * time.Second)
		w.check("with a session left", fmt.Sprint(w.seen), "map[]")
		w.leave("2") // at 5,500 ms
		w.check("at once", w.get("Tom"), "Tom:-5500")
		pass(time.Second)
		w.check("within the grace", fmt.Sprint(w.writes), "0")
		w.check("heard of by now", w.get("Tom"), "Tom:-5500")
		pass(2 * time.Second)
		w.check("kept", fmt.Sprint(w.seen["Tom"]-bubble), "5500")
		w.check("from the store", w.get("Tom", "Nobody"), "Tom:-5500 Nobody:")
		w.check("all is saved", fmt.Sprint(len(w.sightings.unsaved), len(w.sightings.leaving)), "0 0")

		w.come("3", "Tom/ios")
		w.check("online again", w.get("Tom"), "Tom:ios")
		w.leave("3")
		pass(time.Second)
		w.come("4", "Tom/ios")
		pass(5 * time.Second)
		w.check("a reconnect is none", fmt.Sprint(w.seen["Tom"]-bubble), "5500")
	})
}

func TestAGoodbyeThatIsSavedDuringAQuestionIsInItsAnswer(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.come("1", "Tom/ios")
		w.leave("1")
		w.reading = 4 * time.Second
		w.check("answer", w.get("Tom"), "Tom:-0")
		pass(0)
		w.check("saved meanwhile", fmt.Sprint(w.writes), "1")
	})
}

func TestManyGoodbyesAreOneTransactionASecond(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		for i := range 3 * maxSaved / 2 {
			w.come(fmt.Sprint(i), fmt.Sprintf("c%d/ios", i))
		}
		for i := range 3 * maxSaved / 2 {
			w.leave(fmt.Sprint(i))
		}
		pass(10 * time.Second)
		w.check("kept", fmt.Sprint(len(w.seen)), fmt.Sprint(3*maxSaved/2))
		w.check("transactions", fmt.Sprint(w.writes), "2")
	})
}

func TestAnAppThatKeepsNothing(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.settings(func(s *skein.Settings) { s.LastSeen = false })
		w.seen["Tom"] = bubble + 1 // from when it did
		w.come("ann", "Ann/web")
		w.come("1", "Tom/ios")
		w.watchBy("ann", "Tom")
		w.leave("1")
		pass(5 * time.Second)
		w.check("told", w.told("ann"), "Tom:")
		w.check("answered", w.get("Tom"), "Tom:")
		w.check("writes", fmt.Sprint(w.writes), "0")
	})
}

func TestAnEventSaysWhatTheAnswerSaid(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.seen["Tom"] = bubble + 77
		w.come("ann", "Ann/web")
		w.come("1", "Tom/ios")
		w.watchBy("ann", "Tom")
		w.mu.Lock()
		delete(w.sessions, "1") // the hub's word of it is late
		w.mu.Unlock()
		w.check("answer", w.watchBy("ann", "Tom"), "Tom:-77")
		pass(1500 * time.Millisecond)
		w.check("told again", w.told("ann"), "Tom:-77")
	})
}

func TestAStoreThatIsAwayGetsItLater(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.breakStore(errAway)
		w.come("1", "Tom/ios")
		w.leave("1")
		pass(10 * time.Second)
		w.check("writes meanwhile", fmt.Sprint(w.writes), "0")
		if _, err := w.Of(t.Context(), w.actor("Ann", ""), []string{"Tom"}); !errors.Is(err, errAway) {
			t.Errorf("a question meanwhile: got %v", err)
		}
		w.breakStore(nil)
		pass(time.Second)
		w.check("then", fmt.Sprint(w.seen["Tom"]-bubble), "0")
	})
}

func TestWhatIsKeptForAStoreThatIsAwayIsBounded(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		w.Presence.mu.Lock()
		defer w.Presence.mu.Unlock()
		for i := range maxUnsaved + 10 {
			w.keep(address{"shop", fmt.Sprint(i)}, bubble)
		}
		w.keep(address{"shop", "7"}, bubble+1)
		w.check("kept", fmt.Sprint(len(w.sightings.unsaved), w.sightings.unsaved[address{"shop", "7"}]-bubble), fmt.Sprint(maxUnsaved, 1))
		w.sightings.unsaved = nil
	})
}

func TestANodeThatStopsKeepsWhoWasThere(t *testing.T) {
	inWorld(t, Options{}, func(w *world) {
		for i := range maxSaved + 1 {
			w.come(fmt.Sprint(i), fmt.Sprintf("c%d/ios", i))
		}
		pass(500 * time.Millisecond)
		for i := range maxSaved + 1 {
			w.leave(fmt.Sprint(i))
		}
		w.Close(context.Background())
		w.check("kept", fmt.Sprint(len(w.seen), w.seen["c3"]-bubble), fmt.Sprint(maxSaved+1, 500))

		w.breakStore(errAway)
		w.leave("c1")
		w.Close(context.Background()) // returns
	})
}
