package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/hub"
)

// BenchmarkCommittedToOutbox takes a message from the commit hook to the outboxes of all
// members, who are online, and waits until they were written.
func BenchmarkCommittedToOutbox(b *testing.B) {
	for _, size := range []int{2, 200} {
		b.Run(fmt.Sprint("members=", size), func(b *testing.B) {
			h := hub.New(hub.Options{})
			conn, members := new(tally), crowd{}
			for i := range size {
				members.all = append(members.all, skein.NewListener(fmt.Sprint("client", i), 1))
				login(b, h, members.all[i].Client, i, conn)
			}
			d := New(Options{Store: members, Hub: h, Zone: time.UTC, Log: slog.New(slog.DiscardHandler)})
			sent := []skein.Committed{{App: "shop", ConvType: skein.Group, Message: skein.Message{
				Conv: conv, Sender: members.all[0].Client, Body: skein.Body{Type: skein.TypeText, Text: "what people say in one line"},
			}}}
			b.ReportAllocs()
			for b.Loop() {
				sent[0].Seq++
				before := conn.frames.Load()
				d.Committed(sent)
				for conn.frames.Load() < before+int64(size)-1 {
					runtime.Gosched()
				}
			}
			b.StopTimer()
			d.Close(context.Background())
			if err := h.Close(context.Background()); err != nil {
				b.Error(err)
			}
		})
	}
}

// BenchmarkEventForNobodyHere is what a node pays for a message of a group of 64 none of
// whom is here: it decodes the event, looks at the marks and moves on.
func BenchmarkEventForNobodyHere(b *testing.B) {
	h := hub.New(hub.Options{})
	d := &Delivery{opts: Options{Hub: h, Log: slog.New(slog.DiscardHandler)}, metrics: newMetrics(nil)}
	l := newLane(d)
	e := &bus.Event{App: "shop", Conv: conv, Seq: 1, Frame: make([]byte, 400), Sender: "client0"}
	for i := range maxNamed {
		e.Audience = append(e.Audience, skein.NewListener(fmt.Sprint("client", i), 0))
	}
	data := bus.Marshal(e)
	b.ReportAllocs()
	for b.Loop() {
		got, err := bus.Unmarshal(data)
		if err == nil {
			err = l.deliverInOrder(context.Background(), got)
		}
		if err != nil {
			b.Fatal(err)
		}
		l.positions.Delete(convKey{"shop", conv})
	}
	if err := h.Close(context.Background()); err != nil {
		b.Error(err)
	}
}
