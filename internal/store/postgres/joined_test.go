package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/storetest"
)

// Delivery needs the members. To read them for each conversation in turn would hold up all others.
func TestTheFirstMessageOfAConversationOnANodeComesWithItsMembers(t *testing.T) {
	const most = 64
	var told []skein.Committed
	s := openWarm(t, server.Database(t), storetest.Options{Committed: func(sent []skein.Committed) { told = append(told, sent...) }})
	if err := s.CreateApp(t.Context(), skein.App{ID: "app"}); err != nil {
		t.Fatal(err)
	}
	clients := make([]skein.Client, most+1)
	for i := range clients {
		clients[i].ID = fmt.Sprint("c", i)
	}
	if _, err := s.CreateClients(t.Context(), "app", clients); err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		name    string
		members int
		conv    skein.Conversation
		want    int
	}{
		{"a small group", 3, skein.Conversation{Type: skein.Group}, 3},
		{"as many as an event names", most, skein.Conversation{Type: skein.Group}, most},
		{"one more", most + 1, skein.Conversation{Type: skein.Group}, 0},
		{"one that ends by itself, which no memory keeps", 3, skein.Conversation{Type: skein.Temporary, TTL: time.Hour}, 0},
	} {
		tt.conv.App, tt.conv.ID, tt.conv.Creator, tt.conv.Created = "app", skein.ID{15: byte(i + 1)}, "c0", skein.MillisOf(time.Now())
		members := make([]skein.Member, tt.members)
		for i := range members {
			members[i].Client = clients[i].ID
		}
		if _, _, err := s.CreateConversation(t.Context(), tt.conv, members, store.MemberLimit{}); err != nil {
			t.Fatal(err)
		}
		for n, want := range []int{tt.want, 0} {
			told = nil
			_, _, err := s.Append(t.Context(), skein.Draft{App: "app", Need: skein.NeedMember, Message: skein.Message{
				ID: skein.ID{0: byte(i + 1), 15: byte(n + 1)}, Conv: tt.conv.ID, Sender: "c1", Created: tt.conv.Created, Body: skein.Body{Type: skein.TypeText, Text: "x"},
			}})
			if err != nil || len(told) != 1 {
				t.Fatalf("%s, message %d: told %d, %v; want 1", tt.name, n+1, len(told), err)
			}
			got := told[0].Members
			if len(got) != want {
				t.Fatalf("%s, message %d: got %d members, want %d", tt.name, n+1, len(got), want)
			}
			all, rev, err := s.Audience(t.Context(), "app", tt.conv.ID, 0)
			if err != nil || rev != told[0].RosterRev {
				t.Fatalf("%s: members are of revision %d, %v; the message says %d", tt.name, rev, err, told[0].RosterRev)
			}
			for i := range got {
				if got[i] != all[i] {
					t.Errorf("%s: member %d is %v, want %v", tt.name, i, got[i], all[i])
				}
			}
		}
	}
}
