package sqlite

import (
	"maps"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/skein-im/skein"
)

// maxKnown bounds each map of known; an entry costs about 200 bytes.
const maxKnown = 32_768

// known is what the writer remembers of rows, so that a message into a busy
// conversation costs no look-up. It may be dropped at any time between two jobs
// that leave nothing dirty. A job that changes one of these rows forgets it here.
type known struct {
	places      map[placeName]*place
	senders     map[clientName]sender // living clients
	seats       map[seatName]*seat    // members
	rooms       map[clientName]int    // in how many living conversations a client is at most
	nextMessage int64                 // key of the next message; zero: to be looked up
	retries     *retryTurn            // nil: to be looked up
}

type placeName struct {
	app string
	id  skein.ID
}

type clientName struct{ app, id string }

type seatName struct {
	conv   int64
	client string
}

// place is a living conversation as far as Append needs it.
type place struct {
	app       int64
	key       int64
	typ       skein.ConvType
	muteAll   bool
	ttl       int64 // milliseconds; zero: none
	lastSeq   int64
	rosterRev int64
	speaker   int64 // key of the seat that spoke last; zero: none did
	spoke     int64 // seq of what it said
	active    skein.Millis
	expires   skein.Millis
	dirty     bool // ahead of its row, and in group.dirty
	shifted   bool // its place in the indexes is another
}

// sender is a living client as far as Append needs it.
type sender struct {
	bannedUntil skein.Millis
	incarnation int64
}

// seat is a member as far as Append needs it.
type seat struct {
	key        int64
	role       skein.Role
	mutedUntil skein.Millis
	read       int64 // skein.Member.Read; may be behind while it is the conversation's speaker
}

func newKnown() *known {
	return &known{
		places:  make(map[placeName]*place),
		senders: make(map[clientName]sender),
		seats:   make(map[seatName]*seat),
		rooms:   make(map[clientName]int),
	}
}

func (k *known) clear() {
	clear(k.places)
	clear(k.senders)
	clear(k.seats)
	clear(k.rooms)
	k.nextMessage, k.retries = 0, nil
}

// forgetClient drops what is known of a client who left these conversations.
func (k *known) forgetClient(app, client string, left []skein.ID) {
	delete(k.senders, clientName{app, client})
	delete(k.rooms, clientName{app, client})
	for _, id := range left {
		delete(k.places, placeName{app, id})
	}
	maps.DeleteFunc(k.seats, func(s seatName, _ *seat) bool { return s.client == client })
}

// trim makes room for the next group. Only between groups: what is dirty must not
// be forgotten.
func (k *known) trim() {
	trim(k.places)
	trim(k.senders)
	trim(k.seats)
	trim(k.rooms)
}

// trim drops arbitrary entries: Go's map order is as good as any other guess at
// who comes next.
func trim[K comparable, V any](m map[K]V) {
	for key := range m {
		if len(m) <= maxKnown {
			return
		}
		delete(m, key)
	}
}

// place is the conversation where a draft goes. Errors: ErrUnknownConversation.
func (g *group) place(app string, id skein.ID) (*place, error) {
	name := placeName{app, id}
	p, ok := g.known.places[name]
	if !ok {
		p = new(place)
		found, err := g.row(func(r *sqlite3.Stmt) {
			p.key = r.ColumnInt64(0)
			p.typ = smallColumn[skein.ConvType](r, 1)
			p.ttl = r.ColumnInt64(2)
			p.lastSeq = r.ColumnInt64(3)
			p.active = millisColumn(r, 4)
			p.expires = millisColumn(r, 5)
			p.muteAll = r.ColumnBool(6)
			p.app = r.ColumnInt64(7)
			p.speaker = r.ColumnInt64(8)
			p.spoke = r.ColumnInt64(9)
			p.rosterRev = r.ColumnInt64(10)
		}, `SELECT conv_key, type, ttl, last_seq, active, expires, mute_all, app_key, speaker, spoke, roster_rev FROM conversations
			WHERE app_key = `+appKey+` AND id = ?2 AND deleted = 0`, app, id)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, skein.ErrUnknownConversation
		}
		name.app = strings.Clone(app)
		g.known.places[name] = p
	}
	if p.expires <= g.now {
		return nil, skein.ErrUnknownConversation
	}
	return p, nil
}

// sender is a living client. Errors: ErrUnknownClient as a Fault.
func (g *group) sender(app, client string) (sender, error) {
	name := clientName{app, client}
	if s, ok := g.known.senders[name]; ok {
		return s, nil
	}
	s, err := g.connection.sender(app, client)
	if err != nil {
		return sender{}, err
	}
	g.known.senders[clientName{strings.Clone(app), strings.Clone(client)}] = s
	return s, nil
}

// seat is a client's place among the members of a conversation; nil: it has none.
func (g *group) seat(conv int64, client string) (*seat, error) {
	if s, ok := g.known.seats[seatName{conv, client}]; ok {
		return s, nil
	}
	s, err := g.connection.seat(conv, client)
	if err == nil && s != nil {
		g.known.seats[seatName{conv, strings.Clone(client)}] = s
	}
	return s, err
}
