package sqlite

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

func TestSmoke(t *testing.T) {
	ctx := t.Context()
	var sent int
	s, err := Open(ctx, Options{Path: filepath.Join(t.TempDir(), "s.db"), Committed: func(m []skein.Sent) { sent += len(m) }})
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.CreateApp(ctx, skein.App{ID: "a", Created: 1, Keys: []skein.AppKey{{Name: "k"}}}))
	fmt.Println(s.App(ctx, "a"))
	for _, id := range []string{"x", "y", "z"} {
		_, created, err := s.CreateClient(ctx, skein.Client{App: "a", ID: id, Created: 5, Ext: []byte(`{}`)})
		must(err)
		fmt.Println(created)
	}
	fmt.Println(s.Clients(ctx, "a", skein.ClientQuery{Limit: 2}))
	conv := skein.ID(uuid.New())
	c, created, err := s.CreateConversation(ctx, skein.Conversation{App: "a", ID: conv, Type: skein.Private, Created: 7, Extend: []byte(`{"a":{"b":3}}`)}, []skein.Member{{Client: "x"}, {Client: "y"}}, 10)
	must(err)
	fmt.Println(c, created)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			d := skein.Draft{App: "a", Need: skein.NeedMember, Message: skein.Message{ID: skein.ID(uuid.Must(uuid.NewV7())), Conv: conv, Sender: "x", ClientMsgID: fmt.Sprint(i / 2), Created: skein.MillisOf(time.Now()), Body: skein.Body{Type: -1, Text: "hi"}}}
			_, _, err := s.Append(ctx, d)
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ms, err := s.Messages(ctx, "a", conv, skein.SeqRange{Limit: 100})
	must(err)
	fmt.Println(len(ms), ms[len(ms)-1].Seq, sent)
	fmt.Println(s.FindConversations(ctx, "a", skein.ConvQuery{Where: []skein.Condition{{Field: skein.FieldExtend, Path: []string{"a", "b"}, Op: skein.Ge, Values: []any{int64(3)}}}, Limit: 10, Count: true}))
	fmt.Println(s.FindConversations(ctx, "a", skein.ConvQuery{Member: "x", Where: []skein.Condition{{Field: skein.FieldMember, Op: skein.In, Values: []any{"y", "z"}}}, Limit: 10, Count: true}))
	fmt.Println(s.AddMembers(ctx, "a", conv, []string{"z", "x"}, 99, store.MemberLimit{}))
	fmt.Println(s.Audience(ctx, "a", conv, nil))
	fmt.Println(s.Members(ctx, "a", conv, skein.MemberQuery{}))
	fmt.Println(s.UpdateConversations(ctx, "a", nil, []byte("3"), 100))
	fmt.Println(s.DeleteClient(ctx, "a", "x", 100, true))
	fmt.Println(s.EraseMessages(ctx, 100))
	fmt.Println(s.Message(ctx, "a", conv, ms[0].ID))
	fmt.Println(s.RemoveMembers(ctx, "a", conv, []string{"z", "x"}, 99))
	fmt.Println(s.DeleteConversation(ctx, "a", conv))
	fmt.Println(s.Purge(ctx, 100))
	must(s.DeleteApp(ctx, "a"))
	fmt.Println(s.Purge(ctx, 100))
	must(s.CreateApp(ctx, skein.App{ID: "a", Created: 1}))
	must(s.Ping(ctx))
	must(s.Close())
	must(s.Close())
	fmt.Println(s.Ping(ctx), s.DeleteApp(ctx, "a"))
}
