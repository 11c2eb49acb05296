package transfer

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/rows"
)

// Tables is the rows of an app in the transaction of an Import. A method that adds a record
// writes all that belongs to it, also the fields that only others know.
type Tables interface {
	Now() skein.Millis

	AppUnknown() ([]byte, error)
	KeepAppUnknown(fields []byte) error

	// Upload is a file of any app; mine: of this one. nil: there is none of that name.
	Upload(name string) (have *store.UploadRecord, mine bool, err error)
	// AddUpload adds a file that is kept until a moment; added is false while one of that name is
	// being removed.
	AddUpload(r *store.UploadRecord, until skein.Millis) (added bool, err error)

	Client(id string) (have *store.ClientRecord, found bool, err error)
	Living(id string) (there, living bool, err error)
	AddClient(r *store.ClientRecord) error

	// Conversation is one that is there, whatever its state. nil: there is none.
	Conversation(id skein.ID) (*Arrival, error)
	ConversationRecord(a *Arrival) (*store.ConversationRecord, error)
	// AddConversation adds one that is arriving and sets its Key.
	AddConversation(a *Arrival, r *store.ConversationRecord) error
	// Save writes the counts of a conversation: Members, LastSeq, Changes, Active.
	Save(a *Arrival) error
	// Pair are up to three of the members, by id.
	Pair(a *Arrival) ([]string, error)
	// TakePair makes a private conversation that of its two members, unless they have one.
	TakePair(a *Arrival, first, second string) (taken bool, err error)
	// Reveal makes an arriving conversation known, to its members too.
	Reveal(a *Arrival, expires skein.Millis) error
	// Abandon leaves an arriving conversation to Purge.
	Abandon(a *Arrival) error

	Member(a *Arrival, client string) (*store.MemberRecord, error) // nil: it is not one
	HasOwner(a *Arrival) (bool, error)
	AddMember(a *Arrival, r *store.MemberRecord) error

	Message(a *Arrival, seq int64) (*store.MessageRecord, error) // nil: it is not there any more
	// AddMessage adds a message; stored is false if its id is taken.
	AddMessage(a *Arrival, r *store.MessageRecord, m MessageRow) (stored bool, err error)

	Change(a *Arrival, seq int64) (*store.ChangeRecord, error) // nil: it is not there any more
	// AddChange adds a line of the log; found is false if its message is not there.
	AddChange(a *Arrival, r *store.ChangeRecord) (found bool, err error)
}

// Arrival is a conversation that records belong to.
type Arrival struct {
	skein.Conversation

	Key   int64
	State State

	closed bool // another conversation has the record's id: nothing is imported into it
	dirty  bool // ahead of its row
}

// State is the column deleted of a conversation.
type State int8

// The states of a conversation.
const (
	Known    State = 0
	Gone     State = 1 // deleted, or past its end
	Arriving State = 2 // its import is not complete
)

// MessageRow is what a message's row has beside its record.
type MessageRow struct {
	Hash      []byte // of what was sent, for retries; nil: no ClientMsgID, or erased
	Flags     int
	Reactions []byte // summary of Reacted; nil: none
	Retry     bool   // a retry must find it
}

// Import is one call of store.Transfer's Import, in its transaction.
type Import struct {
	t        Tables
	arrivals map[skein.ID]*Arrival
	clients  map[string]bool // those looked up that exist, and whether they are not deleted
}

// Run stores records and returns a result for each. Errors: those of t; then nothing must be
// stored.
func Run(t Tables, records []any) ([]store.Imported, error) {
	i := &Import{t: t, arrivals: map[skein.ID]*Arrival{}, clients: map[string]bool{}}
	answers := make([]store.Imported, len(records))
	for n, r := range records {
		have, err := i.record(r)
		if f, ok := errors.AsType[*skein.Fault](err); ok {
			answers[n].Err = f
			continue
		}
		if err != nil {
			return nil, err
		}
		answers[n].Have = have
	}
	for _, a := range i.arrivals {
		if err := i.save(a); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// record stores one record. have is the record that was already there; nil: none. Errors: a
// Fault if the record is refused, before any of it was written.
func (i *Import) record(r any) (have any, err error) {
	switch r := r.(type) {
	case *store.AppRecord:
		return i.app(r)
	case *store.UploadRecord:
		return i.upload(r)
	case *store.ClientRecord:
		return i.client(r)
	case *store.ConversationRecord:
		return i.conversation(r)
	case *store.MemberRecord:
		return i.member(r)
	case *store.MessageRecord:
		return i.message(r)
	case *store.ChangeRecord:
		return i.change(r)
	case *store.End:
		return i.end(r)
	default:
		return nil, fmt.Errorf("import a %T", r)
	}
}

func (i *Import) app(r *store.AppRecord) (any, error) {
	have, err := i.t.AppUnknown()
	if err != nil || have != nil {
		return &store.AppRecord{Unknown: have}, err
	}
	if len(r.Unknown) == 0 {
		return nil, nil //nolint:nilnil // nothing was there, and nothing went wrong
	}
	return nil, i.t.KeepAppUnknown(r.Unknown)
}

// importedUntil is how long an imported file is kept until a record names it, in
// milliseconds.
const importedUntil = rows.ArrivalDays * 24 * 60 * 60 * 1000

func (i *Import) upload(r *store.UploadRecord) (any, error) {
	have, mine, err := i.t.Upload(r.Name)
	switch {
	case err != nil:
		return nil, err
	case have != nil && !mine:
		return nil, conflict("name", "a file of another app has this name")
	case have != nil:
		return have, nil
	}
	added, err := i.t.AddUpload(r, i.t.Now()+importedUntil)
	if err == nil && !added {
		err = conflict("name", "is a file that is being removed; try again later")
	}
	return nil, err
}

func (i *Import) client(r *store.ClientRecord) (any, error) {
	have, found, err := i.t.Client(r.ID)
	if err != nil || found {
		return have, err
	}
	i.clients[r.ID] = !r.Deleted
	return nil, i.t.AddClient(r)
}

// living reports whether a client exists, and whether it is not deleted.
func (i *Import) living(id string) (there, living bool, err error) {
	if living, there = i.clients[id]; there {
		return true, living, nil
	}
	there, living, err = i.t.Living(id)
	if there && err == nil {
		i.clients[id] = living
	}
	return there, living, err
}

// conversation begins the import of a conversation, or continues one that exists. A new one is
// invisible to other methods until its End record.
func (i *Import) conversation(r *store.ConversationRecord) (any, error) {
	a, err := i.arrival(r.ID)
	if err == nil {
		a.closed = a.Type != r.Type || a.Creator != r.Creator || a.Created != r.Created
		return i.t.ConversationRecord(a)
	}
	if err != errNoConversation { //nolint:errorlint // arrival's own
		return nil, err
	}
	c := r.Conversation
	c.LastSeq, c.Changes, c.Members = 0, 0, 0
	c.Active = cmp.Or(c.Active, max(c.Created, c.Updated))
	a = &Arrival{Conversation: c, State: Arriving}
	if err := i.t.AddConversation(a, r); err != nil {
		return nil, err
	}
	i.arrivals[c.ID] = a
	return nil, nil //nolint:nilnil // nothing was there, and nothing went wrong
}

// errNoConversation is about a conversation that does not exist.
var errNoConversation = skein.About(skein.ErrUnknownConversation, "conv_id")

// arrival is a conversation that exists or is being imported. Errors: errNoConversation, ErrConflict.
func (i *Import) arrival(id skein.ID) (*Arrival, error) {
	if a, ok := i.arrivals[id]; ok {
		return a, nil
	}
	a, err := i.t.Conversation(id)
	switch {
	case err != nil:
		return nil, err
	case a == nil:
		return nil, errNoConversation
	case a.State == Gone:
		return nil, conflict("conv_id", "was deleted here and is being removed; try again later")
	}
	i.arrivals[id] = a
	return a, nil
}

// into is the conversation that a record belongs to.
func (i *Import) into(id skein.ID) (*Arrival, error) {
	a, err := i.arrival(id)
	if err == nil && a.closed {
		err = conflict("conv_id", "is another conversation here")
	}
	return a, err
}

func (i *Import) member(r *store.MemberRecord) (any, error) {
	a, err := i.into(r.Conv)
	if err != nil {
		return nil, err
	}
	have, err := i.t.Member(a, r.Client)
	if err != nil || have != nil {
		return have, err
	}
	if _, living, err := i.living(r.Client); err != nil || !living {
		return nil, orFault(err, skein.About(skein.ErrUnknownClient, r.Client))
	}
	if r.Role == skein.RoleOwner {
		owned, err := i.t.HasOwner(a)
		if err != nil || owned {
			return nil, orFault(err, conflict("role", "the conversation has another owner here"))
		}
	}
	if err := i.t.AddMember(a, r); err != nil {
		return nil, err
	}
	a.Members++
	a.dirty = true
	return nil, nil //nolint:nilnil // nothing was there, and nothing went wrong
}

// end makes a conversation visible if all of it was imported.
func (i *Import) end(r *store.End) (any, error) {
	a, err := i.arrival(r.Conv)
	if err != nil {
		return nil, err
	}
	if a.State == Known {
		return r, nil
	}
	if err := i.save(a); err != nil {
		return nil, err
	}
	switch {
	case r.Abandon:
		return nil, i.abandon(a)
	case a.LastSeq != r.LastSeq:
		return i.refuseEnd(a, skein.Malformed("last_seq", "not all messages have come"))
	case a.Changes != r.Changes:
		return i.refuseEnd(a, skein.Malformed("last_change", "not all changes have come"))
	}
	if fault, err := i.pairUp(a); err != nil || fault != nil {
		if err == nil {
			return i.refuseEnd(a, fault)
		}
		return nil, err
	}
	expires := skein.Forever
	if a.TTL > 0 {
		expires = a.Active.Add(a.TTL)
	}
	if expires <= i.t.Now() {
		return i.refuseEnd(a, skein.Malformed("ttl", "this temporary conversation has ended"))
	}
	a.State = Known
	return nil, i.t.Reveal(a, expires)
}

// refuseEnd abandons a conversation and returns the fault.
func (i *Import) refuseEnd(a *Arrival, fault error) (any, error) {
	if err := i.abandon(a); err != nil {
		return nil, err
	}
	return nil, fault
}

func (i *Import) abandon(a *Arrival) error {
	delete(i.arrivals, a.ID)
	return i.t.Abandon(a)
}

// pairUp makes a private conversation the only one of its two members.
func (i *Import) pairUp(a *Arrival) (fault, err error) {
	if a.Type != skein.Private {
		return nil, nil
	}
	pair, err := i.t.Pair(a)
	switch {
	case err != nil:
		return nil, err
	case len(pair) > 2:
		return skein.Malformed("conv_type", "a private conversation has two members"), nil
	case len(pair) < 2:
		return nil, nil
	}
	taken, err := i.t.TakePair(a, pair[0], pair[1])
	if err != nil || taken {
		return nil, err
	}
	return conflict("conv_type", pair[0]+" and "+pair[1]+" have another private conversation here"), nil
}

// save writes the row of a conversation, if this call changed its counts.
func (i *Import) save(a *Arrival) error {
	if !a.dirty {
		return nil
	}
	a.dirty = false
	return i.t.Save(a)
}

// conflict is ErrConflict about a field, with a detail in words.
func conflict(field, detail string) error {
	return &skein.Fault{Err: skein.ErrConflict, Field: field, Detail: detail}
}

// orFault is err, or the fault if err is nil.
func orFault(err, fault error) error {
	if err != nil {
		return err
	}
	return fault
}
