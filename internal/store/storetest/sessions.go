package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

var sessions = []check{
	{"a login is a session from then on, with a generation that grows", growingGenerations},
	{"who stays where not all can is decided by the rule", whoStays},
	{"of racing logins one is left of a device, and all are told the same", racingLogins},
	{"of racing logins as many are left as the client may have", racingDevices},
	{"a session that leaves is told once, and whether it was the last", leaving},
	{"one of two racing goodbyes is the last", racingGoodbyes},
	{"a displaced session is told to its node until it left", displacedUntilLeft},
	{"the sessions of a node whose lease ended are answered by ExpireNodes", leaseEnds},
	{"a node that comes back enters its sessions with their old generations", nodeComesBack},
	{"without a lease nobody enters", noLease},
	{"nodes are counted that renewed their lease within a time", countedNodes},
	{"sessions of another app are others", sessionsOfApps},
	{"a login sees every commit that was answered before it, and none that comes later", loginSeesCommits},
}

const lease = 5 * time.Second

// node renews the lease of a node with that name.
func (f *fixture) node(name string) (held bool) {
	f.Helper()
	_, held, err := f.RenewNode(f.Context(), name, lease)
	f.must(err)
	return held
}

// sessionID ascends with n.
func sessionID(n int) string { return fmt.Sprintf("%032x", n) }

// login is a new login of Tom.
func login(node, device string, id int) store.Login {
	return store.Login{Session: store.Session{App: "shop", Client: "Tom", Device: device, ID: sessionID(id), Node: node}}
}

// enter lets a login in and answers its generation.
func (f *fixture) enter(l store.Login) int64 {
	f.Helper()
	as, err := f.EnterSession(f.Context(), l)
	f.must(err)
	return as.Generation
}

// there is the ids of Tom's sessions, by device.
func (f *fixture) there() string {
	f.Helper()
	all, err := f.SessionsOf(f.Context(), "shop", []string{"Tom"})
	f.must(err)
	return words(all)
}

func words(all []store.Session) string {
	var out []string
	for _, s := range all {
		out = append(out, s.Device+":"+strings.TrimLeft(s.ID, "0"))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func reasons(displaced []store.Displaced) string {
	var out []string
	for _, d := range displaced {
		out = append(out, d.Device+" "+d.Reason)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func growingGenerations(f *fixture) {
	f.node("one")
	f.node("two")
	var before int64
	for i := range 20 {
		l := login([]string{"one", "two"}[i%2], fmt.Sprint("d", i), 100-i)
		l.DeviceType = skein.DeviceType(i % 3)
		got := f.enter(l)
		if got <= before {
			f.Fatalf("login %d: generation %d after %d", i, got, before)
		}
		before = got
	}
	all, err := f.SessionsOf(f.Context(), "shop", []string{"Jerry", "Tom"})
	f.must(err)
	newest := slices.MaxFunc(all, func(a, b store.Session) int { return cmp.Compare(a.Generation, b.Generation) })
	equal(f, "the newest of them", newest, store.Session{
		App: "shop", Client: "Tom", Device: "d19", DeviceType: 1, ID: sessionID(81), Node: "two", Generation: before,
	})
	equal(f, "sessions", len(all), 20)
}

// entrant is one login of a table: "phone/1 g3 on two as 7" is of the device phone of
// type 1, resumes the generation 3 (n: is new), on node two, with the id 7.
type entrant string

func (e entrant) login(f *fixture, generations map[string]int64) store.Login {
	f.Helper()
	words := strings.Fields(string(e))
	var typ, id int
	device, kind, _ := strings.Cut(words[0], "/")
	if _, err := fmt.Sscan(kind+" "+words[5], &typ, &id); err != nil {
		f.Fatalf("entrant %q: %v", e, err)
	}
	l := login(words[3], device, id)
	l.DeviceType = skein.DeviceType(typ)
	if words[1] != "new" {
		l.Resumed, l.Generation = true, generations[words[1]]
	}
	return l
}

func whoStays(f *fixture) {
	f.node("one")
	f.node("two")
	tests := map[string]struct {
		max     int
		perType bool
		there   []entrant
		comes   entrant
		refused string
		gone    string
	}{
		"a new login takes its device":               {there: []entrant{"phone/1 g1 on one as 1", "desk/4 g2 on two as 2"}, comes: "phone/1 new on one as 3", gone: "phone replaced"},
		"on another node too, whatever its id":       {there: []entrant{"phone/1 g5 on one as 9"}, comes: "phone/1 new on two as 3", gone: "phone replaced"},
		"the later asked on one node stays":          {there: []entrant{"phone/1 new on one as 9"}, comes: "phone/1 new on one as 3", refused: "replaced"},
		"a resume takes its own half-open socket":    {there: []entrant{"phone/1 g3 on one as 3"}, comes: "phone/1 g3 on two as 2", gone: "phone replaced"},
		"the later asked of two resumes stays":       {there: []entrant{"phone/1 g3 on one as 6"}, comes: "phone/1 g3 on one as 5", refused: "replaced"},
		"a resume gives way to a newer login":        {there: []entrant{"phone/1 g4 on one as 4"}, comes: "phone/1 g3 on two as 9", refused: "replaced"},
		"on one node too":                            {there: []entrant{"phone/1 new on one as 4"}, comes: "phone/1 g3 on one as 9", refused: "replaced"},
		"a resumed login is not made newer by it":    {there: []entrant{"phone/1 g2 on one as 9"}, comes: "phone/1 g3 on one as 1", gone: "phone replaced"},
		"a resume of nothing gives way to any":       {there: []entrant{"phone/1 g1 on one as 1"}, comes: "phone/1 g0 on one as 9", refused: "replaced"},
		"a resume of nothing finds room":             {there: []entrant{"desk/4 g1 on one as 1"}, comes: "phone/1 g0 on one as 9"},
		"types live side by side":                    {perType: true, there: []entrant{"desk/4 g1 on one as 1"}, comes: "phone/1 new on two as 2"},
		"one a type":                                 {perType: true, there: []entrant{"old/1 g1 on one as 1", "desk/4 g2 on one as 2"}, comes: "phone/1 new on two as 3", gone: "old device_type"},
		"all of the type go":                         {perType: true, there: []entrant{"a/1 g1 on one as 1", "b/3 g3 on one as 3"}, comes: "phone/1 new on two as 4", gone: "a device_type"},
		"a device that changes its type frees both":  {perType: true, there: []entrant{"phone/1 g1 on one as 1", "b/3 g2 on two as 2"}, comes: "phone/3 new on two as 3", gone: "b device_type, phone replaced"},
		"of a type the newer stays":                  {perType: true, there: []entrant{"b/1 g4 on one as 4"}, comes: "phone/1 g3 on two as 9", refused: "device_type"},
		"refused for one it displaces no other":      {perType: true, there: []entrant{"phone/4 g1 on one as 1", "b/1 g4 on one as 4"}, comes: "phone/1 g3 on two as 9", refused: "device_type"},
		"one too many displaces the oldest":          {max: 2, there: []entrant{"b/1 g2 on one as 1", "a/1 g1 on two as 2"}, comes: "phone/1 new on two as 3", gone: "a device_limit"},
		"who comes as the oldest of too many goes":   {max: 2, there: []entrant{"a/1 g4 on one as 4", "b/1 g5 on one as 5"}, comes: "phone/1 g3 on one as 9", refused: "device_limit"},
		"a replaced device leaves a place":           {max: 2, there: []entrant{"phone/1 g1 on one as 1", "b/1 g2 on one as 2"}, comes: "phone/1 new on two as 3", gone: "phone replaced"},
		"a limit that was lowered takes hold":        {max: 2, there: []entrant{"a/1 g1 on one as 1", "b/1 g2 on two as 2", "c/1 g3 on one as 3"}, comes: "phone/1 new on two as 5", gone: "a device_limit, b device_limit"},
		"and not while one of those is the newer":    {max: 2, there: []entrant{"a/1 g1 on one as 1", "b/1 g4 on one as 6", "c/1 g5 on one as 7"}, comes: "phone/1 g3 on two as 9", refused: "device_limit"},
		"a generation from the future is a new one":  {there: []entrant{"phone/1 g5 on one as 1"}, comes: "phone/1 never on two as 2", gone: "phone replaced"},
		"and gives way as any other":                 {there: []entrant{"phone/1 never on two as 2"}, comes: "phone/1 new on one as 3", gone: "phone replaced"},
		"a session that enters again displaces none": {there: []entrant{"phone/1 g5 on one as 1"}, comes: "phone/1 g5 on one as 1"},
	}
	for name, tt := range tests {
		generations := map[string]int64{"g0": 0, "never": 1 << 62}
		for i := range 5 {
			l := login("one", "x", 1)
			l.Client = "Spike"
			generations[fmt.Sprint("g", i+1)] = f.enter(l)
			f.leave(l.Session)
		}
		for _, e := range tt.there {
			f.enter(e.login(f, generations))
		}
		before := f.there()
		l := tt.comes.login(f, generations)
		l.MaxDevices, l.OnePerType = tt.max, tt.perType
		as, err := f.EnterSession(f.Context(), l)
		refused := ""
		if superseded, ok := errors.AsType[*store.Superseded](err); ok {
			refused = superseded.Reason
			equal(f, name+": who is there after a refusal", f.there(), before)
		} else {
			f.must(err)
			if l.Resumed && l.Generation != generations["never"] {
				equal(f, name+": generation", as.Generation, l.Generation)
			}
		}
		equal(f, name+": refused", refused, tt.refused)
		equal(f, name+": displaced", reasons(as.Displaced), tt.gone)
		all, err := f.SessionsOf(f.Context(), "shop", []string{"Tom"})
		f.must(err)
		f.leave(all...)
	}
}

func (f *fixture) leave(sessions ...store.Session) []store.Departure {
	f.Helper()
	left, err := f.LeaveSessions(f.Context(), sessions)
	f.must(err)
	return left
}

func leaving(f *fixture) {
	f.node("one")
	f.enter(login("one", "phone", 1))
	f.enter(login("one", "desk", 2))
	phone, desk := login("one", "phone", 1).Session, login("one", "desk", 2).Session
	last := func(left []store.Departure) (out []string) {
		for _, d := range left {
			out = append(out, fmt.Sprint(d.Device, " ", d.Last))
		}
		return out
	}
	equal(f, "the first", last(f.leave(phone)), []string{"phone false"})
	equal(f, "again", last(f.leave(phone)), nil)
	equal(f, "who is there", f.there(), "desk:2")
	equal(f, "the last, with one that is not there", last(f.leave(phone, desk)), []string{"desk true"})
	equal(f, "who is there", f.there(), "")
}

func racingGoodbyes(f *fixture) {
	const n = 50
	f.node("one")
	for i := range n {
		f.enter(login("one", fmt.Sprint("d", i), i))
	}
	var mu sync.Mutex
	last := 0
	f.together(2*n, func(i int) error {
		left, err := f.LeaveSessions(f.Context(), []store.Session{login("one", fmt.Sprint("d", i%n), i%n).Session})
		mu.Lock()
		defer mu.Unlock()
		for _, d := range left {
			if d.Last {
				last++
			}
		}
		return err
	})
	equal(f, "goodbyes that were the last", last, 1)
}

func displacedUntilLeft(f *fixture) {
	f.node("one")
	f.node("two")
	f.enter(login("one", "phone", 1))
	f.enter(login("two", "phone", 2))
	told := func(node string) string {
		displaced, held, err := f.RenewNode(f.Context(), node, lease)
		f.must(err)
		equal(f, "held", held, true)
		return reasons(displaced)
	}
	equal(f, "the loser's node", told("one"), "phone replaced")
	equal(f, "the winner's node", told("two"), "")
	equal(f, "the loser's node again", told("one"), "phone replaced")
	equal(f, "departures of who is gone already", len(f.leave(login("one", "phone", 1).Session)), 0)
	equal(f, "the loser's node, after it left", told("one"), "")
	equal(f, "who is there", f.there(), "phone:2")
}

func (f *fixture) expire() []string {
	f.Helper()
	left, err := f.ExpireNodes(f.Context())
	f.must(err)
	var out []string
	for _, d := range left {
		out = append(out, fmt.Sprintf("%s %s %v", d.Node, d.Device, d.Last))
	}
	slices.Sort(out)
	return out
}

func leaseEnds(f *fixture) {
	f.node("one")
	f.enter(login("one", "phone", 1))
	f.pass(2 * time.Second)
	f.node("two")
	f.enter(login("two", "desk", 2))
	f.pass(lease - 2*time.Second)
	equal(f, "at the end of the lease", f.expire(), nil)
	f.pass(time.Millisecond)
	equal(f, "who is there until then", f.there(), "desk:2 phone:1")
	equal(f, "behind it", f.expire(), []string{"one phone false"})
	equal(f, "again", f.expire(), nil)
	equal(f, "who is there", f.there(), "desk:2")
	f.pass(lease)
	equal(f, "a lease that ended and was renewed in time is held", f.node("two"), true)
	equal(f, "after the renewal", f.expire(), nil)
	f.pass(lease + time.Millisecond)
	equal(f, "the last", f.expire(), []string{"two desk true"})
}

func nodeComesBack(f *fixture) {
	f.node("one")
	f.node("two")
	first := f.enter(login("one", "phone", 1))
	desk := f.enter(login("one", "desk", 2))
	f.pass(lease + time.Millisecond)
	f.node("two")
	equal(f, "expired", f.expire(), []string{"one desk false", "one phone true"})
	f.enter(login("two", "phone", 3)) // meanwhile
	equal(f, "the lease of the node that comes back is held", f.node("one"), false)
	again := login("one", "desk", 2)
	again.Generation = desk
	equal(f, "the generation of the desk", f.enter(again), desk)
	again = login("one", "phone", 1)
	again.Generation = first
	_, err := f.EnterSession(f.Context(), again)
	superseded, ok := errors.AsType[*store.Superseded](err)
	if !ok || superseded.Reason != skein.KickReplaced {
		f.Fatalf("the phone that logged in elsewhere meanwhile: got %v, want %s", err, skein.KickReplaced)
	}
	equal(f, "who is there", f.there(), "desk:2 phone:3")
	equal(f, "the lease is held now", f.node("one"), true)
}

func noLease(f *fixture) {
	_, err := f.EnterSession(f.Context(), login("one", "phone", 1))
	f.wantErr(err, store.ErrNoLease)
	f.node("one")
	f.enter(login("one", "phone", 1))
	f.pass(lease + time.Millisecond)
	f.expire()
	_, err = f.EnterSession(f.Context(), login("one", "phone", 2))
	f.wantErr(err, store.ErrNoLease)
	equal(f, "who is there", f.there(), "")
}

func sessionsOfApps(f *fixture) {
	f.node("one")
	f.enter(login("one", "phone", 1))
	other := login("one", "phone", 2)
	other.App = "other"
	as, err := f.EnterSession(f.Context(), other)
	f.must(err)
	equal(f, "displaced by another app's Tom", reasons(as.Displaced), "")
	equal(f, "who is there", f.there(), "phone:1")
	equal(f, "the other app's Tom was its last", f.leave(other.Session)[0].Last, true)
}

func countedNodes(f *fixture) {
	const within = 1250 * time.Millisecond
	count := func(name string, want int) {
		f.Helper()
		got, err := f.CountNodes(f.Context(), lease-within)
		f.must(err)
		equal(f, "nodes "+name, got, want)
	}
	count("before any came", 0)
	f.node("one")
	f.node("two")
	count("that came", 2)
	f.pass(time.Second)
	f.node("one")
	count("a second later", 2)
	f.pass(within - time.Second)
	count("of which one renewed", 1)
	f.node("two")
	count("that came back", 2)
	f.pass(lease + time.Millisecond)
	f.expire()
	count("whose leases ended", 0)
}

func loginSeesCommits(f *fixture) {
	f.app("shop", "Tom", "ann")
	conv := f.group("shop", "Tom", "ann")
	f.node("one")
	var stamps []int64
	for id, commit := range []func(){
		func() { f.say("shop", conv, "ann", "hi") },
		func() { f.change("shop", f.history("shop", conv)[0], "ann", edit("ho")) },
		func() { f.sayMany("shop", conv, "ann", 3) },
	} {
		before, err := f.EnterSession(f.Context(), login("one", "phone", 2*id))
		f.must(err)
		commit()
		after, err := f.EnterSession(f.Context(), login("one", "phone", 2*id+1))
		f.must(err)
		stamps = append(stamps, f.lastStamp())
		for i, stamp := range stamps {
			equal(f, fmt.Sprintf("login before commit %d sees commit %d", id, i), before.Snapshot.Has(stamp), i < id)
			equal(f, fmt.Sprintf("login after commit %d sees commit %d", id, i), after.Snapshot.Has(stamp), true)
		}
	}
}
