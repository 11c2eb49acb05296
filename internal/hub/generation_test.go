package hub

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/skein-im/skein"
)

// entry is one login of Tom's in a table: "phone/ios 3" is a new login with the
// generation 3, "phone/ios 3 as 7" a session with the id 7 that resumes it.
type entry string

func (e entry) login(t testing.TB, conn Conn) Login {
	t.Helper()
	device, kind, _ := strings.Cut(strings.Fields(string(e))[0], "/")
	var generation, id int
	if n, _ := fmt.Sscanf(strings.SplitN(string(e), " ", 2)[1], "%d as %d", &generation, &id); n == 1 {
		id = generation
	}
	deviceType, _ := skein.ParseDeviceType(kind)
	return Login{
		App: "shop", Client: "Tom", Device: device, DeviceType: deviceType,
		ID: sessionID(id), Generation: sessionID(generation), Conn: conn,
	}
}

func TestWhoStaysWhenThereIsNoRoomForAll(t *testing.T) {
	for name, tt := range map[string]struct {
		max     int
		perType bool
		there   []entry
		comes   entry
		refused string // reason; empty: it is let in
		kicked  string // "device reason" of those who go
	}{
		"a new login takes its device":                       {there: []entry{"phone/ios 1", "desk/desktop 2"}, comes: "phone/ios 3", kicked: "phone replaced"},
		"a resume takes its own half-open socket":            {there: []entry{"phone/ios 3"}, comes: "phone/ios 3 as 5", kicked: "phone replaced"},
		"and again, when the answer was lost":                {there: []entry{"phone/ios 3 as 5"}, comes: "phone/ios 3 as 6", kicked: "phone replaced"},
		"of two resumes of one login the later asked stays":  {there: []entry{"phone/ios 3 as 6"}, comes: "phone/ios 3 as 5", refused: "replaced"},
		"a resume gives way to a newer login":                {there: []entry{"phone/ios 4"}, comes: "phone/ios 3 as 9", refused: "replaced"},
		"a resumed login is not made newer by it":            {there: []entry{"phone/ios 2 as 9"}, comes: "phone/ios 3 as 10", kicked: "phone replaced"},
		"a resume of nothing gives way to any":               {there: []entry{"phone/ios 1"}, comes: "phone/ios 0 as 9", refused: "replaced"},
		"a resume of nothing finds room":                     {there: []entry{"desk/desktop 1"}, comes: "phone/ios 0 as 9"},
		"types live side by side":                            {perType: true, there: []entry{"desk/desktop 1"}, comes: "phone/ios 2"},
		"one a type":                                         {perType: true, there: []entry{"old/ios 1", "desk/desktop 2"}, comes: "phone/ios 3", kicked: "old device_type"},
		"the same device is replaced, not of its type":       {perType: true, there: []entry{"phone/ios 1"}, comes: "phone/ios 3", kicked: "phone replaced"},
		"all of the type go":                                 {perType: true, there: []entry{"a/ios 1", "b/ios 2", "c/web 3"}, comes: "phone/ios 4", kicked: "a device_type, b device_type"},
		"a device that changes its type frees both":          {perType: true, there: []entry{"phone/ios 1", "b/web 2"}, comes: "phone/web 3", kicked: "b device_type, phone replaced"},
		"of a type the newer stays":                          {perType: true, there: []entry{"b/ios 4"}, comes: "phone/ios 3 as 9", refused: "device_type"},
		"who loses one place takes no other":                 {perType: true, there: []entry{"phone/ios 1", "b/ios 4"}, comes: "phone/ios 3 as 9", refused: "device_type"},
		"without the policy types do not matter":             {there: []entry{"b/ios 4"}, comes: "phone/ios 3 as 9"},
		"one too many kicks the oldest":                      {max: 2, there: []entry{"b/ios 2", "a/ios 1"}, comes: "phone/ios 3", kicked: "a device_limit"},
		"the oldest by generation, not by id":                {max: 2, there: []entry{"a/ios 1 as 8", "b/ios 2"}, comes: "phone/ios 3 as 9", kicked: "a device_limit"},
		"who comes as the oldest of too many is the one":     {max: 2, there: []entry{"a/ios 4", "b/ios 5"}, comes: "phone/ios 3 as 9", refused: "device_limit"},
		"a replaced device makes room":                       {max: 2, there: []entry{"phone/ios 1", "b/ios 2"}, comes: "phone/ios 3", kicked: "phone replaced"},
		"a limit that was lowered takes hold":                {max: 2, there: []entry{"a/ios 1", "b/ios 2", "c/ios 3", "d/ios 4"}, comes: "phone/ios 5", kicked: "a device_limit, b device_limit, c device_limit"},
		"and not while one of those who would go is younger": {max: 2, there: []entry{"a/ios 1", "b/ios 6", "c/ios 7"}, comes: "phone/ios 5 as 9", refused: "device_limit"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, h *Hub) {
				conns := map[string]*fakeConn{}
				for _, e := range tt.there {
					conn := newConn()
					l := e.login(t, conn)
					conns[l.Device] = conn
					attachLogin(t, h, l)
				}
				l := tt.comes.login(t, newConn())
				l.MaxDevices, l.OnePerType = tt.max, tt.perType
				s, err := h.Attach(l)
				reason := ""
				if superseded, ok := errors.AsType[*Superseded](err); ok {
					reason = superseded.Reason
				} else {
					s.Answer([]byte("hello"))
					check(t, "generation", s.Generation(), l.Generation)
				}
				check(t, "refused for", reason, tt.refused)
				synctest.Wait()
				var kicked []string
				for device, conn := range conns {
					if got := conn.ended(); got != "open" {
						kicked = append(kicked, device+strings.TrimPrefix(got, "4401"))
					}
				}
				slices.Sort(kicked)
				check(t, "kicked", strings.Join(kicked, ", "), tt.kicked)
			})
		})
	}
}

// Whatever the order in which concurrent logins come to the lock, the same one is
// left of a device, and the newest of too many devices are.
func TestTheOrderOfConcurrentLoginsDecidesNothing(t *testing.T) {
	const logins = 40
	for name, tt := range map[string]struct {
		device func(i int) string
		limit  int
		left   []int
	}{
		"of one device": {func(int) string { return "phone" }, 10, []int{logins - 1}},
		"of many":       {func(i int) string { return fmt.Sprint("d", i) }, 3, []int{logins - 3, logins - 2, logins - 1}},
	} {
		t.Run(name, func(t *testing.T) {
			h := New(Options{})
			defer func() { _ = h.Close(t.Context()) }()
			var all sync.WaitGroup
			for i := range logins {
				all.Go(func() {
					_, err := h.Attach(Login{
						App: "shop", Client: "Tom", Device: tt.device(i), ID: sessionID(i), MaxDevices: tt.limit, Conn: new(countingConn),
					})
					var superseded *Superseded
					if err != nil && !errors.As(err, &superseded) {
						t.Errorf("login %d: %v", i, err)
					}
				})
			}
			all.Wait()
			for i := range logins {
				check(t, fmt.Sprint("login ", i, " is attached"), h.Attached("shop", "Tom", sessionID(i)), slices.Contains(tt.left, i))
			}
			h.KickApp("shop", "over")
		})
	}
}

// told is what Came and Left were told, in order.
type told struct {
	mu   sync.Mutex
	said []string
}

func (w *told) say(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

func (w *told) options() Options {
	return Options{
		Came: func(_, client string) { w.say("%s came", client) },
		Left: func(_, client, session string, last bool) {
			w.say("%s left %s %v", client, strings.TrimLeft(session, "0"), last)
		},
	}
}

func TestWhoComesAndGoesIsTold(t *testing.T) {
	for name, tt := range map[string]struct {
		do   func(t *testing.T, h *Hub, phone, desk *Session)
		want string
	}{
		"a socket goes":          {func(_ *testing.T, _ *Hub, phone, _ *Session) { phone.Detach(); phone.Detach() }, "Tom left 1 false"},
		"and then the last":      {func(_ *testing.T, _ *Hub, phone, desk *Session) { desk.Detach(); phone.Detach() }, "Tom left 2 false, Tom left 1 true"},
		"a device logs in again": {func(t *testing.T, h *Hub, _, _ *Session) { attach(t, h, "phone", 3, newConn()) }, "Tom came, Tom left 1 false"},
		"a refused login":        {func(_ *testing.T, h *Hub, _, _ *Session) { _, _ = h.Attach(entry("phone/ios 0").login(t, newConn())) }, ""},
		"a kick of one": {func(_ *testing.T, h *Hub, _, _ *Session) {
			h.Kick(Target{App: "shop", Client: "Tom", Device: "desk"}, "x")
		}, "Tom left 2 false"},
		"a kick of all": {func(_ *testing.T, h *Hub, _, _ *Session) { h.Kick(Target{App: "shop"}, "x") }, "Tom left 2 false, Tom left 1 true"},
		"the goodbye of a logout": {func(_ *testing.T, _ *Hub, phone, _ *Session) {
			phone.Begin()
			phone.Finish([]byte("bye"), 1000, "logout")
		}, "Tom left 1 false"},
		"a socket that is broken": {func(_ *testing.T, h *Hub, phone, _ *Session) {
			phone.fail(nil)
			h.sweep(h.now())
			phone.ping()
			phone.Detach()
		}, "Tom left 1 false"},
	} {
		t.Run(name, func(t *testing.T) {
			var w told
			inBubble(t, w.options(), func(t *testing.T, h *Hub) {
				phone, desk := attach(t, h, "phone", 1, newConn()), attach(t, h, "desk", 2, newConn())
				check(t, "after two logins", strings.Join(w.said, ", "), "Tom came, Tom came")
				w.said = nil
				tt.do(t, h, phone, desk)
				synctest.Wait()
				check(t, "told", strings.Join(w.said, ", "), tt.want)
			})
		})
	}
}

func TestAnEventForOneSession(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		phone, desk := newConn(), newConn()
		attach(t, h, "phone", 1, phone)
		attach(t, h, "desk", 2, desk)
		check(t, "to the desk", h.DeliverTo("shop", "Tom", sessionID(2), []byte("hi")), true)
		check(t, "to nobody's session", h.DeliverTo("shop", "Tom", sessionID(3), []byte("hi")), false)
		check(t, "to another client's", h.DeliverTo("shop", "Jerry", sessionID(2), []byte("hi")), false)
		synctest.Wait()
		check(t, "the desk", desk.wrote(), "hello hi")
		check(t, "the phone", phone.wrote(), "hello")
	})
}

func TestAKickOfThoseWithoutATokenSparesTheOthers(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Hub) {
		open, proven := newConn(), newConn()
		attachLogin(t, h, Login{App: "shop", Client: "Tom", Device: "a", ID: sessionID(1), Conn: open})
		attachLogin(t, h, Login{App: "shop", Client: "Tom", Device: "b", ID: sessionID(2), Conn: proven, Expires: h.now().Add(1e12)})
		check(t, "kicked", h.Kick(Target{App: "shop", WithoutToken: true}, "logged_out"), 1)
		synctest.Wait()
		check(t, "without a token", open.ended(), "4401 logged_out")
		check(t, "with one", proven.ended(), "open")
	})
}
