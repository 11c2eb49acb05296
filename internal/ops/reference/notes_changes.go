package reference

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
)

// liked is the first message of the talk as Tom edited it and Jerry liked it.
var liked = func() skein.Message {
	m := hello
	m.Text, m.Version, m.Updated, m.Changed = "HELLO, Jerry!", 2, edit.At, like.Seq
	m.Reactions = []skein.Reaction{{Emoji: "👍", Count: 1, Clients: []string{"Jerry"}}}
	return m
}()

// edited is the same before that.
var edited = func() skein.Message {
	m := liked
	m.Changed, m.Reactions = edit.Seq, nil
	return m
}()

// The first changes of the talk.
var (
	edit = skein.Change{Seq: 1, Kind: skein.ChangeEdit, By: "Tom", At: 1608126130001}
	like = skein.Change{Seq: 2, Kind: skein.ChangeReact, By: "Jerry", At: 1608126140002, Emoji: "👍", On: true}
)

// about is a change with the message as it is now.
func about(c skein.Change, m skein.Message) skein.Change {
	c.Message = m
	return c
}

const exampleMessage = `{"conv_id":"` + exampleID + `","msg_id":"01766bc91fc67b3e8d1f4a6b9c2d3e4f"`

var changeNotes = map[string]notes{
	"msg.edit": {
		codes:   []int{212, 4001, 4011, 4012, 4013, 4130, 4406},
		request: exampleMessage + `,"text":"HELLO, Jerry!","expected_version":1}`,
		answer:  wire.MessageOf(&edited),
	},
	"msg.recall": {
		codes:   []int{4011, 4012},
		request: exampleMessage + `}`,
		answer:  wire.Done,
	},
	"msg.delete": {
		codes:   []int{211, 212, 4001, 4011, 4012},
		request: exampleMessage + `,"client_id":"Jerry"}`,
		answer:  wire.Done,
	},
	"msg.react": {
		codes:   []int{211, 212, 4001, 4011, 4012, 4013, 4130, 4406},
		request: exampleMessage + `,"emoji":"👍","on":1,"client_id":"Jerry"}`,
		answer:  wire.MessageOf(&liked),
	},
	"msg.pin": {
		codes:   []int{4011, 4012, 4013, 4130, 4406},
		request: exampleMessage + `,"on":1}`,
		answer:  wire.Done,
	},
	"msg.pins": {
		codes:   []int{4011},
		request: `{"conv_id":"` + exampleID + `"}`,
		answer: wire.NewMessages([]skein.Message{func() skein.Message {
			m := liked
			m.Changed, m.Pinned = like.Seq+1, changed
			return m
		}()}),
	},
	"changes": {
		codes:   []int{4011, 4406},
		request: `{"conv_id":"` + exampleID + `","after_change":0,"limit":50}`,
		answer:  wire.NewChanges(exampleConv, []skein.Change{about(edit, liked), about(like, liked)}, false, like.Seq),
	},
	"msg.ranges": {
		codes:   []int{211, 212, 4001, 4406},
		request: `{"ranges":[{"conv_id":"` + exampleID + `","after_seq":1,"after_change":1},{"conv_id":"` + roomID + `","after_seq":0}],"client_id":"Tom"}`,
		answer:  exampleRanges(),
	},
}

func exampleRanges() wire.RangeAnswers {
	c := wire.RangeContent{LastSeq: reply.Seq}
	c.FillMessages([]skein.Message{reply}, false)
	c.FillChanges(exampleConv, []skein.Change{about(like, liked)}, false, like.Seq)
	return wire.RangeAnswers{
		wire.NewRangeAnswer(exampleConv, c),
		wire.NewRangeRefusal(roomID, skein.ErrUnknownConversation, wire.Chinese),
	}
}
