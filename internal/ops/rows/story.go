package rows

import (
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

// The examples tell of one conversation, so that a reader meets the same people again:
// Tom writes, Jerry answers with a picture, Tom edits, Jerry likes it.
const (
	ExampleApp  = "666666"
	ExampleConv = "cd7fc5304f56f52488d5246b0ebbdbfb" // of the original document

	roomID    = "1f6f3a41b5f14b0f8f0e9d7f6a0b2c3d" // a chat room
	helloID   = "01766bc91fc67b3e8d1f4a6b9c2d3e4f"
	replyID   = "01766bc93ba17c5f9e20b1c2d3e4f506"
	untilThen = "4102444800000" // 2100, so that the examples do not grow old

	convField    = `{"conv_id":"` + ExampleConv + `"`
	messageField = convField + `,"msg_id":"` + helloID + `"`

	created, changed skein.Millis = 1608125000000, 1608126100000
)

// idOf is for the constants above.
func idOf(text string) skein.ID {
	id, _ := skein.ParseID(text)
	return id
}

func hello() skein.Message {
	return skein.Message{
		ID: idOf(helloID), Conv: idOf(ExampleConv), Seq: 1, Sender: "Tom", ClientMsgID: "a1", Status: skein.StatusNormal, Created: 1608126111686, Version: 1,
		Body: skein.Body{Type: skein.TypeText, Text: "HELLO !"},
	}
}

func reply() skein.Message {
	return skein.Message{
		ID: idOf(replyID), Conv: idOf(ExampleConv), Seq: 2, Sender: "Jerry", Status: skein.StatusNormal, Created: 1608126118817, Version: 1,
		Body: skein.Body{
			Type: skein.TypeImage, URL: "http://127.0.0.1:8080/storage/uploads/7de523065e29c5526b7f1f8b15030df3.jpg",
			Attr: []byte(`{"width":1080,"height":1440}`), Mentions: []string{"Tom"}, ReplyTo: idOf(helloID),
		},
	}
}

// edit and like are the first changes of the conversation, each with the message as it
// is after both.
func edit() skein.Change {
	return skein.Change{Seq: 1, Kind: skein.ChangeEdit, By: "Tom", At: 1608126130001, Message: liked()}
}

func like() skein.Change {
	return skein.Change{Seq: 2, Kind: skein.ChangeReact, By: "Jerry", At: 1608126140002, Emoji: "👍", On: true, Message: liked()}
}

// edited is hello after the edit.
func edited() skein.Message {
	m := hello()
	m.Text, m.Version, m.Updated, m.Changed = "HELLO, Jerry!", 2, 1608126130001, 1
	return m
}

// liked is hello after both changes.
func liked() skein.Message {
	m := edited()
	m.Changed, m.Reactions = 2, []skein.Reaction{{Emoji: "👍", Count: 1, Clients: []string{"Jerry"}}}
	return m
}

func talk() skein.Conversation {
	return skein.Conversation{
		App: ExampleApp, ID: idOf(ExampleConv), Type: skein.Group, Creator: "Tom", Extend: []byte(`{"conv_name":"just test"}`),
		Members: 3, LastSeq: 2, Created: created, Updated: changed, Active: reply().Created,
	}
}

// view is the conversation as Tom sees it, who has not read the reply.
func view() skein.View {
	last := reply()
	return skein.View{
		Conversation: talk(),
		Member: skein.Member{
			Client: "Tom", Role: skein.RoleOwner, Joined: created, JoinSeq: 1, SentSeq: 1, ReceivedSeq: 2,
			Marks: skein.Marks{Pinned: changed, Draft: "See you"},
		},
		Mentions: 1, Last: &last,
		Rights: skein.Rights{
			Send: true, MentionAll: true, Pin: true, Add: true, Remove: true, SetRole: true, Leave: true,
			EditInfo: true, Delete: true, MuteAll: true,
		},
	}
}

func answeredView() wire.View {
	v := view()
	return wire.ViewOf(&v, time.UTC)
}

// readView is view once Tom has read the reply.
func readView() skein.View {
	v := view()
	v.Member.ReadSeq, v.Mentions = 2, 0
	return v
}

// userCalled is a user without changes, as the backend reads it.
func userCalled(name string) skein.Client {
	return skein.Client{App: ExampleApp, ID: name, Created: created}
}

func mary(nickname string, updated skein.Millis) wire.User {
	c := userCalled("Mary")
	c.Ext, c.Updated = []byte(`{"nickname":"`+nickname+`"}`), updated
	return exampleUser(c)
}

func exampleUser(c skein.Client) wire.User {
	return wire.UserOf(c, reply().Created, time.UTC, skein.Actor{})
}

func firstPage(size int) wire.PageRequest { return wire.PageRequest{Page: 1, Size: size} }
