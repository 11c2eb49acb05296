package reference

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/cursor"
)

// ownersRights are those of the owner of a group.
var ownersRights = skein.Rights{
	Send: true, MentionAll: true, Pin: true, Add: true, Remove: true, SetRole: true, Leave: true,
	EditInfo: true, Delete: true, MuteAll: true,
}

// view is the talk as Tom sees it, who has not read the reply.
var view = skein.View{
	Conversation: talk,
	Member: skein.Member{
		Client: "Tom", Role: skein.RoleOwner, Joined: created, JoinSeq: 1, SentSeq: hello.Seq, ReceivedSeq: reply.Seq,
		Marks: skein.Marks{Pinned: changed, Draft: "See you"},
	},
	Mentions: 1, Last: &reply, Rights: ownersRights,
}

// readView is the same when Tom has read it.
var readView = func() skein.View {
	v := view
	v.Member.ReadSeq, v.Mentions = reply.Seq, 0
	return v
}()

var inboxNotes = map[string]notes{
	"conv.list": {
		codes:   []int{211, 212, 4406},
		request: `{"client_id":"Tom","size":20}`,
		answer:  wire.NewPage(firstPage(20), []wire.View{wire.ViewOf(&view, utc)}, 1, skein.Cursor{}),
	},
	"conv.mark": {
		codes:   []int{211, 212, 4001, 4011, 4406},
		request: `{"client_id":"Tom","conv_id":"` + exampleID + `","pin":1,"draft":"See you"}`,
		answer:  wire.ViewOf(&view, utc),
	},
	"conv.unread": {
		codes:   []int{211, 212, 4001, 4406},
		request: `{"client_id":"Tom"}`,
		answer:  wire.UnreadTotal{Unread: 1, Mentions: 1, Conversations: 1},
	},
	"conv.read_all": {
		codes:   []int{211, 212, 4001, 4406},
		request: `{"client_id":"Tom"}`,
		answer:  wire.AllRead{Conversations: 1},
	},
	"conv.received_many": {
		codes:   []int{211, 212, 4001, 4406},
		request: `{"client_id":"Tom","receipts":[{"conv_id":"` + exampleID + `","seq":2},{"conv_id":"` + roomID + `"}]}`,
		answer: []wire.Received{
			wire.ReceivedOf(exampleID, view.Member, nil, wire.Chinese),
			wire.ReceivedOf(roomID, view.Member, skein.ErrUnknownConversation, wire.Chinese),
		},
	},
	"sync": {
		codes:   []int{211, 212, 4406},
		request: `{"client_id":"Tom","limit":100}`,
		answer: wire.SyncAnswerOf(skein.SyncPage{
			Views: []skein.View{view}, Next: skein.SyncCursor{Epoch: 1, Since: 57, Upto: 57}, Done: true,
		}, utc, cursor.NewSealer(nil).For(exampleApp, "sync", "Tom")),
	},
	"conv.read": {
		codes:   []int{211, 212, 4001, 4011, 4406},
		request: `{"conv_id":"` + exampleID + `","seq":2,"client_id":"Tom"}`,
		answer:  wire.PositionsOf(readView),
	},
	"conv.received": {
		codes:   []int{211, 212, 4001, 4011, 4406},
		request: `{"conv_id":"` + exampleID + `","seq":2,"client_id":"Tom"}`,
		answer:  wire.PositionsOf(view),
	},
	"conv.readers": {
		codes:   []int{4011, 4012, 4406},
		request: `{"conv_id":"` + exampleID + `","seq":1}`,
		answer: wire.Readers{
			ReaderCounts: wire.ReaderCounts{Seq: hello.Seq, Members: 3, Received: 2, Read: 2},
			Page: wire.NewPage(firstPage(20), []wire.Reader{
				wire.ReaderOf(view.Member, hello.Seq),
				wire.ReaderOf(skein.Member{Client: "Jerry", JoinSeq: 1, SentSeq: reply.Seq}, hello.Seq),
				wire.ReaderOf(skein.Member{Client: "Alex", JoinSeq: 1}, hello.Seq),
			}, 3, skein.Cursor{}),
		},
	},
	"typing": {
		codes:   []int{4001, 4011, 4406},
		request: `{"conv_id":"` + exampleID + `"}`,
		answer:  wire.Done,
	},
	"conv.members.update": {
		codes:   []int{211, 212, 4001, 4011, 4405, 4406},
		request: `{"conv_id":"` + exampleID + `","client_id":"Jerry","role":"admin","nickname":"Jer"}`,
		answer:  wire.MemberOf(skein.Member{Client: "Jerry", Role: skein.RoleAdmin, Nickname: "Jer", Joined: created, JoinSeq: 1}),
	},
	"conv.mute_all": {
		codes:   []int{4001, 4011, 4405, 4406},
		request: `{"conv_id":"` + exampleID + `","on":1}`,
		answer:  wire.Done,
	},
}
