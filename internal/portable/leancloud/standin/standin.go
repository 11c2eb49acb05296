// Package standin stands in for LeanCloud IM in tests: the part of its REST API that a
// dump uses, made from the documentation, with an app that a seed decides. It knows
// nothing of the dump.
package standin

import (
	"cmp"
	"crypto/md5" //nolint:gosec // how LeanCloud names a history, not a secret
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options decide the app and how the server behaves. The zero value is a small app on a
// server that does everything as documented, without a fault.
type Options struct {
	Seed          uint64
	Conversations int    // 12 where it is zero; every 12th is a chat room, the first a system conversation
	Messages      int    // 600 where it is zero, spread unevenly
	Burst         int    // messages of one millisecond in the largest conversation; 30 where it is zero
	PageMost      int    // rows of a page at most; 1,000 where it is zero
	Files         string // where files are: the server's own address, once it is known

	Faults
}

// Faults are the faults of LeanCloud and of the network that the stand-in imitates.
type Faults struct {
	NoReversed  bool // history ignores reversed
	NoWalk      bool // the history of the app is not offered
	NoInfoClass bool // roles cannot be scanned
	ShortPages  bool // a page of history has up to 7 rows fewer than requested, as if cut at 6 MB
	FutureTail  bool // the newest messages are ahead of the server's clock
	Every429    int  // one of this many requests is refused, alternately with and without Retry-After
	EveryCut    int  // one of this many answers is cut, alternately at a clean end or not
	CutOver     int  // answers of more bytes are always cut; 0: none
	EveryHang   int  // one of this many requests gets no answer until the caller gives up
	Every500    int  // one of this many requests fails
	Daily       int  // requests until code 140; 0: no bound
	AtOnce      int  // requests at once until 429; zero: 60
}

// Credentials of the app.
const (
	AppID     = "standin-gzGzoHsz"
	MasterKey = "master-key-of-the-stand-in"
)

// Now is the server's time at the beginning.
var Now = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// Message is a message that the server has.
type Message struct {
	Time int64 // Unix milliseconds
	ID   string
	Conv string // objectId
	Sub  string // conv-id
	From string
	Raw  string // the row as answered, compact
	tie  uint64 // the server's own order within a millisecond
}

// Conversation is one row of _Conversation.
type Conversation struct {
	ID   string
	Kind string // conversation, room or system
	Raw  string
}

// Server is the stand-in. It is an http.Handler, safe for concurrent use.
type Server struct {
	opt Options
	rng *rand.Rand

	mu       sync.Mutex // guards what follows
	now      time.Time
	convs    []Conversation
	history  map[string][]Message // by objectId, in the server's order
	all      []Message            // of the whole app, in the server's order
	infos    map[string][]string  // rows by objectId
	users    []string
	subs     map[string][]string // client ids by objectId of a system conversation
	inbound  []string
	requests int
	kinds    map[string]int
	served   int // rows of messages
	atOnce   int
	most     int
}

// New creates the app.
func New(o Options) *Server {
	o.Conversations = cmp.Or(o.Conversations, 12)
	o.Messages = cmp.Or(o.Messages, 600)
	o.Burst = cmp.Or(o.Burst, 30)
	o.PageMost = cmp.Or(o.PageMost, 1000)
	o.AtOnce = cmp.Or(o.AtOnce, 60)
	s := &Server{
		opt: o, rng: rand.New(rand.NewPCG(o.Seed, 10)), now: Now, //nolint:gosec // the same app each time
		history: map[string][]Message{}, infos: map[string][]string{}, subs: map[string][]string{}, kinds: map[string]int{},
	}
	for i := range o.Conversations {
		s.addConversation(i)
	}
	weights := make([]int, o.Conversations)
	sum := 0
	for i := range weights {
		weights[i] = 1 + 60/(i+1)
		sum += weights[i]
	}
	for i, w := range weights {
		s.fill(i, o.Messages*w/sum)
	}
	for i := range 40 {
		id := s.objectID(i)
		s.users = append(s.users, fmt.Sprintf(`{"objectId":%q,"username":"user %d","avatar":{"__type":"File","id":"5f%022x"},"createdAt":"2025-01-01T00:00:00.000Z"}`, id, i, i%3))
	}
	slices.Sort(s.users)
	s.arrange()
	return s
}

// objectID is 24 hexadecimal digits that begin with a second.
func (s *Server) objectID(i int) string {
	at := Now.Add(-time.Duration(400-i%380) * 24 * time.Hour).Unix()
	return fmt.Sprintf("%08x%016x", at, s.rng.Uint64())
}

// messageID is 16 bytes in base64 without padding, where + / may be - _ at any place.
func (s *Server) messageID() string {
	var raw [16]byte
	for i := range raw {
		raw[i] = byte(s.rng.Uint32())
	}
	if s.rng.IntN(3) == 0 {
		raw[0], raw[1], raw[2] = 0xfb, 0xef, 0xff // + + and /
	}
	id := []byte(base64.RawStdEncoding.EncodeToString(raw[:]))
	for i, c := range id {
		if s.rng.IntN(2) == 0 {
			switch c {
			case '+':
				id[i] = '-'
			case '/':
				id[i] = '_'
			}
		}
	}
	return string(id)
}

func client(i int) string {
	return []string{"tom", "jerry", "u_9d0461adf9c267ae", "5f06f5b5e1a0b1c3d4e5f607", "老王", "a:b@c.d"}[i%6] + strconv.Itoa(i%17)
}

func (s *Server) addConversation(i int) {
	c := Conversation{ID: s.objectID(i), Kind: "conversation"}
	if i%12 == 5 {
		c.Kind = "room"
	}
	if i == 1 {
		c.Kind = "system"
	}
	var raw strings.Builder
	fmt.Fprintf(&raw, `{"objectId":%q,"name":"群 %d 🎈","createdAt":"2026-01-0%dT00:00:00.000Z","updatedAt":"2026-10-01T00:00:00.000Z"`, c.ID, i, 1+i%9)
	switch c.Kind {
	case "room":
		raw.WriteString(`,"tr":true,"m":["nobody"]`)
	case "system":
		raw.WriteString(`,"sys":true`)
	default:
		members := make([]string, 0, 600)
		for m := range 2 + i%5 {
			members = append(members, strconv.Quote(client(m+i)))
		}
		members = append(members, members[0]) // doubles happen
		if i == 0 {
			for m := range 510 {
				members = append(members, strconv.Quote("many"+strconv.Itoa(m)))
			}
		}
		fmt.Fprintf(&raw, `,"m":[%s],"mu":[%s],"c":%s,"unique":%t`, strings.Join(members, ","), members[0], members[0], i%2 == 0)
	}
	fmt.Fprintf(&raw, `,"attr":{"big":9007199254740993,"deep":{"é":"\u0000"}},"custom_%d":1e400}`, i%3)
	c.Raw = raw.String()
	s.convs = append(s.convs, c)
	if c.Kind != "system" && i%3 == 0 {
		s.infos[c.ID] = append(s.infos[c.ID], fmt.Sprintf(`{"objectId":%q,"cid":%q,"clientId":%q,"role":"Manager"}`, s.objectID(i), c.ID, client(i+1)))
	}
	if c.Kind == "system" {
		for k := range 60 {
			s.subs[c.ID] = append(s.subs[c.ID], "fan "+strconv.Itoa(k))
		}
		s.inbound = append(s.inbound, fmt.Sprintf(`{"objectId":%q,"from":"fan 1","data":"你好","bin":false,"conv":{"__type":"Pointer","className":"_Conversation","objectId":%q}}`, s.objectID(i), c.ID))
	}
}

// fill writes n messages into a conversation. Many share a millisecond; the first
// conversation has Burst of one.
func (s *Server) fill(i, n int) {
	at := Now.Add(-170 * 24 * time.Hour).UnixMilli()
	step := (165 * 24 * time.Hour).Milliseconds() / int64(n+1)
	for k := range n {
		switch {
		case i == 0 && k > n/3 && k < n/3+s.opt.Burst:
		case s.rng.IntN(4) == 0:
		default:
			at += s.rng.Int64N(step) + 1
		}
		t := at
		if s.opt.FutureTail && k >= n-3 {
			t = Now.Add(time.Hour).UnixMilli() + int64(k)
		}
		s.history[s.convs[i].ID] = append(s.history[s.convs[i].ID], s.message(s.convs[i], t, k))
	}
}

func (s *Server) message(c Conversation, at int64, k int) Message {
	m := Message{Time: at, ID: s.messageID(), Conv: c.ID, Sub: c.ID + "00000000", From: client(k), tie: s.rng.Uint64()}
	to := c.ID
	if c.Kind == "system" {
		fans := s.subs[c.ID]
		sum := md5.Sum([]byte(c.ID + ":" + fans[k%len(fans)])) //nolint:gosec // see the import
		m.Sub, m.From = hex.EncodeToString(sum[:]), c.ID
	}
	extra := ""
	if k%3 == 0 {
		extra = fmt.Sprintf(`,"ack-at":%d`, at+5)
	}
	ip := `"202.117.15.217"`
	if k%4 == 0 {
		ip = "null"
	}
	m.Raw = fmt.Sprintf(`{"timestamp":%d,"conv-id":%q,"data":%s,"from":%q,"msg-id":%q,"is-conv":true,"is-room":%t,"to":%q,"bin":%t,"from-ip":%s%s}`,
		at, m.Sub, s.data(k), m.From, m.ID, c.Kind == "room", to, k%11 == 3, ip, extra)
	return m
}

// data returns the content of a message: anything.
func (s *Server) data(k int) string {
	switch k % 11 {
	case 0:
		return `"{\"_lctype\":-1,\"_lctext\":\"今天天气不错！😀\",\"_lcattrs\":{\"n\":12345678901234567890}}"`
	case 1:
		return `{"_lctype":-1,"_lctext":"an object","n":9007199254740993,"f":1.10}`
	case 2:
		return `"zero \u0000 and \ud83d half"`
	case 3:
		return `"AAECAwT/"`
	case 4:
		link := s.opt.Files + "/files/" + strconv.Itoa(k%5) + ".png"
		return strconv.Quote(fmt.Sprintf(`{"_lctype":-2,"_lcfile":{"url":%q,"objId":"5f%022x","metaData":{"name":"图 %d.png","size":64}}}`, link, k%5, k%5))
	case 5:
		return `"{\"_lctype\":-3,\"_lcfile\":{\"url\":\"http://127.0.0.1:1/sound\",\"objId\":\"5f0000000000000000000002\"}}"`
	case 6:
		return `"{\"_lctype\":-127}"`
	case 7:
		return `"plain text \\ \" \/ \u4e2d"`
	case 8:
		return "12"
	case 9:
		return "null"
	default:
		return strconv.Quote(strings.Repeat("很长", 1+k%40))
	}
}

// arrange sorts everything in the server's order.
func (s *Server) arrange() {
	order := func(a, b Message) int { return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.tie, b.tie)) }
	s.all = s.all[:0]
	for id := range s.history {
		slices.SortFunc(s.history[id], order)
		s.all = append(s.all, s.history[id]...)
	}
	slices.SortFunc(s.all, order)
	slices.SortFunc(s.convs, func(a, b Conversation) int { return cmp.Compare(a.ID, b.ID) })
}

// Truth returns what a dump must have of a conversation: rows oldest first, by time and the bytes
// of msg-id.
func (s *Server) Truth(conv string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.history[conv])
	slices.SortFunc(out, func(a, b Message) int {
		return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Sub, b.Sub))
	})
	return out
}

// Conversations returns all rows of _Conversation, by objectId.
func (s *Server) Conversations() []Conversation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.convs)
}

// Say adds n messages to a conversation, later than its others.
func (s *Server) Say(conv string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.convs, func(c Conversation) bool { return c.ID == conv })
	at := s.all[len(s.all)-1].Time
	for k := range n {
		s.history[conv] = append(s.history[conv], s.message(s.convs[i], at+1+int64(k/3), k))
	}
	s.arrange()
}

// SayAt adds a message to a conversation, at a time.
func (s *Server) SayAt(conv string, at int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.convs, func(c Conversation) bool { return c.ID == conv })
	s.history[conv] = append(s.history[conv], s.message(s.convs[i], at, 7))
	s.arrange()
}

// Set changes the faults from now on.
func (s *Server) Set(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.AtOnce = cmp.Or(f.AtOnce, 60)
	s.opt.Faults = f
}

// Pass lets time pass, for cursors.
func (s *Server) Pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// Stats are the requests so far by kind, the most at once, and the rows of messages.
func (s *Server) Stats() (kinds map[string]int, most, rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.kinds), s.most, s.served
}
