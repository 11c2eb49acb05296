package chaos

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// never is a place in the history after all others.
const never = math.MaxInt

// who is a client of an app in a conversation.
type who struct{ client, conv string }

// attempt is one time that a call was made.
type attempt struct {
	asked    int // N of the call
	answered int // N of the answer; never: it was lost
	reply    event
}

// deedDone is one call with all its attempts.
type deedDone struct {
	event // the first attempt

	attempts []attempt
}

// answered is when it was first answered, with any code; never: not at all.
func (d *deedDone) answered() int {
	at := never
	for _, a := range d.attempts {
		at = min(at, a.answered)
	}
	return at
}

// succeeded are the attempts that were answered with code 0.
func (d *deedDone) succeeded() []attempt {
	return slices.DeleteFunc(slices.Clone(d.attempts), func(a attempt) bool {
		return a.answered == never || a.reply.Code != 0
	})
}

// span of time in which somebody was certainly no member.
type absence struct{ from, to int }

// stay is one coming of a member: between from and to it came in.
type stay struct{ from, to int }

// facts are a history, sorted.
type facts struct {
	events  []event
	private map[string]bool   // apps
	conv    map[string]event  // kindConv by id
	deleted map[string]bool   // conversations, perhaps
	truth   map[string]*event // by conv
	byID    map[string]message
	clients map[string]string // app of each

	deeds    []*deedDone // in the order they were begun
	sends    map[string]*deedDone
	sessions map[string]int // N of the login, by device and session

	moves map[who][]move
}

// move is somebody coming or going.
type move struct {
	in       bool
	certain  bool // it was answered, and did what it should
	from, to int
}

func gather(events []event) *facts {
	f := &facts{
		events: events, private: map[string]bool{}, conv: map[string]event{}, deleted: map[string]bool{},
		truth: map[string]*event{}, byID: map[string]message{}, clients: map[string]string{},
		sends: map[string]*deedDone{}, sessions: map[string]int{}, moves: map[who][]move{},
	}
	calls := map[string]*deedDone{}
	for i := range events {
		f.note(&events[i], calls)
	}
	for _, d := range f.deeds {
		f.moved(d)
	}
	return f
}

func (f *facts) note(e *event, calls map[string]*deedDone) {
	if e.Client != "" {
		f.clients[e.Client] = e.App
	}
	switch e.Kind {
	case kindApp:
		f.private[e.App] = e.Private
	case kindConv:
		f.conv[e.Conv] = *e
	case kindTruth:
		f.truth[e.Conv] = e
		for _, m := range e.Messages {
			f.byID[m.ID] = m
		}
	case kindLogin:
		f.sessions[session(*e)] = e.N
	case kindCall:
		if e.Call == "" {
			return // a fetch, which its answer tells of
		}
		d := calls[e.Call]
		if d == nil {
			d = &deedDone{event: *e}
			calls[e.Call] = d
			f.deeds = append(f.deeds, d)
		}
		d.attempts = append(d.attempts, attempt{asked: e.N, answered: never})
		if e.Op == "msg.send" {
			f.sends[e.Conv+e.Args.ClientMsgID] = d
		}
		if e.Op == "conv.delete" {
			f.deleted[e.Conv] = true
		}
	case kindReply:
		d := calls[e.Call]
		for i := range d.attempts {
			if d.attempts[i].asked == e.Asked {
				d.attempts[i].answered, d.attempts[i].reply = e.N, *e
			}
		}
	}
}

// session names one socket of a device.
func session(e event) string { return fmt.Sprintf("%s:%d", deviceOf(e), e.Session) }

// deviceOf names a device.
func deviceOf(e event) string { return e.App + "/" + e.Client + "/" + e.Device }

const (
	codeForbidden = 4004 // answers a leave of who has left
	codeConflict  = 4013 // answers a client_msg_id that is another message's
)

func (f *facts) moved(d *deedDone) {
	m := move{from: d.N, to: d.answered()}
	switch d.Op {
	case "conv.members.add", "conv.join":
		m.in = true
	case "conv.members.remove", "conv.leave":
	default:
		return
	}
	for _, a := range d.attempts {
		if a.answered == m.to {
			m.certain = a.reply.Code == 0 || !m.in && a.reply.Code == codeForbidden
		}
	}
	for _, client := range d.Args.ClientIDs {
		w := who{client, d.Conv}
		f.moves[w] = append(f.moves[w], m)
	}
}

// absences are when somebody was certainly no member of a conversation.
func (f *facts) absences(w who) []absence {
	var out []absence
	since := 0 // certainly out since then; never: in, or nobody knows
	if slices.Contains(f.conv[w.conv].Members, w.client) {
		since = never
	}
	for _, m := range f.moves[w] {
		if since != never {
			out = append(out, absence{since, m.from})
		}
		since = never
		if !m.in && m.certain {
			since = m.to
		}
	}
	if since != never {
		out = append(out, absence{since, never})
	}
	return out
}

// out reports whether somebody was certainly no member in a whole span.
func (f *facts) out(w who, from, to int) bool {
	if _, known := f.conv[w.conv]; !known {
		return false
	}
	return slices.ContainsFunc(f.absences(w), func(a absence) bool { return a.from < from && to < a.to })
}

// came is the coming by which somebody was in at a moment, if it came at all after
// the conversation was made and that is certain.
func (f *facts) came(w who, at int) (stay, bool) {
	var last *move
	for _, m := range f.moves[w] {
		if m.from < at {
			last = &m
		}
	}
	if last == nil || !last.in || !last.certain || last.to > at {
		return stay{}, false
	}
	return stay{last.from, last.to}, true
}

// movedBetween reports whether somebody may have come or gone in a span.
func (f *facts) movedBetween(w who, from, to int) bool {
	return slices.ContainsFunc(f.moves[w], func(m move) bool { return m.from < to && m.to > from })
}

// sent is the send behind a message.
func (f *facts) sent(conv string, m message) *deedDone { return f.sends[conv+m.ClientMsgID] }

// sentBefore reports whether a message was acked before a moment.
func (f *facts) sentBefore(conv string, m message, at int) bool {
	d := f.sent(conv, m)
	return d != nil && d.answered() < at
}

// last is the seq of the newest message there is.
func last(truth *event) int64 {
	if len(truth.Messages) == 0 {
		return 0
	}
	return slices.MaxFunc(truth.Messages, func(a, b message) int { return cmp.Compare(a.Seq, b.Seq) }).Seq
}
