package delivery

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
	"github.com/skein-im/skein/internal/store"
)

const resyncFrame = `{"type":"resync","data":{}}`

func edit(kind store.EntryKind, at skein.Millis, client string, clients ...string) store.Entry {
	return store.Entry{Kind: kind, App: "shop", Conv: conv, At: at, Client: client, Clients: clients}
}

func TestANoticeThatIsMissingAsksThoseItConcernsToSync(t *testing.T) {
	added := func(clients ...string) skein.Notice {
		return skein.Notice{Kind: skein.EventMembersAdded, Clients: clients}
	}
	many := make([]string, store.MaxEntryClients)
	for name, tt := range map[string]struct {
		told    []skein.Notice
		twice   bool // the notices are told once more
		edits   []store.Entry
		missing bool // for Tom, who is a member
		removed bool // for Eve, who is none
	}{
		"all were told": {
			[]skein.Notice{added("Ann"), {Kind: skein.EventConvUpdated}, {Kind: skein.EventMembersRemoved, Clients: []string{"Eve"}}, {Kind: skein.EventConvUpdated, Clients: []string{"Ann"}}}, false,
			[]store.Entry{edit(store.EntryMembersAdded, 1, "", "Ann"), edit(store.EntryConversationUpdated, 1, ""), edit(store.EntryMembersRemoved, 2, "", "Eve"), edit(store.EntryMemberUpdated, 2, "Ann")}, false, false,
		},
		"an addition was not told":           {nil, false, []store.Entry{edit(store.EntryMembersAdded, 1, "", "Tom")}, true, false},
		"another one was told":               {[]skein.Notice{added("Ann")}, false, []store.Entry{edit(store.EntryMembersAdded, 1, "", "Tom")}, true, false},
		"one of two was told":                {[]skein.Notice{added("Ann")}, false, []store.Entry{edit(store.EntryMembersAdded, 1, "", "Ann"), edit(store.EntryMembersAdded, 1, "", "Ann")}, true, false},
		"one came twice":                     {[]skein.Notice{added("Ann")}, true, []store.Entry{edit(store.EntryMembersAdded, 1, "", "Ann")}, false, false},
		"an update was not told":             {[]skein.Notice{{Kind: skein.EventConvUpdated, Clients: []string{"Ann"}}}, false, []store.Entry{edit(store.EntryConversationUpdated, 1, "")}, true, false},
		"a view of one client is no update":  {[]skein.Notice{{Kind: skein.EventConvUpdated, View: &skein.View{}}}, false, []store.Entry{edit(store.EntryConversationUpdated, 1, "")}, true, false},
		"a removal was not told":             {nil, false, []store.Entry{edit(store.EntryMembersRemoved, 1, "", "Eve")}, true, true},
		"the creation of a large one":        {[]skein.Notice{{Kind: skein.EventConvCreated, Conversation: &skein.Conversation{}}}, false, []store.Entry{edit(store.EntryConversationCreated, 1, "", many...), edit(store.EntryMembersAdded, 1, "", "Eve")}, false, false},
		"the creation, and later more":       {[]skein.Notice{{Kind: skein.EventConvCreated, Conversation: &skein.Conversation{}}}, false, []store.Entry{edit(store.EntryConversationCreated, 1, ""), edit(store.EntryMembersAdded, 2, "", "Eve")}, true, true},
		"another owner makes the one before": {[]skein.Notice{{Kind: skein.EventConvUpdated, Clients: []string{"Ann"}}}, false, []store.Entry{edit(store.EntryMemberUpdated, 1, "Tom"), edit(store.EntryMemberUpdated, 1, "Ann")}, false, false},
		"a deletion was not told":            {nil, false, []store.Entry{edit(store.EntryConversationDeleted, 1, "", many...), edit(store.EntryMembersRemoved, 1, "", "Eve")}, true, true},
	} {
		f := newFixture(t, "Tom")
		tom, eve := f.login("Tom", "phone"), f.login("Eve", "phone")
		other := New(Options{Store: f.store, Bus: f.bus, Hub: f.hub, Zone: time.UTC}) // of the node that tells
		for _, n := range tt.told {
			n.App, n.Conv, n.Audience = "shop", conv, []string{}
			other.Tell(n)
			if tt.twice {
				other.Tell(n)
			}
		}
		other.Close(t.Context())
		f.Compare(store.Moved{App: "shop", Conv: conv, Edits: tt.edits})
		f.end("Tom", "Eve")
		var wantTom, wantEve []string
		if tt.missing {
			wantTom = []string{resyncFrame}
		}
		if tt.removed {
			wantEve = []string{resyncFrame}
		}
		f.wantShown(name+": Tom", tom, wantTom...)
		f.wantShown(name+": Eve", eve, wantEve...)
	}
}

func TestANoticeAnswersForADeedThatTheFeedTellsSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "Tom")
		tom := f.login("Tom", "phone")
		f.publish(bus.Event{App: "shop", Conv: conv, Audience: listeners([]string{}), Deed: deedOf(store.EntryConversationUpdated)})
		time.Sleep(rememberFor + time.Second)
		f.Compare(store.Moved{App: "shop", Conv: conv, Edits: []store.Entry{edit(store.EntryConversationUpdated, 1, "")}})
		f.end("Tom")
		f.wantShown("an update long after a notice of another", tom, resyncFrame)
		f.close(t.Context())
	})
}

// The store is away when the members are to be read, so it is not known whom to ask.
func TestIfItIsUnknownWhoMissedANoticeAllSessionsSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, "Tom")
		tom, eve := f.login("Tom", "phone"), f.login("Eve", "phone")
		f.store.set(func(m *memory) { m.audienceErr = errAway })
		f.Compare(store.Moved{App: "shop", Conv: conv, Edits: []store.Entry{edit(store.EntryConversationUpdated, 1, "")}})
		time.Sleep(f.opts.ResyncOver)
		synctest.Wait()
		f.end("Tom", "Eve")
		f.wantShown("Tom", tom, resyncFrame)
		f.wantShown("Eve", eve, resyncFrame)
		f.close(t.Context())
	})
}
