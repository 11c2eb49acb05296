package webhooks

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/wire"
)

// Store is the part of the store that webhooks use.
type Store interface {
	store.Feed
	store.Webhooks
	store.Admin
	App(ctx context.Context, id string) (skein.App, error)
	Client(ctx context.Context, app, id string) (skein.Client, error)
	Conversation(ctx context.Context, app string, id skein.ID, client string) (skein.Conversation, *skein.Member, error)
	Messages(ctx context.Context, app string, conv skein.ID, r skein.SeqRange) ([]skein.Message, error)
	Changes(ctx context.Context, app string, conv skein.ID, r skein.ChangeRange) ([]skein.Change, error)
	Audience(ctx context.Context, app string, id skein.ID, atLeast int64) ([]skein.Listener, int64, error)
	SessionsOf(ctx context.Context, app string, clients []string) ([]store.Session, error)
}

// event is something that happened, as an endpoint gets it.
type event struct {
	entry store.Entry
	id    string
	typ   string
	body  []byte // JSON
}

// idOf names an event: the same each time it is told, on every node.
func idOf(e store.Entry, typ string) string {
	h := sha256.New()
	text := func(s string) { _, _ = fmt.Fprintf(h, "%d:%s", len(s), s) }
	text(typ)
	text(e.App)
	for _, n := range [...]int64{int64(e.Kind), int64(e.At), e.Seq, e.Change, e.Event} {
		_ = binary.Write(h, binary.BigEndian, n) // a hash never fails
	}
	h.Write(e.Conv[:])
	h.Write(e.Message[:])
	text(e.Client)
	for _, c := range e.Clients {
		text(c)
	}
	return "evt_" + strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:20]))
}

// kinds are the events that each kind of entry may become.
var kinds = map[store.EntryKind][]string{
	store.EntryMessage:             {skein.HookMessageSent, skein.HookRecipientsOffline},
	store.EntryChange:              {skein.HookMessageChanged, skein.HookMessageRecalled},
	store.EntryConversationCreated: {skein.HookConversationCreated},
	store.EntryConversationUpdated: {skein.HookConversationUpdated},
	store.EntryConversationDeleted: {skein.HookConversationDeleted},
	store.EntryMembersAdded:        {skein.HookMembersAdded},
	store.EntryMembersRemoved:      {skein.HookMembersRemoved},
	store.EntryMemberUpdated:       {skein.HookMemberUpdated},
	store.EntryClientCreated:       {skein.HookUserCreated},
	store.EntryClientUpdated:       {skein.HookUserUpdated},
	store.EntryClientBanned:        {skein.HookUserBanned},
	store.EntryClientUnbanned:      {skein.HookUserUnbanned},
	store.EntryClientLoggedOut:     {skein.HookUserLoggedOut},
	store.EntryClientDeleted:       {skein.HookUserDeleted},
	store.EntryClientErased:        {skein.HookUserErased},
	store.EntryQuotaWarning:        {skein.HookQuotaWarning},
	store.EntryReceipts:            {skein.HookReceiptsUpdated},
	store.EntryOnline:              {skein.HookUsersOnline},
	store.EntryOffline:             {skein.HookUsersOffline},
}

// wants reports whether an endpoint gets events of a type.
func wants(s skein.WebhookSettings, typ string) bool {
	if s.Events == nil {
		return !skein.OnlyNamed(typ)
	}
	return slices.Contains(s.Events, typ)
}

// maxOffline is how many clients one event recipients.offline names.
const maxOffline = 500

// maxAudience is the largest conversation of which recipients.offline is told.
const maxAudience = 5000

// builder makes events of entries. Safe for concurrent use.
type builder struct {
	store Store
	zone  *time.Location
	now   func() time.Time
	sign  func(ctx context.Context, app string, json []byte) []byte

	mu    sync.Mutex
	types map[skein.ID]skein.ConvType // of conversations; guarded by mu
}

// maxTypes bounds the memory of builder.types.
const maxTypes = 10_000

// events makes the events of entries that an endpoint wants, in their order. An entry about what
// is gone by now becomes none.
func (b *builder) events(ctx context.Context, w skein.Webhook, entries []store.Entry) (all []event, err error) {
	var wanted []store.Entry
	for _, e := range entries {
		if e.App != w.App || !slices.ContainsFunc(kinds[e.Kind], func(typ string) bool { return wants(w.Settings, typ) }) {
			continue
		}
		ok, err := b.about(ctx, w, e)
		if err != nil {
			return nil, err
		}
		if ok {
			wanted = append(wanted, e)
		}
	}
	bodies, err := b.read(ctx, wanted)
	if err != nil {
		return nil, err
	}
	for i, e := range wanted {
		made, err := b.make(ctx, w, e, bodies[i])
		if err != nil {
			return nil, err
		}
		all = append(all, made...)
	}
	return all, nil
}

// about reports whether the endpoint wants events about the entry's conversation. One whose type nobody
// knows any more counts as wanted.
func (b *builder) about(ctx context.Context, w skein.Webhook, e store.Entry) (bool, error) {
	if w.Settings.ConvTypes == nil || e.Conv.IsZero() {
		return true, nil
	}
	b.mu.Lock()
	typ, known := b.types[e.Conv]
	b.mu.Unlock()
	if !known {
		c, _, err := b.store.Conversation(ctx, e.App, e.Conv, "")
		if errors.Is(err, skein.ErrUnknownConversation) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		typ = c.Type
		b.mu.Lock()
		if b.types == nil || len(b.types) >= maxTypes {
			b.types = map[skein.ID]skein.ConvType{}
		}
		b.types[e.Conv] = typ
		b.mu.Unlock()
	}
	return slices.Contains(w.Settings.ConvTypes, typ), nil
}

// body is what an entry is about, read from the store: a message or a change; both nil: neither,
// or it is gone.
type body struct {
	message *skein.Message
	change  *skein.Change
}

// read reads messages and changes, with one read for numbers of a conversation that follow each other.
func (b *builder) read(ctx context.Context, entries []store.Entry) ([]body, error) {
	bodies := make([]body, len(entries))
	type log struct {
		kind store.EntryKind
		conv skein.ID
	}
	byLog := map[log][]int{}
	var logs []log
	for i, e := range entries {
		if e.Kind != store.EntryMessage && e.Kind != store.EntryChange {
			continue
		}
		l := log{e.Kind, e.Conv}
		if byLog[l] == nil {
			logs = append(logs, l)
		}
		byLog[l] = append(byLog[l], i)
	}
	number := func(i int) int64 { return entries[i].Seq + entries[i].Change } // one of them is zero
	for _, l := range logs {
		list := byLog[l]
		slices.SortStableFunc(list, func(i, j int) int { return int(number(i) - number(j)) })
		for len(list) > 0 {
			n := 1
			for n < len(list) && number(list[n])-number(list[n-1]) <= 1 {
				n++
			}
			if err := b.stretch(ctx, entries, bodies, list[:n], number); err != nil {
				return nil, err
			}
			list = list[n:]
		}
	}
	return bodies, nil
}

// stretch reads what the entries at these places are about.
func (b *builder) stretch(ctx context.Context, entries []store.Entry, bodies []body, at []int, number func(int) int64) error {
	e, first, last := entries[at[0]], number(at[0]), number(at[len(at)-1])
	if e.Kind == store.EntryMessage {
		found, err := b.store.Messages(ctx, e.App, e.Conv, skein.SeqRange{After: first - 1, Before: last + 1, Limit: int(last - first + 1)})
		for _, i := range at {
			if j := slices.IndexFunc(found, func(m skein.Message) bool { return m.Seq == number(i) }); j >= 0 {
				bodies[i].message = &found[j]
			}
		}
		return err
	}
	found, err := b.store.Changes(ctx, e.App, e.Conv, skein.ChangeRange{After: first - 1, Limit: int(last - first + 1)})
	for _, i := range at {
		if j := slices.IndexFunc(found, func(c skein.Change) bool { return c.Seq == number(i) }); j >= 0 {
			bodies[i].change = &found[j]
		}
	}
	return err
}

// make makes the events of one entry.
func (b *builder) make(ctx context.Context, w skein.Webhook, e store.Entry, of body) (all []event, err error) {
	add := func(typ string, data any, err error) error {
		if err != nil || data == nil || !wants(w.Settings, typ) {
			return err
		}
		id := idOf(e, typ)
		raw, err := wire.HookEvent{ID: id, Type: typ, Time: wire.HookTime(e.At.Time()), AppID: e.App, Data: data}.Encode()
		if err != nil {
			return err
		}
		all = append(all, event{entry: e, id: id, typ: typ, body: b.sign(ctx, e.App, raw)})
		return nil
	}
	typ := kinds[e.Kind][0]
	switch {
	case e.Kind == store.EntryMessage && of.message == nil, e.Kind == store.EntryChange && (of.change == nil || of.change.Kind == skein.ChangeNone):
		return nil, nil
	case e.Kind == store.EntryMessage:
		err = add(typ, wire.MessageOf(of.message), nil)
		if err == nil && wants(w.Settings, skein.HookRecipientsOffline) {
			data, failed := b.offline(ctx, e, of.message)
			err = add(skein.HookRecipientsOffline, data, failed)
		}
	case e.Kind == store.EntryChange:
		if of.change.Kind == skein.ChangeRecall {
			typ = skein.HookMessageRecalled
		}
		err = add(typ, wire.ChangeOf(e.Conv, of.change), nil)
	case e.Kind == store.EntryQuotaWarning:
		err = add(typ, wire.QuotaWarningOf(e.Warning), nil)
	case e.Kind == store.EntryReceipts:
		err = add(typ, wire.HookReceiptsOf(e.Conv, e.At, e.Places), nil)
	case e.Kind == store.EntryOnline, e.Kind == store.EntryOffline:
		err = add(typ, wire.HookPresence{Time: int64(e.At), ClientIDs: e.Clients}, nil)
	case e.Conv.IsZero():
		data, failed := b.user(ctx, e)
		err = add(typ, data, failed)
	default:
		data, failed := b.conversation(ctx, e)
		err = add(typ, data, failed)
	}
	return all, err
}

// conversation is the data of an event about a conversation or its members, with the conversation as it is now.
func (b *builder) conversation(ctx context.Context, e store.Entry) (any, error) {
	clients := e.Clients
	if e.Client != "" && len(clients) == 0 {
		clients = []string{e.Client}
	}
	data := wire.HookConversation{ConvID: e.Conv, Time: int64(e.At), ClientIDs: clients}
	c, _, err := b.store.Conversation(ctx, e.App, e.Conv, "")
	if errors.Is(err, skein.ErrUnknownConversation) {
		return data, nil
	}
	view := wire.ConversationOf(c, b.zone)
	data.Conv = &view
	return data, err
}

// user is the data of an event about a user, with the user as it is now.
func (b *builder) user(ctx context.Context, e store.Entry) (any, error) {
	data := wire.HookUser{ClientID: e.Client, Time: int64(e.At)}
	c, err := b.store.Client(ctx, e.App, e.Client)
	if errors.Is(err, skein.ErrUnknownClient) || err == nil && c.Deleted {
		return data, nil
	}
	view := wire.UserOf(c, skein.MillisOf(b.now()), b.zone, skein.Actor{})
	data.User = &view
	return data, err
}

// offline is the data of recipients.offline: who of the message's audience has no session now. nil: everybody
// has one, or the conversation is too large.
func (b *builder) offline(ctx context.Context, e store.Entry, m *skein.Message) (any, error) {
	all, _, err := b.store.Audience(ctx, e.App, e.Conv, 0)
	if err != nil || len(all) > maxAudience {
		return nil, err
	}
	var clients []string
	for _, l := range all {
		if l.Client != e.Client && l.JoinSeq <= e.Seq {
			clients = append(clients, l.Client)
		}
	}
	sessions, err := b.store.SessionsOf(ctx, e.App, clients)
	if err != nil {
		return nil, err
	}
	online := make(map[string]bool, len(sessions))
	for _, s := range sessions {
		online[s.Client] = true
	}
	clients = slices.DeleteFunc(clients, func(c string) bool { return online[c] })
	if len(clients) == 0 {
		return nil, nil //nolint:nilnil // nobody is offline: no event
	}
	return wire.OfflineRecipients{Message: wire.MessageOf(m), ClientIDs: clients[:min(len(clients), maxOffline)], More: len(clients) > maxOffline}, nil
}
