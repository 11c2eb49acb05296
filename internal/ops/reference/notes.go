package reference

import (
	"strconv"

	"maps"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

// notes are what the reference says of an op beyond its row.
type notes struct {
	codes   []int  // it may answer, beside those of everyCall
	before  string // what the example needs: the fields of a conv.create
	request string // an example: the fields of the request as JSON
	answer  any    // an example of the answer
}

// notesOf are the notes of all ops by name, one list a file.
var notesOf = joined(firstNotes, inboxNotes, changeNotes, presenceNotes)

func joined(lists ...map[string]notes) map[string]notes {
	all := map[string]notes{}
	for _, list := range lists {
		maps.Copy(all, list)
	}
	return all
}

// everyCall are the codes that any call may answer.
var everyCall = []int{1, 213, 4002, 4003, 4004, 4080, 4290, 5030}

// The examples tell of one talk, so that a reader meets the same people again.
const (
	exampleApp = "666666"
	exampleID  = "cd7fc5304f56f52488d5246b0ebbdbfb" // the conversation of the original document
	roomID     = "1f6f3a41b5f14b0f8f0e9d7f6a0b2c3d" // a chat room
	untilThen  = "4102444800000"                    // 2100, so that the examples do not grow old
)

var (
	exampleConv = mustID(exampleID)
	helloID     = mustID("01766bc91fc67b3e8d1f4a6b9c2d3e4f")
	replyID     = mustID("01766bc93ba17c5f9e20b1c2d3e4f506")

	created, changed skein.Millis = 1608125000000, 1608126100000
)

var hello = skein.Message{
	ID: helloID, Conv: exampleConv, Seq: 1, Sender: "Tom", ClientMsgID: "a1", Status: skein.StatusNormal, Created: 1608126111686, Version: 1,
	Body: skein.Body{Type: skein.TypeText, Text: "HELLO !"},
}

var reply = skein.Message{
	ID: replyID, Conv: exampleConv, Seq: 2, Sender: "Jerry", Status: skein.StatusNormal, Created: 1608126118817, Version: 1,
	Body: skein.Body{
		Type: skein.TypeImage, URL: "http://127.0.0.1:8080/storage/uploads/7de523065e29c5526b7f1f8b15030df3.jpg",
		Attr: []byte(`{"width":1080,"height":1440}`), Mentions: []string{"Tom"}, ReplyTo: helloID,
	},
}

var talk = skein.Conversation{
	App: exampleApp, ID: exampleConv, Type: skein.Group, Creator: "Tom", Extend: []byte(`{"conv_name":"just test"}`),
	Members: 3, LastSeq: 2, Created: created, Updated: changed, Active: reply.Created,
}

var (
	mary    = skein.Client{App: exampleApp, ID: "Mary", Ext: []byte(`{"nickname":"May"}`), Created: created}
	renamed = skein.Client{App: exampleApp, ID: "Mary", Ext: []byte(`{"nickname":"Mary"}`), Created: created, Updated: changed}
)

// firstNotes are of the ops that the original document has.
var firstNotes = map[string]notes{
	"user.create": {
		codes:   []int{212, 4001, 4013, 4406},
		request: `{"client_id":"Mary","ext":{"nickname":"May"}}`,
		answer:  userOf(mary),
	},
	"user.import": {
		codes:   []int{4001, 4130, 4406},
		request: `{"users":[{"client_id":"Ann","ext":{"nickname":"A"}},{"client_id":"Bob"},{"client_id":"no spaces"}]}`,
		answer:  imported,
	},
	"user.list": {
		codes:   []int{4406},
		request: `{"where":[["client_id","in",["Mary","Nobody"]]],"page":1,"size":20}`,
		answer:  wire.NewPage(firstPage(20), []wire.User{userOf(mary)}, 1, skein.Cursor{}),
	},
	"user.get": {
		codes:   []int{211, 212},
		request: `{"client_id":"Mary"}`,
		answer:  userOf(mary),
	},
	"user.get_many": {
		codes:   []int{212, 4001, 4406},
		request: `{"client_ids":["Tom","Nobody","Jerry"]}`,
		answer: wire.Users{
			Data: []wire.User{
				userOf(skein.Client{App: exampleApp, ID: "Tom", Created: created}),
				userOf(skein.Client{App: exampleApp, ID: "Jerry", Created: created}),
			},
			Unknown: []string{"Nobody"},
		},
	},
	"user.update": {
		codes:   []int{211, 212, 4001, 4406},
		request: `{"client_id":"Mary","ext":{"nickname":"Mary"}}`,
		answer:  userOf(renamed),
	},
	"user.delete": {
		codes:   []int{211, 212, 4406},
		request: `{"client_id":"Mary","messages":"erase"}`,
		answer:  wire.Done,
	},
	"user.ban": {
		codes:   []int{211, 212, 4406},
		request: `{"client_id":"Mary","until":` + untilThen + `,"reason":"spam"}`,
		answer:  wire.Done,
	},
	"user.unban": {
		codes:   []int{211, 212},
		request: `{"client_id":"Mary"}`,
		answer:  wire.Done,
	},
	"user.logout": {
		codes:   []int{211, 212, 4406},
		request: `{"client_id":"Tom","device_id":"phone1"}`,
		answer:  wire.Done,
	},
	"user.token": {
		codes:   []int{211, 212, 4001, 4406},
		request: `{"client_id":"Tom","ttl":86400}`,
		answer: wire.Token{
			Token: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." +
				"eyJzdWIiOiJUb20iLCJhcHAiOiI2NjY2NjYiLCJleHAiOjE2MDgyMTI1MTEuNjg2LCJpYXQiOjE2MDgxMjYxMTEuNjg2fQ." +
				"0gm2lAgFxTHN0hp_YkQN-23oiPis_0xfOc1N_-OFoMc",
			Expires: 1608212511686,
		},
	},
	"conv.create": {
		codes:   []int{211, 212, 4001, 4130, 4405, 4406},
		request: `{"client_id":"Tom","to_client_ids":["Jerry","Alex"],"conv_type":3,"conv_extend":{"conv_name":"just test"}}`,
		answer:  wire.CreatedConversation{ConvExtend: jsontext.Value(`{"conv_name":"just test"}`), ConvID: exampleConv},
	},
	"conv.query": {
		codes:   []int{4001, 4406},
		request: `{"where":[["conv_id","=","` + exampleID + `"]],"page":1,"size":20}`,
		answer:  wire.NewPage(firstPage(20), []wire.Conversation{wire.ConversationOf(talk, utc)}, 1, skein.Cursor{}),
	},
	"conv.update": {
		codes:   []int{4001, 4011, 4406},
		request: `{"where":[["conv_id","=","` + exampleID + `"]],"update":{"conv_extend":{"conv_name":"test2"}}}`,
		answer:  wire.Done,
	},
	"conv.get": {
		codes:   []int{4011},
		request: `{"conv_id":"` + exampleID + `"}`,
		answer:  wire.ConversationOf(talk, utc),
	},
	"conv.delete": {
		codes:   []int{4011},
		request: `{"conv_id":"` + roomID + `"}`,
		answer:  wire.Done,
	},
	"conv.join": {
		codes:   []int{211, 212, 4001, 4011, 4405},
		before:  `{"client_id":"Tom","to_client_ids":[],"conv_type":4}`,
		request: `{"conv_id":"` + roomID + `","client_id":"Iron"}`,
		answer:  wire.Done,
	},
	"conv.leave": {
		codes:   []int{212, 4001, 4011, 4405},
		request: `{"conv_id":"` + roomID + `","client_id":"Iron"}`,
		answer:  wire.Done,
	},
	"conv.members.list": {
		codes:   []int{4011, 4406},
		request: `{"conv_id":"` + exampleID + `","size":20}`,
		answer: wire.NewPage(firstPage(20), []wire.Member{
			wire.MemberOf(skein.Member{Client: "Tom", Role: skein.RoleOwner, Joined: created, JoinSeq: 1}),
			wire.MemberOf(skein.Member{Client: "Jerry", Joined: created, JoinSeq: 1, Nickname: "Jer"}),
		}, 2, skein.Cursor{}),
	},
	"conv.members": {
		codes:   []int{4011, 4406},
		request: `{"conv_id":"` + exampleID + `"}`,
		answer:  []string{"Tom", "Jerry", "Alex"},
	},
	"conv.members.add": {
		codes:   []int{211, 212, 4001, 4011, 4130, 4405, 4406},
		request: `{"conv_id":"` + exampleID + `","client_ids":["Iron"]}`,
		answer:  wire.Done,
	},
	"conv.members.remove": {
		codes:   []int{212, 4001, 4011, 4405, 4406},
		request: `{"conv_id":"` + exampleID + `","client_ids":["Iron"]}`,
		answer:  wire.Done,
	},
	"msg.send": {
		codes:   []int{211, 212, 4001, 4011, 4012, 4013, 4406},
		request: `{"conv_id":"` + exampleID + `","from_client":"Tom","type":-1,"text":"HELLO !","client_msg_id":"a1"}`,
		answer:  wire.SentOf(&hello),
	},
	"msg.list": {
		codes:   []int{4011, 4406},
		request: `{"conv_id":"` + exampleID + `","page":1,"size":10}`,
		answer:  wire.NewMessagePage(firstPage(10), []skein.Message{reply, hello}, 2),
	},
	"msg.find": {
		codes:   []int{212, 4011, 4406},
		request: `{"conv_id":"` + exampleID + `","from_client":"Tom","types":[-1],"since":` + strconv.FormatInt(int64(hello.Created), 10) + `,"limit":20}`,
		answer:  wire.NewFoundMessages(skein.FoundMessages{Messages: []skein.Message{hello}}),
	},
	"msg.get": {
		codes:   []int{4011, 4012},
		request: `{"conv_id":"` + exampleID + `","msg_id":"` + helloID.String() + `"}`,
		answer:  wire.MessageOf(&hello),
	},
	"file.upload": {
		codes:   []int{4001, 4130, 4406, 4601},
		request: `{}`,
		answer:  reply.URL,
	},
}

// imported is what becomes of three users, the last of which has no valid id.
var imported = func() (a wire.ImportAnswer) {
	a.Add("Ann", true, nil, wire.English)
	a.Add("Bob", true, nil, wire.English)
	a.Add("no spaces", false, skein.About(skein.ErrInvalidClientID, "client_id"), wire.English)
	return a
}()
