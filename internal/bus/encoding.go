package bus

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/skein-im/skein"
)

// An encoded event is a row of fields, each a tag, the length of the value and the value.
// Fields that are zero are left out. A node skips the tags that it does not know, so nodes
// of two versions can share a bus. A tag is never given a second meaning.
const (
	tagApp byte = iota + 1
	tagFrame
	tagKind
	tagConv
	tagSeq
	tagChange
	tagAbout
	tagAudience
	tagRosterRev
	tagAlso
	tagBlind
	tagBlank
	tagSender
	tagToSender
	tagDevice
	tagSession
	tagDoorbell
	tagCut
	tagResync
	tagSessions
	tagDeed
	tagStamp
	tagTrace
)

// Marshal encodes an event for another node.
func Marshal(e *Event) []byte {
	const fixed, member = 160, 24
	w := writer(make([]byte, 0, fixed+len(e.Frame)+len(e.Blank)+member*(len(e.Audience)+len(e.Also)+len(e.Blind))))
	w.text(tagApp, e.App)
	w.bytes(tagFrame, e.Frame)
	w.number(tagKind, int64(e.Kind))
	if !e.Conv.IsZero() {
		w.bytes(tagConv, e.Conv[:])
	}
	w.number(tagSeq, e.Seq)
	w.number(tagChange, e.Change)
	w.number(tagAbout, e.About)
	w.listeners(tagAudience, e.Audience)
	w.number(tagRosterRev, e.RosterRev)
	w.texts(tagAlso, e.Also)
	w.texts(tagBlind, e.Blind)
	w.bytes(tagBlank, e.Blank)
	w.text(tagSender, e.Sender)
	w.flag(tagToSender, e.ToSender)
	w.text(tagDevice, e.Device)
	w.text(tagSession, e.Session)
	w.flag(tagDoorbell, e.Doorbell)
	w.number(tagDeed, int64(e.Deed))
	w.number(tagStamp, e.Stamp)
	if !e.Trace.IsZero() {
		w.bytes(tagTrace, append(e.Trace.ID[:], e.Trace.Span[:]...))
	}
	if e.Cut != nil {
		w.json(tagCut, e.Cut)
	}
	w.flag(tagResync, e.Resync)
	if e.Sessions != nil {
		w.json(tagSessions, e.Sessions)
	}
	return w
}

// ErrMalformed is the error of Unmarshal about what is not an encoded event.
var ErrMalformed = errors.New("malformed event")

// Unmarshal decodes what Marshal wrote. The event keeps data: the caller must not write to
// it any more. An event that cannot be read counts as lost. Errors: ErrMalformed.
func Unmarshal(data []byte) (*Event, error) {
	e := new(Event)
	r := reader{data: data}
	for r.at < len(data) && !r.bad {
		tag := data[r.at]
		r.at++
		r.value(e, tag)
	}
	if r.bad {
		return nil, ErrMalformed
	}
	return e, nil
}

// value reads the value of one field.
func (r *reader) value(e *Event, tag byte) {
	f := r.field()
	switch tag {
	case tagApp:
		e.App = f.string()
	case tagFrame:
		e.Frame = f.bytes()
	case tagKind:
		e.Kind = skein.EventSet(f.number())
	case tagConv:
		f.bad = copy(e.Conv[:], f.bytes()) != len(e.Conv)
	case tagSeq:
		e.Seq = f.number()
	case tagChange:
		e.Change = f.number()
	case tagAbout:
		e.About = f.number()
	case tagAudience:
		e.Audience = f.listeners()
	case tagRosterRev:
		e.RosterRev = f.number()
	case tagAlso:
		e.Also = f.strings()
	case tagBlind:
		e.Blind = f.strings()
	case tagBlank:
		e.Blank = f.bytes()
	case tagSender:
		e.Sender = f.string()
	case tagToSender:
		e.ToSender = true
	case tagDevice:
		e.Device = f.string()
	case tagSession:
		e.Session = f.string()
	case tagDoorbell:
		e.Doorbell = true
	case tagDeed:
		e.Deed = uint64(f.number())
	case tagStamp:
		e.Stamp = f.number()
	case tagTrace:
		b := f.bytes()
		f.bad = copy(e.Trace.Span[:], b[copy(e.Trace.ID[:], b):]) != len(e.Trace.Span)
	case tagCut:
		e.Cut = new(skein.Cut)
		f.bad = json.Unmarshal(f.bytes(), e.Cut) != nil //nolint:musttag // a domain type has no tags; only nodes read it
	case tagResync:
		e.Resync = true
	case tagSessions:
		e.Sessions = new(Sessions)
		f.bad = json.Unmarshal(f.bytes(), e.Sessions) != nil //nolint:musttag // as above
	}
	r.bad = r.bad || f.bad
}

// writer appends fields.
type writer []byte

func (w *writer) head(tag byte, length int) {
	*w = binary.AppendUvarint(append(*w, tag), uint64(length))
}

func (w *writer) bytes(tag byte, b []byte) {
	if b != nil {
		w.head(tag, len(b))
		*w = append(*w, b...)
	}
}

func (w *writer) text(tag byte, s string) {
	if s != "" {
		w.head(tag, len(s))
		*w = append(*w, s...)
	}
}

func (w *writer) number(tag byte, n int64) {
	if n != 0 {
		var b [binary.MaxVarintLen64]byte
		w.bytes(tag, b[:binary.PutVarint(b[:], n)])
	}
}

func (w *writer) flag(tag byte, set bool) {
	if set {
		w.head(tag, 0)
	}
}

// texts writes a list that may be empty: nil and an empty list are different.
func (w *writer) texts(tag byte, all []string) {
	if all == nil {
		return
	}
	length := 0
	for _, s := range all {
		length += lengthOf(len(s)) + len(s)
	}
	w.head(tag, length)
	for _, s := range all {
		*w = append(binary.AppendUvarint(*w, uint64(len(s))), s...)
	}
}

// listeners writes the clients with their marks.
func (w *writer) listeners(tag byte, all []skein.Listener) {
	if all == nil {
		return
	}
	length := 0
	for i := range all {
		length += lengthOf(len(all[i].Client)) + len(all[i].Client) + 4
	}
	w.head(tag, length)
	for i := range all {
		*w = append(binary.AppendUvarint(*w, uint64(len(all[i].Client))), all[i].Client...)
		*w = binary.LittleEndian.AppendUint32(*w, all[i].Mark)
	}
}

// json writes what is rare, and so carries whatever it comes to hold.
func (w *writer) json(tag byte, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("%+v cannot be encoded: %v", v, err)) // it is made of text and numbers
	}
	w.bytes(tag, data)
}

// lengthOf is how many bytes a length takes.
func lengthOf(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// reader reads fields. The frames share data; texts are copies, one for each field.
type reader struct {
	data []byte
	at   int
	bad  bool
}

// field is a reader of the next value alone.
func (r *reader) field() reader {
	from, to := r.span()
	return reader{data: r.data[from:to:to]}
}

// span is where the next value with a length before it lies; at is behind it then.
func (r *reader) span() (from, to int) {
	length, n := binary.Uvarint(r.data[r.at:])
	if n <= 0 || length > uint64(len(r.data)-r.at-n) {
		r.bad, r.at = true, len(r.data)
		return r.at, r.at
	}
	from = r.at + n
	r.at = from + int(length)
	return from, r.at
}

func (r *reader) string() string { return string(r.data) }
func (r *reader) bytes() []byte  { return r.data }

func (r *reader) number() int64 {
	n, used := binary.Varint(r.data)
	r.bad = r.bad || used <= 0
	return n
}

func (r *reader) strings() []string {
	text := string(r.data)
	all := make([]string, 0, min(len(r.data), 64))
	for r.at < len(r.data) {
		from, to := r.span()
		all = append(all, text[from:to])
	}
	return all
}

func (r *reader) listeners() []skein.Listener {
	const mark, least = 4, 6 // bytes: of a mark, of the shortest listener
	text := string(r.data)
	all := make([]skein.Listener, 0, min(len(r.data)/least, 64))
	for r.at < len(r.data) && !r.bad {
		from, to := r.span()
		if r.bad = r.bad || len(r.data)-to < mark; r.bad {
			break
		}
		r.at = to + mark
		all = append(all, skein.Listener{Client: text[from:to], Mark: binary.LittleEndian.Uint32(r.data[to:])})
	}
	return all
}
