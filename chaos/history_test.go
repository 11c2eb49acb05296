package chaos

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// kind says what an event of the history is.
type kind string

const (
	kindApp   kind = "app"   // an app with its settings
	kindConv  kind = "conv"  // a conversation with who was in it from the start
	kindFault kind = "fault" // what was done to the server or the network
	kindLogin kind = "login" // a device asks for a new session
	kindCall  kind = "call"  // a call is about to be written
	kindReply kind = "reply" // its answer has come
	kindLost  kind = "lost"  // its answer will not come; the server may have done it, or do it yet
	kindLive  kind = "live"  // a msg.new or msg.updated has come, in the order of the socket
	kindFetch kind = "fetch" // a range of a conversation has come
	kindStart kind = "start" // a device begins its log of a conversation after Seq
	kindTake  kind = "take"  // a device puts a message into its log
	kindSkip  kind = "skip"  // a device passes over what it may not see any more, up to Seq
	kindApply kind = "apply" // a device applies a change
	kindGone  kind = "gone"  // a device lets go of a conversation
	kindHold  kind = "hold"  // at the end: what a device holds of a conversation
	kindView  kind = "view"  // at the end: a conversation as conv.list shows it
	kindTruth kind = "truth" // at the end: a conversation as the backend reads it
)

// event is one line of a history. N orders them: what was seen before something
// was done has the smaller N.
type event struct {
	N    int   `json:"n"`
	At   int64 `json:"at"` // ms since the beginning
	Kind kind  `json:"kind"`

	App     string `json:"app,omitempty"`
	Client  string `json:"client,omitempty"` // empty: the backend
	Device  string `json:"device,omitempty"`
	Session int    `json:"session,omitempty"` // which login of the device

	Call  string `json:"call,omitempty"` // the same in all attempts
	Op    string `json:"op,omitempty"`
	Args  *args  `json:"args,omitempty"`
	Code  int    `json:"code,omitempty"`
	Asked int    `json:"asked,omitempty"` // N of the attempt that is answered

	Conv     string    `json:"conv,omitempty"`
	Type     int       `json:"type,omitempty"`
	Private  bool      `json:"private,omitempty"` // history before joining is not seen
	Seq      int64     `json:"seq,omitempty"`
	Change   int64     `json:"change,omitempty"`
	MsgID    string    `json:"msg_id,omitempty"`
	Members  []string  `json:"members,omitempty"`
	Messages []message `json:"messages,omitempty"`
	Changes  []change  `json:"changes,omitempty"`
	View     *view     `json:"view,omitempty"`
	Text     string    `json:"text,omitempty"` // of a fault
}

// args are the fields of all calls, by their names on the wire.
type args struct {
	ConvID      string    `json:"conv_id,omitempty"`
	ClientID    string    `json:"client_id,omitempty"`
	ClientIDs   []string  `json:"client_ids,omitempty"`
	MsgID       string    `json:"msg_id,omitempty"`
	Type        int       `json:"type,omitempty"`
	Text        string    `json:"text,omitempty"`
	ClientMsgID string    `json:"client_msg_id,omitempty"`
	FromClient  string    `json:"from_client,omitempty"`
	ReplyTo     string    `json:"reply_to,omitempty"`
	Mentions    []string  `json:"mention_client_ids,omitempty"`
	MentionAll  int       `json:"mention_all,omitempty"`
	Emoji       string    `json:"emoji,omitempty"`
	On          *int      `json:"on,omitempty"`
	Seq         *int64    `json:"seq,omitempty"`
	ClearToSeq  *int64    `json:"clear_to_seq,omitempty"`
	Archive     *int      `json:"archive,omitempty"`
	Expected    int       `json:"expected_version,omitempty"`
	Cursor      string    `json:"cursor,omitempty"`
	Limit       int       `json:"limit,omitempty"`
	Ranges      []seqSpan `json:"ranges,omitempty"`
}

// seqSpan is one item of msg.ranges.
type seqSpan struct {
	ConvID      string `json:"conv_id"`
	AfterSeq    *int64 `json:"after_seq,omitempty"`
	AfterChange *int64 `json:"after_change,omitempty"`
	Limit       int    `json:"limit,omitempty"`
}

// message is a stored message as history, changes and msg.new show it.
type message struct {
	ID          string     `json:"msg_id"`
	Seq         int64      `json:"seq"`
	Sender      string     `json:"client_id,omitempty"`
	From        string     `json:"from_client,omitempty"` // msg.new calls the sender so
	ClientMsgID string     `json:"client_msg_id,omitempty"`
	Status      int        `json:"msg_status,omitempty"`
	Text        string     `json:"text,omitempty"`
	MentionAll  int        `json:"mention_all,omitempty"`
	Mentions    []string   `json:"mention_client_ids,omitempty"`
	ReplyTo     string     `json:"reply_to,omitempty"`
	Version     int        `json:"version,omitempty"`
	Change      int64      `json:"change_seq,omitempty"`
	Pin         int        `json:"pin,omitempty"`
	Reactions   []reaction `json:"reactions,omitempty"`
}

// Statuses of a message.
const (
	statusNormal   = 1
	statusDeleted  = 2
	statusRecalled = 3
)

// blank reports whether the message is only a number now.
func (m message) blank() bool { return m.Status == statusDeleted || m.Status == statusRecalled }

type reaction struct {
	Emoji   string   `json:"emoji"`
	Count   int      `json:"count"`
	Clients []string `json:"client_ids"`
}

// change is one line of a conversation's log of changes.
type change struct {
	ConvID  string   `json:"conv_id,omitempty"`
	Seq     int64    `json:"change_seq"`
	Kind    string   `json:"kind"`
	MsgID   string   `json:"msg_id,omitempty"`
	Client  string   `json:"client_id,omitempty"`
	Emoji   string   `json:"emoji,omitempty"`
	On      int      `json:"on,omitempty"`
	Message *message `json:"message,omitempty"`
}

// view is a conversation as one of its members sees it.
type view struct {
	ConvID     string   `json:"conv_id"`
	LastSeq    int64    `json:"last_seq"`
	LastChange int64    `json:"last_change"`
	ReadSeq    int64    `json:"read_seq"`
	Received   int64    `json:"received_seq"`
	Unread     int64    `json:"unread"`
	Mentions   int64    `json:"mentions"`
	JoinSeq    int64    `json:"join_seq"`
	FloorSeq   int64    `json:"floor_seq"`
	Role       string   `json:"role"`
	Last       *message `json:"last_message,omitempty"`
}

// history is the events of one round, in memory until the checker has read them.
type history struct {
	began time.Time

	mu     sync.Mutex
	events []event // guarded by mu
}

func newHistory() *history { return &history{began: time.Now()} }

// add notes an event and answers its place.
func (h *history) add(e event) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	e.N = len(h.events) + 1
	e.At = time.Since(h.began).Milliseconds()
	h.events = append(h.events, e)
	return e.N
}

// all is what was noted; nothing is added any more.
func (h *history) all() []event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.events
}

// writeHistory keeps events as JSON lines.
func writeHistory(path string, events []event) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	for i := range events {
		if err := enc.Encode(&events[i]); err != nil {
			f.Close()
			return err
		}
	}
	if err := w.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// readHistory is what writeHistory wrote.
func readHistory(path string) ([]event, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var events []event
	for dec := json.NewDecoder(bufio.NewReader(f)); dec.More(); {
		var e event
		if err := dec.Decode(&e); err != nil {
			return nil, fmt.Errorf("%s, event %d: %w", path, len(events)+1, err)
		}
		events = append(events, e)
	}
	return events, nil
}
