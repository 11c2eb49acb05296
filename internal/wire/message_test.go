package wire

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/strict"
)

// full is a message with every field set.
func full() skein.Message {
	return skein.Message{
		ID: skein.ID{1, 2, 3}, Conv: skein.ID{4, 5, 6}, Seq: 7, Sender: "Tom", ClientMsgID: "a1",
		Status: skein.StatusNormal, Created: 1608126111686, Updated: 1608126111687,
		Body: skein.Body{
			Type: -2, Text: "héllo\n\"你好\" </script>\u2028😀", Attr: []byte(`{"w":1,"h":[2,null]}`), URL: "https://example.com/a?b=c&d=e",
			MentionAll: true, Mentions: []string{"Jerry", "Alex"}, ReplyTo: skein.ID{7, 8, 9}, NoSync: true,
		},
		Version: 2, Changed: 5, Pinned: 1608126111688,
		Reactions: []skein.Reaction{{Emoji: "👍", Count: 12, Clients: []string{"Alex", "Tom"}}, {Emoji: "ok", Count: 1, Clients: []string{"Tom"}}},
	}
}

// byTags is a struct as JSON as its tags say; a list that is nil is null, and a
// developer's JSON stays as it was written.
func byTags(t testing.TB, v any) []byte {
	t.Helper()
	type tagged Message // which has no method of its own to write it
	b, err := json.Marshal(v, json.FormatNilSliceAsNull(true), jsontext.PreserveRawStrings(true),
		json.WithMarshalers(json.MarshalToFunc(func(enc *jsontext.Encoder, m Message) error {
			return json.MarshalEncode(enc, tagged(m))
		})))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMessagesAreWrittenAsDocumented(t *testing.T) {
	m := full()
	m.Text = "HELLO !"
	const history = `{"msg_id":"01020300000000000000000000000000","conv_id":"04050600000000000000000000000000","type":-2,"text":"HELLO !",` +
		`"attr":{"w":1,"h":[2,null]},"url":"https://example.com/a?b=c&d=e","ctime":1608126111686,"msg_status":1,"no_sync":1,"mention_all":1,` +
		`"mention_client_ids":["Jerry","Alex"],"transient":0,"mtime":1608126111687,"client_id":"Tom","seq":7,"client_msg_id":"a1",` +
		`"reply_to":"07080900000000000000000000000000","version":2,"change_seq":5,"pin":1,` +
		`"reactions":[{"emoji":"👍","count":12,"client_ids":["Alex","Tom"]},{"emoji":"ok","count":1,"client_ids":["Tom"]}]}`
	const bare = `{"msg_id":"00000000000000000000000000000000","conv_id":"00000000000000000000000000000000","type":-1,"text":null,` +
		`"attr":null,"url":null,"ctime":0,"msg_status":3,"no_sync":0,"mention_all":0,"mention_client_ids":null,"transient":0,"mtime":null,` +
		`"client_id":"","seq":0,"client_msg_id":null,"reply_to":null,"version":0,"change_seq":0,"pin":0,"reactions":null}`
	const push = `{"type":"msg.new","data":{"from_client":"Tom","conv_id":"04050600000000000000000000000000",` +
		`"msg_id":"01020300000000000000000000000000","ctime":1608126111686,"type":-2,"text":"HELLO !","attr":{"w":1,"h":[2,null]},` +
		`"url":"https://example.com/a?b=c&d=e","transient":0,"mention_all":1,"mention_client_ids":["Jerry","Alex"],"seq":7,"conv_type":3,` +
		`"client_msg_id":"a1","reply_to":"07080900000000000000000000000000"}}`
	recalled := skein.Message{Status: skein.StatusRecalled, Body: skein.Body{Type: -1, Mentions: []string{}}}
	for name, tt := range map[string]struct {
		got  []byte
		want string
	}{
		"in the history": {MessageOf(&m).AppendJSON(nil), history},
		"recalled":       {MessageOf(&recalled).AppendJSON(nil), bare},
		"pushed":         {AppendNewMessage(nil, &skein.Committed{Message: m, ConvType: skein.Group}), push},
		"to its sender":  {SentOf(&m).AppendJSON(nil), `{"msg_id":"01020300000000000000000000000000","time":1608126111686,"seq":7}`},
		"transient":      {SentOf(&skein.Message{Created: 5}).AppendJSON(nil), `{"msg_id":"00000000000000000000000000000000","time":5,"seq":null}`},
		"a page":         {NewMessagePage(PageRequest{Page: 2, Size: 1}, []skein.Message{m}, 3).AppendJSON(nil), `{"current_page":2,"data":[` + history + `],"last_page":3,"per_page":1,"total":3}`},
		"an empty page":  {NewMessagePage(PageRequest{Page: 9, Size: 10}, nil, 0).AppendJSON(nil), `{"current_page":9,"data":[],"last_page":1,"per_page":10,"total":0}`},
		"a span":         {NewMessageSpan([]skein.Message{m, recalled}, true).AppendJSON(nil), `{"data":[` + history + `,` + bare + `],"has_more":true}`},
		"an empty span":  {NewMessageSpan(nil, false).AppendJSON(nil), `{"data":[],"has_more":false}`},
	} {
		if string(tt.got) != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", name, tt.got, tt.want)
		}
	}
}

// FuzzMessageJSON holds the frames that are written by hand to the tags of their
// structs: the same bytes as the JSON library writes, whatever a message holds.
func FuzzMessageJSON(f *testing.F) {
	m := full()
	f.Add(m.Sender, m.Text, m.URL, m.ClientMsgID, "Jerry", m.Attr, int64(m.Created), int64(m.Updated), m.Seq, m.Type, uint16(0xffff))
	f.Add("", "", "", "", "", []byte(nil), int64(0), int64(0), int64(0), 0, uint16(0))
	f.Add("a\x00", "\u2028\u2029<>&", "\"\\", "\x1f\x7f", "😀", []byte(`[1,"\u2028"]`), int64(-1), int64(1), int64(-1), -6, uint16(0x5555))
	f.Fuzz(func(t *testing.T, sender, text, url, clientMsgID, mention string, attr []byte, created, updated, seq int64, typ int, bits uint16) {
		for _, s := range []string{sender, text, url, clientMsgID, mention} {
			if !utf8.ValidString(s) {
				t.Skip("what is stored is UTF-8")
			}
		}
		bit := func(i int) bool { return bits>>i&1 == 1 }
		m := skein.Message{
			Seq: seq, Sender: sender, ClientMsgID: clientMsgID, Status: skein.Status(bits % 4),
			Created: skein.Millis(created), Updated: skein.Millis(updated),
			Body: skein.Body{Type: typ, Text: text, Attr: storedJSON(attr), URL: url, MentionAll: bit(0), Transient: bit(1), NoSync: bit(2)},
		}
		if bit(3) {
			m.ID, m.Conv, m.ReplyTo = skein.ID{byte(bits)}, skein.ID{1, byte(bits)}, skein.ID{2}
		}
		if bit(4) {
			m.Mentions = []string{mention, sender}
		}
		if bit(6) {
			m.Version, m.Changed, m.Pinned = typ, seq, skein.Millis(created)
			m.Reactions = []skein.Reaction{{Emoji: mention, Count: typ, Clients: []string{sender, text}}, {Emoji: url, Clients: []string{mention}}}
		}
		change := skein.Change{
			Seq: seq, Kind: skein.ChangeKind(bits>>7) % 6, By: sender, At: skein.Millis(created), Emoji: mention, On: bit(8), Message: m,
		}
		sent := skein.Committed{Message: m, ConvType: skein.ConvType(bits % 5)}
		page, span := NewMessagePage(PageRequest{Page: 1, Size: 2}, []skein.Message{m, m}, seq), NewMessageSpan([]skein.Message{m, m}, bit(5))
		same(t, MessageOf(&m).AppendJSON(nil), MessageOf(&m))
		same(t, NewMessageOf(&sent).AppendJSON(nil), NewMessageOf(&sent))
		same(t, SentOf(&m).AppendJSON(nil), SentOf(&m))
		same(t, page.AppendJSON(nil), page)
		same(t, span.AppendJSON(nil), span)
		same(t, AppendNewMessage(nil, &sent), struct {
			Type string     `json:"type"`
			Data NewMessage `json:"data"`
		}{"msg.new", NewMessageOf(&sent)})
		same(t, ChangeOf(m.Conv, &change).AppendJSON(nil), ChangeOf(m.Conv, &change))
		same(t, AppendUpdate(nil, m.Conv, &change), struct {
			Type string `json:"type"`
			Data Change `json:"data"`
		}{"msg.updated", ChangeOf(m.Conv, &change)})
		changes := NewChanges(m.Conv, []skein.Change{change, change}, bit(5), seq)
		same(t, changes.AppendJSON(nil), changes)
		content := RangeContent{LastSeq: seq, FloorSeq: created}
		content.FillMessages([]skein.Message{m, m}, bit(5))
		content.FillChanges(m.Conv, []skein.Change{change}, bit(6), updated)
		answers := RangeAnswers{NewRangeAnswer(m.Conv, content), {ConvID: sender, Refusal: &Refusal{typ, text}}}
		same(t, answers.AppendJSON(nil), answers)
		same(t, NewMessages([]skein.Message{m}).AppendJSON(nil), messagesOf([]skein.Message{m}))
	})
}

// storedJSON is bytes as the store holds an attr: JSON that was read strictly, made
// compact; or nothing.
func storedJSON(b []byte) []byte {
	if !jsontext.Value(b).IsValid() {
		return nil
	}
	v, err := strict.Value("attr", bytes.Clone(b), skein.MaxAttr)
	if err != nil {
		return nil
	}
	return v
}

func same(t *testing.T, got []byte, v any) {
	t.Helper()
	if want := byTags(t, v); !bytes.Equal(got, want) {
		t.Fatalf("%T: written by hand %s\nas its tags say %s", v, got, want)
	}
	if !jsontext.Value(got).IsValid() {
		t.Fatalf("%T: %s is no JSON", v, got)
	}
}

func TestAMessageWithinOtherThingsIsWrittenTheSame(t *testing.T) {
	for name, m := range map[string]skein.Message{"a full one": full(), "a blank one": {Status: skein.StatusRecalled}} {
		message := MessageOf(&m)
		got, err := json.Marshal(struct {
			Last *Message `json:"last"`
		}{&message})
		if want := `{"last":` + string(message.AppendJSON(nil)) + `}`; err != nil || string(got) != want {
			t.Errorf("%s:\n got %s and error %v\nwant %s", name, got, err, want)
		}
	}
}

func TestAppendNewMessageIntoARoomyBufferAllocatesNothing(t *testing.T) {
	sent := &skein.Committed{Message: full(), ConvType: skein.Group}
	buf := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { buf = AppendNewMessage(buf[:0], sent) }); n != 0 {
		t.Errorf("got %v allocations, want none", n)
	}
	messages := []skein.Message{full(), full()}
	span := NewMessageSpan(messages, true)
	if n := testing.AllocsPerRun(100, func() { buf = span.AppendJSON(buf[:0]) }); n != 0 {
		t.Errorf("a span: got %v allocations, want none", n)
	}
}

func BenchmarkMessageJSON(b *testing.B) {
	sent := &skein.Committed{Message: full(), ConvType: skein.Group}
	b.Run("by hand", func(b *testing.B) {
		buf := make([]byte, 0, 4096)
		b.ReportAllocs()
		for b.Loop() {
			buf = AppendNewMessage(buf[:0], sent)
		}
	})
	b.Run("by tags", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			byTags(b, NewMessageOf(sent))
		}
	})
}
