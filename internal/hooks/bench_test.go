package hooks_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/dial"
	"github.com/skein-im/skein/internal/hooks"
	"github.com/skein-im/skein/internal/signing"
	"github.com/skein-im/skein/internal/store/sqlite"
	"github.com/skein-im/skein/internal/store/sqlite/sqlitetest"
)

// BenchmarkSend is what a before-hook costs the sender of a message: sends one after the other to a store on this
// machine, without a hook and with one that answers at once on this machine.
func BenchmarkSend(b *testing.B) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	defer backend.Close()
	client := dial.New(dial.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, IdlePerHost: hooks.CallsAtOnce})
	defer client.CloseIdleConnections()
	for name, list := range map[string][]skein.BeforeHook{
		"without": nil,
		"with":    {{On: skein.BeforeMessage, URL: backend.URL, Timeout: skein.MaxHookTimeout, Secrets: signing.Rotated(nil, key, 0)}},
	} {
		b.Run(name, func(b *testing.B) {
			st, err := sqlite.Open(b.Context(), sqlite.Options{Path: sqlitetest.File(b), Readers: 1})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = st.Close() }()
			app := &skein.App{ID: "shop", Settings: skein.Settings{BeforeHooks: list}.WithDefaults()}
			if err := st.CreateApp(b.Context(), skein.App{ID: "shop"}); err != nil {
				b.Fatal(err)
			}
			cases := chat.New(chat.Options{Store: st, Events: nobody{}, Hooks: hooks.New(hooks.Options{Client: client})})
			backend, tom := skein.Actor{App: app, Need: skein.NeedManager}, skein.Actor{App: app, Client: "Tom", Need: skein.NeedMember}
			if _, err := cases.CreateUser(b.Context(), backend, "Tom", nil); err != nil {
				b.Fatal(err)
			}
			conv, err := cases.CreateConversation(b.Context(), backend, "Tom", nil, skein.Conversation{Type: skein.Group})
			if err != nil {
				b.Fatal(err)
			}
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				sent := cases.Send(b.Context(), tom, []skein.Draft{{Message: skein.Message{Conv: conv.ID, Sender: "Tom", Body: skein.Body{Type: skein.TypeText, Text: "hello"}}}})
				took = append(took, time.Since(began))
				if sent[0].Err != nil {
					b.Fatal(sent[0].Err)
				}
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
		})
	}
}

// nobody hears of nothing.
type nobody struct{ chat.Events }

func (nobody) Tell(skein.Notice) {}
