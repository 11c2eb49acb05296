package wire

import (
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/cursor"
)

func TestUsersAndConversationsAreWrittenInTheServersZone(t *testing.T) {
	banned := skein.Client{ID: "Tom", Created: 1608126111686, Updated: 1608126112000, BannedUntil: 2000000000000, BanReason: "spam", AddBy: skein.AddByKnown}
	forever := banned
	forever.BannedUntil, forever.Updated = skein.Forever, 0
	const now = 1700000000000
	conv := skein.Conversation{App: "a", ID: skein.ID{1}, Type: skein.Group, Creator: "Tom", Members: 2, LastSeq: 3, Created: 1608126111686}
	for name, tt := range map[string]struct {
		v    any
		want string
	}{
		"to the backend": {UserOf(banned, now, shanghai, skein.Actor{}), `{"client_id":"Tom","ext":null,"ctime":"2020-12-16 21:41:51","mtime":"2020-12-16 21:41:52",` +
			`"ctime_ms":1608126111686,"mtime_ms":1608126112000,"banned":1,"banned_until":2000000000000,"ban_reason":"spam","add_by":"known"}`},
		"to a client, who does not learn why": {UserOf(forever, now, time.UTC, skein.Actor{Client: "Jerry"}), `{"client_id":"Tom","ext":null,"ctime":"2020-12-16 13:41:51","mtime":null,` +
			`"ctime_ms":1608126111686,"mtime_ms":null,"banned":1,"banned_until":null,"ban_reason":null,"add_by":null}`},
		"after the ban": {UserOf(banned, 2000000000000, time.UTC, skein.Actor{}), `{"client_id":"Tom","ext":null,"ctime":"2020-12-16 13:41:51","mtime":"2020-12-16 13:41:52",` +
			`"ctime_ms":1608126111686,"mtime_ms":1608126112000,"banned":0,"banned_until":null,"ban_reason":null,"add_by":"known"}`},
		"a conversation": {ConversationOf(conv, shanghai), `{"conv_id":"01000000000000000000000000000000","conv_type":3,"client_num":2,"app_id":"a","conv_extend":null,` +
			`"conv_creater_id":"Tom","ctime":"2020-12-16 21:41:51","mtime":null,"ctime_ms":1608126111686,"mtime_ms":null,"last_seq":3,"last_change":0,"mute_all":0}`},
		"a member":       {MemberOf(skein.Member{Client: "Tom", Role: skein.RoleOwner, Joined: 5}), `{"client_id":"Tom","role":"owner","join_time":5,"mute_until":null,"nickname":null}`},
		"a muted member": {MemberOf(skein.Member{Client: "Tom", Joined: 5, MutedUntil: 9, Nickname: "T"}), `{"client_id":"Tom","role":"member","join_time":5,"mute_until":9,"nickname":"T"}`},
	} {
		got, err := json.Marshal(tt.v)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", name, got, err, tt.want)
		}
	}
}

func TestNoticesLeaveOutWhatIsNotTheirs(t *testing.T) {
	conv := skein.Conversation{App: "a", ID: skein.ID{1}, Type: skein.Group, Creator: "Tom", Extend: []byte(`{"a":1}`), Created: 1608126111686}
	id := `"conv_id":"01000000000000000000000000000000","time":5`
	for name, tt := range map[string]struct {
		n    skein.Notice
		want string
	}{
		"a deletion by the backend": {skein.Notice{Kind: skein.EventConvDeleted, Conv: conv.ID, Time: 5}, `{"type":"conv.deleted","data":{` + id + `}}`},
		"who was added":             {skein.Notice{Kind: skein.EventMembersAdded, Conv: conv.ID, Time: 5, By: "Tom", Clients: []string{"a"}}, `{"type":"conv.members.added","data":{` + id + `,"by":"Tom","client_ids":["a"]}}`},
		"who has read": {skein.Notice{Kind: skein.EventRead, Conv: conv.ID, Time: 5, By: "Tom", Positions: []skein.Position{{Client: "Tom", Read: 3, Received: 4}}},
			`{"type":"conv.read","data":{` + id + `,"reads":[{"client_id":"Tom","read_seq":3,"received_seq":4}]}}`},
		"who types": {skein.Notice{Kind: skein.EventTyping, Conv: conv.ID, Time: 5, By: "Tom", Except: "Tom", On: true},
			`{"type":"typing","data":{"conv_id":"01000000000000000000000000000000","client_id":"Tom","on":1,"time":5}}`},
		"who ended": {skein.Notice{Kind: skein.EventTyping, Conv: conv.ID, Time: 5, By: "Tom", Except: "Tom"},
			`{"type":"typing","data":{"conv_id":"01000000000000000000000000000000","client_id":"Tom","on":0,"time":5}}`},
		"an update": {skein.Notice{Kind: skein.EventConvUpdated, Conv: conv.ID, Time: 5, Conversation: &conv}, `{"type":"conv.updated","data":{` + id +
			`,"conversation":{"conv_id":"01000000000000000000000000000000","conv_type":3,"client_num":0,"app_id":"a","conv_extend":{"a":1},` +
			`"conv_creater_id":"Tom","ctime":"2020-12-16 13:41:51","mtime":null,"ctime_ms":1608126111686,"mtime_ms":null,"last_seq":0,"last_change":0,"mute_all":0}}}`},
	} {
		if got := AppendNotice(nil, tt.n, time.UTC); string(got) != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, tt.want)
		}
	}
}

func TestASyncIsAnsweredAsDocumented(t *testing.T) {
	next := skein.SyncCursor{Epoch: 7, Since: 1}
	text := `"next_cursor":"` + cursor.OfSync(next, testSeal) + `"`
	for name, tt := range map[string]struct {
		p    skein.SyncPage
		want string
	}{
		"nothing": {skein.SyncPage{Next: next, Done: true}, `{"conversations":[],"deleted":[],` + text + `,"done":true,"reset_required":false,"epoch":7}`},
		"gone":    {skein.SyncPage{Gone: []skein.ID{{1}}, Next: next}, `{"conversations":[],"deleted":["01000000000000000000000000000000"],` + text + `,"done":false,"reset_required":false,"epoch":7}`},
		"a reset": {skein.SyncPage{Next: next, Reset: true}, `{"conversations":[],"deleted":[],` + text + `,"done":false,"reset_required":true,"epoch":7}`},
	} {
		got, err := json.Marshal(SyncAnswerOf(tt.p, time.UTC, testSeal))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", name, got, err, tt.want)
		}
	}
	two := SyncAnswerOf(skein.SyncPage{Views: []skein.View{
		{Conversation: skein.Conversation{ID: skein.ID{1}}}, {Conversation: skein.Conversation{ID: skein.ID{2}}},
	}}, time.UTC, testSeal)
	if len(two.Conversations) != 2 || two.Conversations[1].ConvID != (skein.ID{2}) {
		t.Errorf("two views: got %+v", two.Conversations)
	}
}

func TestWhatOneSeesIsWrittenAsDocumented(t *testing.T) {
	conv := skein.Conversation{App: "a", ID: skein.ID{1}, Type: skein.Group, Creator: "Tom", Members: 2, MuteAll: true, LastSeq: 9, Changes: 4, Created: 1608126111686}
	const head = `"conv_id":"01000000000000000000000000000000","conv_type":3,"client_num":2,"app_id":"a","conv_extend":null,` +
		`"conv_creater_id":"Tom","ctime":"2020-12-16 13:41:51","mtime":null,"ctime_ms":1608126111686,"mtime_ms":null,"last_seq":9,"last_change":4,"mute_all":1,"peer":null,`
	last := skein.Message{ID: skein.ID{2}, Conv: conv.ID, Seq: 9, Status: skein.StatusNormal, Body: skein.Body{Type: 1}}
	message, err := json.Marshal(MessageOf(&last))
	if err != nil {
		t.Fatal(err)
	}
	marked := skein.Member{
		Client: "Tom", Role: skein.RoleAdmin, Nickname: "T", JoinSeq: 3, MutedUntil: 7, ReadSeq: 4, ReceivedSeq: 6, SentSeq: 5,
		Marks: skein.Marks{Pinned: 1, Muted: true, Archived: true, Unread: true, Draft: "See"},
	}
	for name, tt := range map[string]struct {
		v    skein.View
		want string
	}{
		"nothing marked": {skein.View{Conversation: conv, Member: skein.Member{JoinSeq: 1}}, head +
			`"read_seq":0,"received_seq":0,"unread":9,"mentions":0,"join_seq":1,"floor_seq":0,"role":"member","nickname":null,"mute_until":null,` +
			`"pin":0,"mute":0,"archive":0,"unread_mark":0,"draft":null,"rights":{"send":0,"mention_all":0,"pin":0,"add":0,"remove":0,"set_role":0,"leave":0,"edit_info":0,"delete":0,"mute_all":0},` +
			`"last_message":null`},
		"all marked": {skein.View{Conversation: conv, Member: marked, Mentions: 2, Last: &last, Floor: 2,
			Rights: skein.Rights{Send: true, Pin: true, Remove: true, Leave: true, Delete: true}}, head +
			`"read_seq":5,"received_seq":6,"unread":4,"mentions":2,"join_seq":3,"floor_seq":2,"role":"admin","nickname":"T","mute_until":7,` +
			`"pin":1,"mute":1,"archive":1,"unread_mark":1,"draft":"See","rights":{"send":1,"mention_all":0,"pin":1,"add":0,"remove":1,"set_role":0,"leave":1,"edit_info":0,"delete":1,"mute_all":0},"last_message":` + string(message)},
	} {
		got, err := json.Marshal(ViewOf(&tt.v, time.UTC))
		if err != nil || string(got) != "{"+tt.want+"}" {
			t.Errorf("%s:\n got %s, %v\nwant {%s}", name, got, err, tt.want)
		}
	}
}
