package chat

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// CreateUser registers a client. One that is there with the same ext is a retry;
// with another ext it is skein.ErrConflict.
func (s *Service) CreateUser(ctx context.Context, by skein.Actor, id string, ext []byte) (skein.Client, error) {
	c, created, err := s.store.CreateClient(ctx, skein.Client{App: by.App.ID, ID: id, Ext: ext, Created: s.now()})
	if err == nil {
		err = otherExt(c, created, ext)
	}
	return c, err
}

// otherExt refuses to create a client that is there with another ext.
func otherExt(c skein.Client, created bool, ext []byte) error {
	if created || store.SameJSON(c.Ext, ext) {
		return nil
	}
	return &skein.Fault{Err: skein.ErrConflict, Field: "client_id", Detail: "exists with a different ext"}
}

// Register makes sure that a client who logs in from an address may do so and is there. Errors:
// skein.ErrUnknownClient where the app does not register who logs in; those of Hooks.Ask.
func (s *Service) Register(ctx context.Context, by skein.Actor, ext []byte, addr string) error {
	_, err := s.client(ctx, by.App.ID, by.Client)
	unknown := errors.Is(err, skein.ErrUnknownClient) && !by.App.Settings.NoAutoRegister
	if err != nil && !unknown {
		return err
	}
	if err := s.ask(ctx, by, skein.Question{On: skein.BeforeLogin, Addr: addr}); err != nil || !unknown {
		return err
	}
	_, _, err = s.store.CreateClient(ctx, skein.Client{App: by.App.ID, ID: by.Client, Ext: ext, Created: s.now()})
	return err
}

// Users is a page of the app's clients.
func (s *Service) Users(ctx context.Context, by skein.Actor, q skein.ClientQuery) (skein.ClientPage, error) {
	return s.store.Clients(ctx, by.App.ID, q)
}

// User is one client. Errors: skein.ErrUnknownClient.
func (s *Service) User(ctx context.Context, by skein.Actor, id string) (skein.Client, error) {
	return s.client(ctx, by.App.ID, id)
}

// UsersNamed is those of clients that are there, in the order asked, and the ids of
// the others. No id may stand there twice.
func (s *Service) UsersNamed(ctx context.Context, by skein.Actor, ids []string) (found []skein.Client, unknown []string, err error) {
	page, err := s.store.Clients(ctx, by.App.ID, skein.ClientQuery{IDs: ids, Limit: len(ids)})
	if err != nil {
		return nil, nil, err
	}
	at := make(map[string]int, len(page.Clients))
	for i, c := range page.Clients {
		at[c.ID] = i
	}
	for _, id := range ids {
		if i, there := at[id]; there {
			found = append(found, page.Clients[i])
		} else {
			unknown = append(unknown, id)
		}
	}
	return found, unknown, nil
}

// UserUpdate is what becomes of a client; nil leaves what is.
type UserUpdate struct {
	Ext   *[]byte // replaces the whole
	AddBy *skein.AddBy
}

// UpdateUser changes a client. Errors: skein.ErrUnknownClient.
func (s *Service) UpdateUser(ctx context.Context, by skein.Actor, id string, update UserUpdate) (skein.Client, error) {
	return s.changeUser(ctx, by, id, func(c *skein.Client) {
		setIf(&c.Ext, update.Ext)
		setIf(&c.AddBy, update.AddBy)
		c.Updated = s.now()
	})
}

// Ban keeps a client from doing anything until a moment, and ends its sessions.
// Errors: skein.ErrUnknownClient.
func (s *Service) Ban(ctx context.Context, by skein.Actor, id string, until skein.Millis, reason string) error {
	c, err := s.changeUser(ctx, by, id, func(c *skein.Client) { c.BannedUntil, c.BanReason = until, reason })
	if err == nil {
		s.endSessions(by, c, "", skein.KickBanned)
	}
	return err
}

// Unban ends a ban. Errors: skein.ErrUnknownClient.
func (s *Service) Unban(ctx context.Context, by skein.Actor, id string) error {
	_, err := s.changeUser(ctx, by, id, func(c *skein.Client) { c.BannedUntil, c.BanReason = 0, "" })
	return err
}

// Logout ends a client's sessions, on one device or (empty) all, and refuses the
// tokens issued until now. Errors: skein.ErrUnknownClient.
func (s *Service) Logout(ctx context.Context, by skein.Actor, id, device string) error {
	return s.logout(ctx, by, id, device, s.store.UpdateClient)
}

// LogoutBy is Logout by an operator, whose deed is stored in the same transaction.
func (s *Service) LogoutBy(ctx context.Context, by skein.Actor, d skein.Deed, id, device string) error {
	return s.logout(ctx, by, id, device, func(ctx context.Context, app, id string, change func(*skein.Client) error) (skein.Client, error) {
		return s.store.UpdateClientBy(ctx, d, app, id, change)
	})
}

func (s *Service) logout(ctx context.Context, by skein.Actor, id, device string, update func(context.Context, string, string, func(*skein.Client) error) (skein.Client, error)) error {
	c, err := update(ctx, by.App.ID, id, func(c *skein.Client) error {
		cut(c, device, s.now())
		return nil
	})
	if err == nil {
		s.endSessions(by, c, device, skein.KickLoggedOut)
	}
	return named(err, id)
}

// endSessions ends the sessions that what was just stored forbids: all whose login was
// judged by the client as it was before. A later login was judged by what is stored,
// however late the cut comes to its node.
func (s *Service) endSessions(by skein.Actor, c skein.Client, device, reason string) {
	s.events.Cut(skein.Cut{App: by.App.ID, Client: c.ID, Device: device, Reason: reason, Rev: c.Rev})
}

// cut refuses the tokens of a device, or of all. Each cut is later than the one before,
// whatever the clock did: what was issued between the two is refused. Where there are too many, the oldest becomes one of all devices:
// forgotten, it would let its tokens in again.
func cut(c *skein.Client, device string, now skein.Millis) {
	if device == "" {
		c.Cut, c.DeviceCuts = max(now, c.LastCut()+1), nil
		return
	}
	cuts := maps.Clone(c.DeviceCuts)
	if cuts == nil {
		cuts = map[string]skein.Millis{}
	}
	cuts[device] = max(now, c.CutOf(device)+1)
	if len(cuts) > skein.MaxDeviceCuts {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(cuts)), func(a, b string) int { return cmp.Compare(cuts[a], cuts[b]) })
		c.Cut = max(c.Cut, cuts[oldest])
		delete(cuts, oldest)
	}
	c.DeviceCuts = cuts
}

// Deleted is what went with a client.
type Deleted struct {
	Conversations int  // that it left
	Messages      int  // erased until DeleteUser returned
	Reactions     int  // removed until then
	More          bool // messages and reactions are still being erased
}

// DeleteUser deletes a client: it leaves its conversations, its sessions end, its
// tokens are refused; erase takes the content of its messages too, in the
// background where there are many. Errors: skein.ErrUnknownClient.
func (s *Service) DeleteUser(ctx context.Context, by skein.Actor, id string, erase bool) (gone Deleted, err error) {
	now := s.now()
	convs, rev, err := s.store.DeleteClient(ctx, by.App.ID, id, now, erase)
	if err != nil {
		return gone, named(err, id)
	}
	gone.Conversations = len(convs)
	s.endSessions(by, skein.Client{ID: id, Rev: rev}, "", skein.KickDeleted)
	for _, conv := range convs {
		s.tell(by, skein.EventMembersRemoved, conv, func(n *skein.Notice) { n.Clients = []string{id} })
	}
	if erase {
		s.eraseSome(ctx, by.App.ID, id, now, &gone)
	}
	return gone, nil
}

// eraseSome erases for a short while in the caller's time, so that a small history
// is gone when the answer comes. Package upkeep does the rest. Other clients that wait to be
// erased may come first.
func (s *Service) eraseSome(ctx context.Context, app, client string, now skein.Millis, gone *Deleted) {
	ctx, cancel := context.WithTimeout(ctx, s.eraseFor)
	defer cancel()
	for gone.More = true; gone.More && ctx.Err() == nil; {
		done, more, err := s.store.EraseMessages(ctx, now)
		if err != nil {
			return // package upkeep tries again
		}
		gone.More = more
		if done.App == app && done.Client == client {
			gone.Messages, gone.Reactions = gone.Messages+done.Messages, gone.Reactions+done.Reactions
		}
	}
}

// TokenHolder is a client that may be given a token. Errors:
// skein.ErrUnknownClient, skein.ErrBanned.
func (s *Service) TokenHolder(ctx context.Context, by skein.Actor, id string) (skein.Client, error) {
	c, err := s.client(ctx, by.App.ID, id)
	if err == nil && c.Banned(s.now()) {
		err = skein.About(skein.ErrBanned, id)
	}
	return c, err
}

func (s *Service) changeUser(ctx context.Context, by skein.Actor, id string, change func(*skein.Client)) (skein.Client, error) {
	c, err := s.store.UpdateClient(ctx, by.App.ID, id, func(c *skein.Client) error {
		change(c)
		return nil
	})
	return c, named(err, id)
}
