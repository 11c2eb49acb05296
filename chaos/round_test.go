package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// round is one run from an empty store to the truth read at its end.
type round struct {
	seed    uint64
	dir     string
	system  system
	history *history
	calls   atomic.Int64
	apps    []*app
	devices []*device
	users   []*user
	doors   []*registrar
	ending  sync.WaitGroup // faults that last
}

// system is what a round is played on: a server, or several nodes.
type system interface {
	createApp(id string, private bool) (*app, error)
	start() error
	addr() string          // where the backend connects to
	addrs(i int) []string  // where the device with a number connects to, the first that accepts
	ghosts() time.Duration // how long a call whose connection is gone may still be done
	faults() []choice      // what may go wrong with it
	strike(ctx context.Context, f fault) error
	calm() error              // ends all faults that last
	least() int64             // calls before a round ends that plays all its faults, however long they take; zero: it ends when its time is over
	lastWords(r *round) error // what is held against it at the end, when its clients know all
	disaster() string         // a line that no log may hold; empty: there is none
	close()
}

// rng is a stream of choices of its own for each part, so that what one does with
// its own changes nothing for the others.
func (r *round) rng(part uint64) *rand.Rand { return rand.New(rand.NewPCG(r.seed, part)) }

// restWait bounds how long it takes until all has come to rest. It is a bound on despair, on any machine.
const restWait = 5 * time.Minute

// play runs a round on a system and answers its history, which is kept in dir. An error
// says that the round could not be played to its end.
func play(on system, dir string, seed uint64, length time.Duration) (events []event, err error) {
	defer on.close()
	r := &round{seed: seed, dir: dir, system: on, history: newHistory()}
	defer func() {
		events = r.history.all()
		err = errors.Join(err, writeHistory(filepath.Join(dir, "history.jsonl"), events))
	}()
	if err := r.prepare(); err != nil {
		return nil, fmt.Errorf("before the chaos: %w", err)
	}
	if err := r.storm(length); err != nil {
		return nil, err
	}
	if line := on.disaster(); line != "" {
		return nil, fmt.Errorf("the server's log holds %q", line)
	}
	return nil, nil
}

// prepare starts the system and makes apps, conversations and devices.
func (r *round) prepare() error {
	shop, err := r.system.createApp("open", false)
	if err != nil {
		return err
	}
	club, err := r.system.createApp("private", true)
	if err != nil {
		return err
	}
	r.apps = []*app{shop, club}
	if err := r.system.start(); err != nil {
		return err
	}
	if err := r.populate(shop, "a", 9, true); err != nil {
		return err
	}
	return r.populate(club, "p", 6, false)
}

// populate makes the clients c0 … of an app, their conversations and their devices.
// The first two clients are founders, who stay wherever they are.
func (r *round) populate(a *app, prefix string, n int, withRoom bool) error {
	a.addr = r.system.addr()
	r.history.add(event{Kind: kindApp, App: a.id, Private: a.private})
	clients := make([]string, n)
	for i := range clients {
		clients[i] = fmt.Sprintf("%s%d", prefix, i)
		if err := a.must(nil, "POST", "/im/users", map[string]string{"client_id": clients[i]}); err != nil {
			return err
		}
	}
	door := &registrar{
		app: a, ghosts: r.system.ghosts(), rng: r.rng(uint64(100 + len(r.doors))), history: r.history, calls: &r.calls,
		devices: map[string][]*device{}, pairs: [][2]string{{clients[1], clients[n-1]}, {clients[2], clients[n-2]}},
	}
	places := []*place{
		{kind: private, in: map[string]bool{clients[2]: true, clients[3]: true}},
		{kind: group, guests: clients[2:6]},
		{kind: group, guests: clients[3:n]},
	}
	if withRoom {
		places = append(places, &place{kind: room, guests: clients[2:n]}, &place{kind: group, guests: clients[4:7]})
	}
	for i, p := range places {
		if err := r.found(a, p, clients[:2]); err != nil {
			return err
		}
		switch {
		case i == 4:
			door.doomed = p.id
		case p.kind != private:
			door.places = append(door.places, p)
		}
	}
	r.doors = append(r.doors, door)
	return r.equip(a, door, clients)
}

// found makes a place; half of the guests are in from the start.
func (r *round) found(a *app, p *place, founders []string) error {
	if p.kind == private {
		founders = nil
	} else {
		p.in = map[string]bool{}
		for i, guest := range p.guests {
			p.in[guest] = i%2 == 0
		}
	}
	e := p.founded(a.id, founders)
	var err error
	if p.id, err = a.create(p.kind, e.Members...); err != nil {
		return err
	}
	e.Conv = p.id
	r.history.add(e)
	return nil
}

// equip gives each client one device or two, and a user to each.
func (r *round) equip(a *app, door *registrar, clients []string) error {
	for i, client := range clients {
		for j := range 1 + i%2 {
			d, err := newDevice(a, client, fmt.Sprintf("d%d", j), r.system.addrs(len(r.devices)), r.history, &r.calls, (i+j)%3 == 0)
			if err != nil {
				return err
			}
			door.devices[client] = append(door.devices[client], d)
			r.devices = append(r.devices, d)
			r.users = append(r.users, &user{device: d, rng: r.rng(uint64(1000 + len(r.users))), others: clients})
		}
	}
	return nil
}

// storm lets everything happen at once for a while, waits until it has come to
// rest, and reads what came of it.
func (r *round) storm(length time.Duration) error {
	life, end := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer end()
	for _, d := range r.devices {
		running.Go(func() { d.run(life) })
		defer d.link.close()
	}
	over, stop := r.until(life, length)
	defer stop()
	patience, give := context.WithTimeout(life, length+restWait)
	defer give()
	deeds := r.everybody(over, patience)
	err := r.strike(over, length)
	for r.calls.Load() < r.system.least() && err == nil && pause(patience, 50*time.Millisecond) {
	}
	stop()
	r.ending.Wait()
	err = errors.Join(err, r.calm(), deeds())
	if err != nil {
		return err
	}
	if err := r.farewell(patience); err != nil {
		return err
	}
	if err := r.rest(); err != nil {
		return err
	}
	if err := r.system.lastWords(r); err != nil {
		return err
	}
	end() // nobody adds to the history any more
	running.Wait()
	return r.reckon()
}

// until ends when the faults are over: after a time, or when it is told.
func (r *round) until(life context.Context, length time.Duration) (context.Context, context.CancelFunc) {
	if r.system.least() > 0 {
		return context.WithCancel(life)
	}
	return context.WithTimeout(life, length)
}

// everybody lets users and registrars act; the answer waits for their end.
func (r *round) everybody(over, patience context.Context) (wait func() error) {
	var acting sync.WaitGroup
	errs := make(chan error, len(r.users)+len(r.doors))
	for _, u := range r.users {
		acting.Go(func() { errs <- u.act(over, patience) })
	}
	for _, door := range r.doors {
		acting.Go(func() { errs <- door.act(over, patience) })
	}
	return func() error {
		acting.Wait()
		close(errs)
		var all error
		for err := range errs {
			all = errors.Join(all, err)
		}
		return all
	}
}

// strike does the plan of the seed.
func (r *round) strike(over context.Context, length time.Duration) error {
	server, network := plan(r.rng(1), r.system.faults(), length, len(r.devices))
	var striking sync.WaitGroup
	var err error
	striking.Go(func() { err = runPlan(over, server, r.strikeSystem) })
	_ = runPlan(over, network, r.strikeNetwork) // fails never
	striking.Wait()
	if _, timed := over.Deadline(); timed {
		<-over.Done()
	}
	return err
}

// calm ends all faults.
func (r *round) calm() error {
	r.history.add(event{Kind: kindFault, Text: "calm"})
	for _, d := range r.devices {
		d.calm()
	}
	return r.system.calm()
}

// rest waits until every device has done two syncs and has nothing left to fetch.
func (r *round) rest() error {
	before := make([]int, len(r.devices))
	for i, d := range r.devices {
		before[i], _ = d.resting()
	}
	for deadline := time.Now().Add(restWait); ; pause(context.Background(), 50*time.Millisecond) {
		restless := ""
		for i, d := range r.devices {
			d.want()
			if n, behind := d.resting(); n < before[i]+2 || behind != "" {
				restless = fmt.Sprintf("%s/%s: %d syncs, behind in %q", d.client, d.id, n-before[i], behind)
			}
		}
		if restless == "" {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not at rest %v after the last fault: %s", restWait, restless)
		}
	}
}

// resting is how many syncs a device has done, and a conversation that it lags
// behind in.
func (d *device) resting() (syncs int, behind string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for conv, t := range d.talks {
		if t.behind() {
			behind = conv
		}
	}
	return d.rested, behind
}

// reckon notes what every device holds, and the truth.
func (r *round) reckon() error {
	for _, d := range r.devices {
		for _, conv := range slices.Sorted(maps.Keys(d.talks)) {
			t := d.talks[conv]
			d.note(event{Kind: kindHold, Conv: conv, Seq: t.last, Change: t.change, Messages: t.held()})
		}
	}
	for _, door := range r.doors {
		for _, client := range slices.Sorted(maps.Keys(door.devices)) {
			if err := r.lists(door.app, client); err != nil {
				return err
			}
		}
	}
	return r.truth()
}

// lists notes a client's conversations as conv.list and a first sync show them.
func (r *round) lists(a *app, client string) error {
	listed, err := a.views(client)
	if err != nil {
		return err
	}
	synced, err := a.synced(client)
	if err != nil {
		return err
	}
	for _, v := range listed {
		r.history.add(event{Kind: kindView, App: a.id, Client: client, Op: "conv.list", Conv: v.ConvID, View: &v})
	}
	for _, v := range synced {
		r.history.add(event{Kind: kindView, App: a.id, Client: client, Op: "sync", Conv: v.ConvID, View: &v})
	}
	return nil
}

// truth notes every conversation as the backend reads it; one that was deleted is
// not there.
func (r *round) truth() error {
	for _, e := range r.history.all() {
		if e.Kind != kindConv || slices.ContainsFunc(r.doors, func(d *registrar) bool { return slices.Contains(d.deleted, e.Conv) }) {
			continue
		}
		a := r.apps[slices.IndexFunc(r.apps, func(a *app) bool { return a.id == e.App })]
		truth := event{Kind: kindTruth, App: a.id, Conv: e.Conv}
		var err error
		if truth.Members, err = a.members(e.Conv); err != nil {
			return err
		}
		if truth.Messages, err = a.messages(e.Conv); err != nil {
			return err
		}
		if truth.Changes, err = a.changes(e.Conv); err != nil {
			return err
		}
		r.history.add(truth)
	}
	return nil
}

// synced is what a first sync shows.
func (a *app) synced(client string) ([]view, error) {
	var all []view
	for cursor := ""; ; {
		var page json.RawMessage
		path := "/im/users/" + client + "/sync?limit=2"
		if cursor != "" {
			path += "&cursor=" + url.QueryEscape(cursor)
		}
		if err := a.must(&page, "GET", path, nil); err != nil {
			return nil, err
		}
		var in synced
		if err := json.Unmarshal(page, &in); err != nil {
			return nil, err
		}
		all = append(all, in.Views...)
		if in.Done {
			return all, nil
		}
		cursor = in.Next
	}
}
