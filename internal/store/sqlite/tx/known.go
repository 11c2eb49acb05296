package tx

import (
	"maps"
	"strings"

	"github.com/skein-im/skein"
)

// maxKnown bounds each map of known; an entry costs about 200 bytes.
const maxKnown = 32_768

// known is the writer's memory of rows, so that a message to a busy conversation needs no
// lookup. A job that changes one of these rows removes it here. Everything may be dropped
// between two jobs while no timeline is dirty.
type known struct {
	timelines   map[timelineName]*Timeline
	senders     map[clientName]Sender  // living clients
	members     map[memberName]*Member // by conversation
	counts      map[clientName]int     // in how many living conversations a client is at most
	NextMessage int64                  // key of the next message; zero: to be looked up
	retries     *RetryTurn             // nil: to be looked up
}

type timelineName struct {
	app string
	id  skein.ID
}

type clientName struct{ app, id string }

type memberName struct {
	conv   int64
	client string
}

func newKnown() *known {
	return &known{
		timelines: make(map[timelineName]*Timeline),
		senders:   make(map[clientName]Sender),
		members:   make(map[memberName]*Member),
		counts:    make(map[clientName]int),
	}
}

// Clear drops all.
func (k *known) Clear() {
	clear(k.timelines)
	clear(k.senders)
	clear(k.members)
	clear(k.counts)
	k.NextMessage, k.retries = 0, nil
}

// ForgetClient drops a client, and the conversations that it left.
func (k *known) ForgetClient(app, client string, left []skein.ID) {
	delete(k.senders, clientName{app, client})
	delete(k.counts, clientName{app, client})
	for _, id := range left {
		delete(k.timelines, timelineName{app, id})
	}
	maps.DeleteFunc(k.members, func(s memberName, _ *Member) bool { return s.client == client })
}

// ForgetTimeline drops a conversation.
func (k *known) ForgetTimeline(app string, id skein.ID) { delete(k.timelines, timelineName{app, id}) }

// ForgetTimelines drops all conversations.
func (k *known) ForgetTimelines() { clear(k.timelines) }

// ForgetSender drops a client, but not its memberships.
func (k *known) ForgetSender(app, client string) { delete(k.senders, clientName{app, client}) }

// ForgetMember drops a member.
func (k *known) ForgetMember(conv int64, client string) { delete(k.members, memberName{conv, client}) }

// ForgetCount drops the number of conversations of a client.
func (k *known) ForgetCount(app, client string) { delete(k.counts, clientName{app, client}) }

// Timeline is a conversation, if it is known.
func (k *known) Timeline(app string, id skein.ID) *Timeline {
	return k.timelines[timelineName{app, id}]
}

// Member is a member of a conversation, if it is known.
func (k *known) Member(conv int64, client string) *Member { return k.members[memberName{conv, client}] }

// Count is in how many living conversations a client is at most, if that is known.
func (k *known) Count(app, client string) (n int, ok bool) {
	n, ok = k.counts[clientName{app, client}]
	return n, ok
}

// KeepCount remembers in how many living conversations a client is at most.
func (k *known) KeepCount(app, client string, n int) {
	k.counts[clientName{strings.Clone(app), strings.Clone(client)}] = n
}

// trim makes room for the next group. It may run only between groups, when nothing is dirty.
func (k *known) trim() {
	trim(k.timelines)
	trim(k.senders)
	trim(k.members)
	trim(k.counts)
}

// trim drops arbitrary entries until at most maxKnown are left: nobody knows which will be
// needed next.
func trim[K comparable, V any](m map[K]V) {
	for key := range m {
		if len(m) <= maxKnown {
			return
		}
		delete(m, key)
	}
}
