package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/hub"
	"github.com/skein-im/skein/internal/store"
)

// A delivery allocates nothing, for how many members and sessions ever: the frame
// and the list of the members are shared.
const deliveryBudget = 0

func TestAllocsOfADelivery(t *testing.T) {
	const online = 200
	for _, size := range []int{online, 10_000} {
		h := hub.New(hub.Options{})
		conn := new(tally)
		members := crowd{}
		for i := range size {
			members.all = append(members.all, skein.NewListener(fmt.Sprint("client", i), 1))
		}
		for i := range online {
			login(t, h, members.all[i].Client, i, conn)
		}
		d := &Delivery{opts: Options{Store: members, Hub: h, Log: slog.New(slog.DiscardHandler)}, metrics: newMetrics(nil)}
		l := newLane(d)
		e := &bus.Event{App: "shop", Conv: conv, Frame: make([]byte, 300), Sender: "Backend"}
		got := testing.AllocsPerRun(50, func() {
			e.Seq++
			before := conn.frames.Load()
			if err := l.deliverInOrder(context.Background(), e); err != nil {
				t.Fatal(err)
			}
			for conn.frames.Load() < before+online {
				runtime.Gosched() // lets the writers run: what is written is delivered
			}
		})
		if got > deliveryBudget {
			t.Errorf("to %d members, %d online: %v allocations, the budget is %v", size, online, got, deliveryBudget)
		}
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

func login(t testing.TB, h *hub.Hub, client string, i int, conn hub.Conn) {
	t.Helper()
	s, err := h.Attach(hub.Login{
		App: "shop", Client: client, Device: "phone", ID: fmt.Sprintf("%032x", i), Conn: conn,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Answer([]byte("hello"))
	t.Cleanup(s.Detach)
}

// crowd is a store that knows the members of every conversation, at no cost.
type crowd struct {
	store.Store

	all []skein.Listener
}

func (c crowd) Audience(context.Context, string, skein.ID, int64) ([]skein.Listener, int64, error) {
	return c.all, 1, nil
}

// tally is a connection that takes everything and counts it.
type tally struct{ frames atomic.Int64 }

func (c *tally) WriteFrames(frames [][]byte, _ func()) error {
	c.frames.Add(int64(len(frames)))
	return nil
}
func (c *tally) Ping(func()) error { return nil }
func (c *tally) Close(int, string) {}
