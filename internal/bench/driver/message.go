package driver

import (
	"bytes"
	"strconv"

	"github.com/skein-im/skein/internal/bench/ledger"
)

// What frames begin with.
var (
	Pushed    = []byte(`{"type":"msg.new"`)
	Answered  = []byte(`{"type":"msg.send.success"`)
	Ponged    = []byte(`{"type":"pong"`)
	Kicked    = []byte(`{"type":"logout.kick"`)
	IsError   = []byte(`.error"`)
	Faultless = []byte(`{"type":"error"`)
)

// TextBytes is how long a message's text is.
const TextBytes = 100

// AppendText is the text of a sender's nth message: who and which, then padding.
func AppendText(b []byte, who, n uint32, padding string) []byte {
	start := len(b)
	b = append(b, 's')
	b = strconv.AppendUint(b, uint64(who), 10)
	b = append(b, 'n')
	b = strconv.AppendUint(b, uint64(n), 10)
	b = append(b, ' ')
	return append(b, padding[:max(0, TextBytes-(len(b)-start))]...)
}

// parseText is what appendText wrote.
func parseText(text []byte) (who, n uint32, ok bool) {
	rest, ok := bytes.CutPrefix(text, []byte("s"))
	if !ok {
		return 0, 0, false
	}
	head, _, ok := bytes.Cut(rest, []byte(" "))
	if !ok {
		return 0, 0, false
	}
	first, second, ok := bytes.Cut(head, []byte("n"))
	if !ok {
		return 0, 0, false
	}
	a, err := strconv.ParseUint(string(first), 10, 32)
	if err != nil {
		return 0, 0, false
	}
	b, err := strconv.ParseUint(string(second), 10, 32)
	return uint32(a), uint32(b), err == nil
}

// Body is the fields of a msg.send without what differs between socket and REST.
type Body struct {
	Conv    string
	Tag     string // begins client_msg_id; empty: none
	Padding string
}

// Append appends the fields of the nth message of a sender.
func (m Body) Append(b []byte, who, n uint32) []byte {
	b = append(b, `"type":-1,"text":"`...)
	b = AppendText(b, who, n, m.Padding)
	b = append(b, '"')
	if m.Tag == "" {
		return b
	}
	b = append(b, `,"client_msg_id":"`...)
	b = append(b, m.Tag...)
	b = append(b, '-')
	b = strconv.AppendUint(b, uint64(who), 10)
	b = append(b, '-')
	b = strconv.AppendUint(b, uint64(n), 10)
	return append(b, '"')
}

// AppendCommand is the msg.send of a sender's nth message; its id is n.
func (m Body) AppendCommand(b []byte, who, n uint32) []byte {
	b = append(b, `{"type":"msg.send","id":"`...)
	b = strconv.AppendUint(b, uint64(n), 10)
	b = append(b, `","data":{"conv_id":"`...)
	b = append(b, m.Conv...)
	b = append(b, `",`...)
	return append(m.Append(b, who, n), `}}`...)
}

// Our texts hold no quotes, so a name in quotes is found where the frame has it
// without reading all of its JSON: at 200,000 deliveries a second that would cost
// more than the server.

// after is what follows the first key; nil where there is none.
func after(frame []byte, key string) []byte {
	at := bytes.Index(frame, []byte(key))
	if at < 0 {
		return nil
	}
	return frame[at+len(key):]
}

// Number is the integer behind the first key; -1 where there is none.
func Number(frame []byte, key string) int64 {
	rest := after(frame, key)
	n := int64(0)
	i := 0
	for ; i < len(rest) && rest[i] >= '0' && rest[i] <= '9'; i++ {
		n = n*10 + int64(rest[i]-'0')
	}
	if i == 0 {
		return -1
	}
	return n
}

// Text is the string behind the first key, without escapes.
func Text(frame []byte, key string) []byte {
	value, _, ok := bytes.Cut(after(frame, key), []byte{'"'})
	if !ok {
		return nil
	}
	return value
}

// ParsePush reads what the ledger compares of a msg.new.
func ParsePush(frame []byte) (seq int64, m ledger.Message, ok bool) {
	m.Sender, m.N, ok = parseText(Text(frame, `"text":"`))
	m.ID = ledger.Hash(Text(frame, `"msg_id":"`))
	seq = Number(frame, `"seq":`)
	return seq, m, ok && seq > 0
}

// ParseAnswer reads the answer to the nth msg.send of who.
func ParseAnswer(frame []byte, who uint32) (seq int64, m ledger.Message, ok bool) {
	n := Number(frame, `"id":"`)
	seq = Number(frame, `"seq":`)
	m = ledger.Message{Sender: who, N: uint32(n), ID: ledger.Hash(Text(frame, `"msg_id":"`))}
	return seq, m, n >= 0 && seq > 0
}
