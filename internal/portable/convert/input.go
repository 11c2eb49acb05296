package convert

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/portable"
	"github.com/skein-im/skein/internal/portable/convert/sorter"
)

// Input takes the records of the source. All conversations and standings must come before the
// first message. Otherwise any order is allowed, as long as it is the same each time. One
// goroutine uses it. Errors are those of the disk.
type Input struct {
	ctx    context.Context //nolint:containedctx // of the one call of Run that it lives in
	report *report
	people *clients

	conversations *sorter.Sorter // by id
	standings     *sorter.Sorter // by conversation
	messages      *sorter.Sorter // by creation of the conversation, then by conversation, time and tie
	strays        *sorter.Sorter // messages of conversations that are missing
	ids           *sorter.Sorter // message ids and where they are

	index    *index // nil until the first message
	folder   *portable.Writer
	files    map[string]bool   // names in the folder
	ready    *sorter.Sorter    // conversations in their final form, in order of creation
	skipped  map[skein.ID]Line // conversations that are left out; the lines count their messages
	source   string
	progress func(stage string, n int64)
	taken    int64
}

// Left accounts for a record that the converter leaves out: refused, skipped or merged.
func (in *Input) Left(l Line) error {
	in.report.in[l.Kind] += max(l.Count, 1)
	return in.report.add(l)
}

// Tell adds a line about something that is worth knowing but is no record.
func (in *Input) Tell(l Line) error {
	l.Outcome = Noted
	return in.report.add(l)
}

// Note counts something that is worth knowing.
func (in *Input) Note(kind Kind, why string) { in.report.count(kind, Noted, why, 1) }

// Skip leaves out a conversation. Its line counts the messages that name it.
func (in *Input) Skip(conv skein.ID, l Line) error {
	in.report.in[OfConversation]++
	l.Kind, l.Outcome, l.Conv = OfConversation, Skipped, conv.String()
	if _, twice := in.skipped[conv]; twice {
		l.Outcome, l.Why = Merged, convTwice
		return in.report.add(l)
	}
	in.report.count(OfConversation, Skipped, l.Why, 1)
	in.skipped[conv] = l
	return nil
}

// Saw records that a client existed at a time.
func (in *Input) Saw(id string, at int64) error {
	if id, ok := in.people.id(id); ok && validTime(at) {
		return in.people.saw(id, at)
	}
	return nil
}

// Client takes a client, which perhaps appears nowhere else. created is when it was created;
// zero if the source does not say.
func (in *Input) Client(id string, created int64, from Origin) error {
	in.report.in[OfClient]++
	if id, ok := in.people.id(id); ok {
		if !validTime(created) {
			created = neverSeen
		}
		return in.people.saw(id, created)
	}
	return in.report.add(Line{Kind: OfClient, Outcome: Refused, Why: clientRefused, ID: from.ID, Client: id, At: from.At, Raw: from.Raw})
}

// File takes a file with its content. Files with the same name are the same file. Errors are
// also those of content.
func (in *Input) File(f portable.File, content io.Reader) error {
	in.report.in[OfRow]++
	if in.files[f.Name] {
		in.report.count(OfRow, Merged, fileTwice, 1)
		return nil
	}
	if err := in.folder.File(f, content); err != nil {
		return err
	}
	in.files[f.Name] = true
	in.report.out[OfRow]++
	return nil
}

const fileTwice = "a file with the content of another one"

// encode and decode convert records for a sorter.
func encode(v any) ([]byte, error) { return json.Marshal(v, json.Deterministic(true), lenient) }

func decode(data []byte, v any) error { return json.Unmarshal(data, v, lenient) }

// Conversation takes a conversation.
func (in *Input) Conversation(c Conversation) error {
	in.report.in[OfConversation]++
	in.report.in[OfMember] += int64(len(c.Members))
	if in.index != nil {
		return errors.New("convert: a conversation after the first message")
	}
	if c.Record.ID.IsZero() || !validTime(c.Record.Created) {
		return in.refuseConversation(&c)
	}
	var err error
	if c.Record.Extend, err = in.extend(&c); err != nil {
		return err
	}
	if c.Record.Unknown, err = in.unknown(c.Record.Unknown, Line{Kind: OfConversation, ID: c.ID, Conv: c.Record.ID.String(), At: c.At, Raw: c.Raw}); err != nil {
		return err
	}
	c.Extend = nil
	value, err := encode(c)
	if err != nil {
		return fmt.Errorf("conversation %s: %w", c.ID, err)
	}
	return in.conversations.Add(c.Record.ID[:], value)
}

func (in *Input) refuseConversation(c *Conversation) error {
	in.report.count(OfMember, Refused, ofRefused, int64(len(c.Members)))
	return in.report.add(Line{Kind: OfConversation, Outcome: Refused, Why: convUnusable, ID: c.Origin.ID, At: c.At, Raw: c.Raw})
}

// Standing takes the role and restrictions of a client in a conversation.
func (in *Input) Standing(s Standing) error {
	in.report.in[OfRow]++
	value, err := encode(s)
	if err != nil {
		return fmt.Errorf("standing %s: %w", s.ID, err)
	}
	return in.standings.Add(s.Conv[:], value)
}

// Reasons to refuse a message.
const (
	noID          = "no msg_id that can be read"
	noConv        = "names no conversation"
	noTime        = "no time that can be read"
	clientRefused = "client_id: not 1 to 64 of A-Z a-z 0-9 _ - . @ : (--rename gives it another)"
	ofRefused     = "of a conversation that is refused"
	convUnusable  = "no id or no time that can be read"
	convTwice     = "the conversation was read twice; the newer one counts"
	ofSkipped     = "of a conversation that is skipped"
	badMention    = "mention_client_ids: left out what no client can have, or is beyond 100"
)

// Message takes a message.
func (in *Input) Message(m Message) error {
	in.report.in[OfMessage]++
	if in.index == nil {
		if err := in.closeConversations(); err != nil {
			return err
		}
	}
	in.taken++
	if in.progress != nil && in.taken%4096 == 0 {
		in.progress("read", in.taken)
		if err := in.ctx.Err(); err != nil {
			return err
		}
	}
	if l, skip := in.skipped[m.Record.Conv]; skip {
		l.Messages++
		in.skipped[m.Record.Conv] = l
		in.report.count(OfMessage, Skipped, ofSkipped, 1)
		return nil
	}
	line := Line{
		Kind: OfMessage, Outcome: Refused, ID: m.Origin.ID, Client: m.Record.Sender, At: m.At, Raw: m.Raw,
	}
	if !m.Record.Conv.IsZero() {
		line.Conv = m.Record.Conv.String()
	}
	switch sender, ok := in.people.id(m.Record.Sender); {
	case m.Record.ID.IsZero():
		line.Why = noID
	case m.Record.Conv.IsZero():
		line.Why = noConv
	case !validTime(m.Record.Created):
		line.Why = noTime
	case !ok:
		line.Why = clientRefused
	default:
		m.Record.Sender = sender
		return in.keep(&m, line)
	}
	return in.report.add(line)
}

// keep adds a message that Skein allows.
func (in *Input) keep(m *Message, line Line) error {
	changes := m.fit()
	if in.mentions(&m.Record) {
		changes = append(changes, badMention)
	}
	line.Outcome = Changed
	for _, why := range changes {
		if !lossy(why) {
			in.report.count(OfMessage, Changed, why, 1)
			continue
		}
		line.Why = why
		if err := in.report.add(line); err != nil {
			return err
		}
	}
	m.Record.Updated = clampTime(m.Record.Updated)
	var err error
	if m.Record.Unknown, err = in.unknown(m.Record.Unknown, line); err != nil {
		return err
	}
	created, known := in.index.created(m.Record.Conv)
	to := in.messages
	if !known {
		to = in.strays
	}
	key := messageKey(created, &m.Record, m.Tie)
	if err := in.ids.Add(idKey(m.Record.ID, &m.Record, m.Tie), nil); err != nil {
		return err
	}
	value, err := encode(&kept{m.Record, m.Newest, m.Received, m.Room, m.At})
	if err != nil {
		return fmt.Errorf("message %s: %w", m.Origin.ID, err)
	}
	return to.Add(key, value)
}

// kept is a message in a sorter. Its key has the other fields.
type kept struct {
	M        portable.Message
	Newest   int64
	Received bool
	Room     bool
	At       string
}

// messageKey orders messages as the folder does: conversations by creation and id, then messages
// by time and tie.
func messageKey(created int64, m *portable.Message, tie string) []byte {
	key := make([]byte, 0, 8+16+8+len(tie))
	key = binary.BigEndian.AppendUint64(key, uint64(created))
	key = append(key, m.Conv[:]...)
	key = binary.BigEndian.AppendUint64(key, uint64(m.Created))
	return append(key, tie...)
}

// idKey orders the uses of message ids by id, then by time.
func idKey(id skein.ID, m *portable.Message, tie string) []byte {
	key := make([]byte, 0, 16+8+16+len(tie))
	key = binary.BigEndian.AppendUint64(append(key, id[:]...), uint64(m.Created))
	return append(append(key, m.Conv[:]...), tie...)
}

// unknown returns the fields that Skein does not know, if it can store them.
func (in *Input) unknown(v jsontext.Value, line Line) (jsontext.Value, error) {
	if v == nil {
		return nil, nil
	}
	if v, _, err := Compact(v); err == nil && v.Kind() == '{' && len(v) <= maxUnknown {
		return v, nil
	}
	line.Outcome, line.Why = Changed, unknownLost
	return nil, in.report.add(line)
}

const (
	maxUnknown  = 64 << 10
	unknownLost = "further fields: over 64 KiB, or JSON that Skein does not take; left out, the whole is in this line"
)

// mentions replaces the mentioned ids by Skein's. It reports whether it had to drop any.
func (in *Input) mentions(m *portable.Message) (lost bool) {
	var list []string
	for _, source := range m.Mentions {
		id, ok := in.people.id(source)
		if !ok || len(list) == skein.MaxMentions {
			lost = true
			continue
		}
		list = append(list, id)
	}
	m.Mentions = list
	return lost
}

func validTime(t int64) bool { return t > 0 && t < int64(skein.Forever) }

// clampTime returns t, or zero if t is no valid time.
func clampTime(t int64) int64 {
	if !validTime(t) {
		return 0
	}
	return t
}
