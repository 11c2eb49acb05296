package sessions

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/store"
)

// BenchmarkLogin is what a login and its end cost in the table beside 10,000 sessions.
func BenchmarkLogin(b *testing.B) {
	t := New(func(context.Context) (int64, error) { return 1, nil }, func() int64 { return 0 }, time.Now)
	ctx := b.Context()
	if _, _, err := t.RenewNode(ctx, "n", time.Hour); err != nil {
		b.Fatal(err)
	}
	logins := make([]store.Login, 10_000)
	for i := range logins {
		logins[i] = store.Login{MaxDevices: 10, Session: store.Session{
			App: "shop", Client: fmt.Sprint("c", i), Device: "phone", ID: fmt.Sprintf("%032x", i), Node: "n",
		}}
		if _, err := t.EnterSession(ctx, logins[i]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l := logins[i%len(logins)]
		if _, err := t.LeaveSessions(ctx, []store.Session{l.Session}); err != nil {
			b.Fatal(err)
		}
		if _, err := t.EnterSession(ctx, l); err != nil {
			b.Fatal(err)
		}
	}
}
