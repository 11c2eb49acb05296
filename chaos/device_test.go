package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// device is one installation of a client's app: it is logged in whenever it can
// be, follows the protocol, and keeps what it knows when its connection goes.
type device struct {
	app     *app
	client  string
	id      string
	history *history
	link    *link
	thrifty bool          // begins with the changes of today, not with the first ever
	away    atomic.Bool   // switched off
	calls   *atomic.Int64 // names calls, of all devices
	wake    chan struct{} // somebody wants a sync

	mu         sync.Mutex
	socket     *socket          // logged in; nil: not; guarded by mu
	changed    chan struct{}    // closed when socket changes; guarded by mu
	session    int              // how many logins there were; guarded by mu
	generation string           // of the last login; guarded by mu
	cursor     string           // of sync; guarded by mu
	talks      map[string]*talk // by conv_id; guarded by mu
	rested     int              // syncs done with nothing left to fetch; guarded by mu
}

func newDevice(a *app, client, id string, addrs []string, h *history, calls *atomic.Int64, thrifty bool) (*device, error) {
	k, err := newLink(addrs...)
	if err != nil {
		return nil, err
	}
	return &device{
		app: a, client: client, id: id, history: h, link: k, thrifty: thrifty, calls: calls,
		wake: make(chan struct{}, 1), changed: make(chan struct{}), talks: map[string]*talk{},
	}, nil
}

// note adds an event of this device.
func (d *device) note(e event) int {
	e.App, e.Client, e.Device = d.app.id, d.client, d.id
	return d.history.add(e)
}

// run keeps the device logged in until ctx ends.
func (d *device) run(ctx context.Context) {
	attended := time.Now()
	for ctx.Err() == nil {
		if d.away.Load() {
			attended = time.Now()
		} else if began := d.attend(ctx, patient(answerWait, attended)); began { // whatever ended it, the next connection is the answer
			attended = time.Now()
		}
		pause(ctx, time.Duration(20+rand.IntN(150))*time.Millisecond)
	}
}

// attend is one connection: login, sync, then live until it ends. It reports whether the first sync
// was done.
func (d *device) attend(ctx context.Context, wait time.Duration) (synced bool) {
	s, err := dial(ctx, d.link.addr(), wait)
	if err != nil {
		return false
	}
	defer s.Drop()
	stop := context.AfterFunc(ctx, s.Conn.Close)
	defer stop()
	session, err := d.login(s)
	if err != nil {
		return false
	}
	d.setSocket(s)
	defer d.setSocket(nil)
	p := &protocol{device: d, socket: s, session: session}
	if p.sync() != nil {
		return false
	}
	_ = p.follow()
	return true
}

// login resumes the session before, if there was one; where a newer login has won
// over it the user logs in anew.
func (d *device) login(s *socket) (session int, err error) {
	d.mu.Lock()
	d.session++
	session = d.session
	generation := d.generation
	d.mu.Unlock()
	data := map[string]any{
		"app_id": d.app.id, "client_id": d.client, "device_id": d.id, "token": d.app.token(d.client),
		"device_type": "other",
	}
	if generation != "" {
		data["resume"], data["generation"] = 1, generation
	}
	d.note(event{Kind: kindLogin, Session: session})
	f, err := s.ask("login", data)
	if err != nil {
		return session, err
	}
	if f.Code != 0 {
		d.setGeneration("")
		return session, fmt.Errorf("login: %d %s", f.Code, f.Msg)
	}
	var in struct {
		Generation string `json:"generation"`
	}
	if err := json.Unmarshal(f.Data, &in); err != nil {
		return session, err
	}
	d.setGeneration(in.Generation)
	return session, nil
}

func (d *device) setGeneration(g string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.generation = g
}

func (d *device) setSocket(s *socket) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.socket = s
	close(d.changed)
	d.changed = make(chan struct{})
}

// online waits until the device is logged in.
func (d *device) online(ctx context.Context) (s *socket, session int, err error) {
	for {
		d.mu.Lock()
		s, session, changed := d.socket, d.session, d.changed
		d.mu.Unlock()
		if s != nil && s.alive() {
			return s, session, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
}

// setAway switches the device off or on.
func (d *device) setAway(away bool) {
	d.away.Store(away)
	if away {
		d.link.cut()
	}
}

// Codes after which a call is made again.
const (
	codeRateLimited = 4290
	codeUnavailable = 5030
)

// do makes a call until it is answered, and more times after that. It tells how
// often no answer came: then the server may do it once more, later.
func (d *device) do(ctx context.Context, op string, in args, more int) (lost int, err error) {
	call, first := fmt.Sprintf("c%d", d.calls.Add(1)), time.Now()
	for {
		s, session, err := d.online(ctx)
		if err != nil {
			return lost, fmt.Errorf("%s of %s/%s was never answered: %w", op, d.client, d.id, err)
		}
		e := event{Session: session, Call: call, Op: op, Conv: in.ConvID}
		begin := e
		begin.Kind, begin.Args = kindCall, &in
		e.Asked = d.note(begin)
		f, err := s.askFor(max(s.wait, patient(answerWait, first)), op, in)
		if err != nil {
			lost++
			e.Kind = kindLost
			d.note(e)
			continue
		}
		if f.Code == codeUnavailable || f.Code == codeRateLimited {
			lost++
			e.Kind, e.Code = kindLost, f.Code
			d.note(e)
			pause(ctx, 100*time.Millisecond)
			continue
		}
		d.note(replied(e, f))
		if more--; more < 0 {
			return lost, nil
		}
	}
}

// pause waits a while, and reports whether ctx has not ended meanwhile.
func pause(ctx context.Context, wait time.Duration) bool {
	select {
	case <-ctx.Done():
	case <-time.After(wait):
	}
	return ctx.Err() == nil
}

// replied is the event of an answer.
func replied(e event, f frame) event {
	e.Kind, e.Code = kindReply, f.Code
	if f.Code != 0 || len(f.Data) == 0 || f.Data[0] != '{' {
		return e
	}
	var v view
	var m message
	if json.Unmarshal(f.Data, &v) != nil || json.Unmarshal(f.Data, &m) != nil {
		e.Code = -1 // the checker says that it cannot be read
		return e
	}
	switch e.Op {
	case "msg.send", "msg.edit", "msg.react":
		e.Seq, e.MsgID = m.Seq, m.ID
		if e.Op != "msg.send" {
			e.Messages = []message{m}
		}
	case "conv.read", "conv.received", "conv.mark":
		v.Last = nil
		e.View = &v
	}
	return e
}

var errStale = errors.New("the server is silent")

// follow is the protocol on a socket after its first sync: it takes the events in order, and syncs
// again when somebody wants that.
func (p *protocol) follow() error {
	d, s := p.device, p.socket
	for {
		select {
		case <-d.wake:
			if err := p.sync(); err != nil {
				return err
			}
		default:
		}
		f, ok, err := s.next(quietWait / 4)
		switch {
		case err != nil:
			return err
		case d.away.Load():
			return nil
		case ok:
			if err := p.handle(f); err != nil {
				return err
			}
		case s.Silence() > deadWait:
			return errStale
		case s.Silence() > quietWait:
			s.ping()
		}
	}
}

// want asks for a sync soon.
func (d *device) want() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// reinstall forgets all that the device knows: its user has a new phone.
func (d *device) reinstall() {
	d.link.cut()
	d.mu.Lock()
	defer d.mu.Unlock()
	for conv := range d.talks {
		d.note(event{Kind: kindGone, Conv: conv})
	}
	d.cursor, d.talks, d.generation = "", map[string]*talk{}, ""
}
