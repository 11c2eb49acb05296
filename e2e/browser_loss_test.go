package e2e

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestBrowserServerLoss(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := browse(t)
	tom := c.tab(t, "Tom", desk)
	jerry := c.tab(t, "Jerry", desk)
	tom.enter(s, "Tom", "")
	jerry.enter(s, "Jerry", "")
	tom.talkTo("", "Jerry")
	tom.say("one")
	jerry.until("the conversation", `document.querySelector(".conv")`)
	jerry.click(".conv")
	jerry.hears("one")
	jerry.say("two")
	tom.hears("one", "two")

	s.Kill(t)
	for _, p := range []*tab{tom, jerry} {
		p.until("the offline bar", `!document.querySelector('[data-test="offline"]').hidden`)
		p.until("its countdown", `/Next try in \d+ s|Trying again/.test(document.querySelector('[data-test="offline"]').innerText)`)
	}
	// What is written now waits.
	tom.say("three")
	tom.say("four")
	jerry.say("five")
	tom.until("the waiting messages", `document.querySelectorAll(".message.own.sending").length === 2`)
	tom.sees("Waiting for the connection")
	tom.until("a countdown to show", `/Next try in [1-9]/.test(document.querySelector('[data-test="offline"]').innerText)`)
	tom.shot("offline-light")

	s.Restart(t)
	for _, p := range []*tab{tom, jerry} {
		p.do(`[...document.querySelectorAll('[data-test="offline"] button')].forEach((b) => b.click())`)
		p.until("the bar to go", `document.querySelector('[data-test="offline"]').hidden`)
		p.until("five lines, sent", `document.querySelectorAll(".message").length === 5 && !document.querySelector(".message.sending, .message.failed")`)
	}
	a, b := tom.said(), jerry.said()
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("Tom reads %q, Jerry %q: want the same order", a, b)
	}
	for _, line := range []string{"one", "two", "three", "four", "five"} {
		if n := strings.Count(" "+strings.Join(a, "  ")+" ", " "+line+" "); n != 1 {
			t.Errorf("after the restart %q is there %d times in %q, want once", line, n, a)
		}
	}
	if at := strings.Join(a, " "); strings.Index(at, "three") > strings.Index(at, "four") {
		t.Errorf("after the restart Tom's lines are out of order: %q", a)
	}
	// The talk goes on, live.
	jerry.say("six")
	tom.until("the sixth", `[...document.querySelectorAll(".bubble")].at(-1).innerText === "six"`)
	c.silent(t)
}

// cable is a way to the server that can be cut.
type cable struct {
	Addr string
	to   string

	mu    sync.Mutex
	cut   bool                  // guarded by mu
	conns map[net.Conn]struct{} // guarded by mu
}

func newCable(t *testing.T, s *server) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{Addr: l.Addr().String(), to: s.Addr, conns: map[net.Conn]struct{}{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { c.carry(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		c.Cut(true)
		running.Wait()
	})
	return c
}

// Cut breaks all connections and refuses new ones. With false it ends that.
func (c *cable) Cut(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if cut {
		for conn := range c.conns {
			_ = conn.Close()
		}
	}
}

// hold keeps a connection for Cut; false: it is cut.
func (c *cable) hold(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.cut {
		c.conns[conn] = struct{}{}
	}
	return !c.cut
}

func (c *cable) drop(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, conn)
	_ = conn.Close()
}

func (c *cable) carry(from net.Conn) {
	defer c.drop(from)
	if !c.hold(from) {
		return
	}
	to, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer c.drop(to)
	if !c.hold(to) {
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		both.Go(func() {
			_, _ = io.Copy(way[1], way[0]) // either end may go
			_ = from.Close()
			_ = to.Close()
		})
	}
	both.Wait()
}

// One is away while messages, an edit and a recall happen and the server is killed:
// then each line is there once, in order, and as its newest change left it.
func TestBrowserComesBackToWhatHappened(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := browse(t)
	line := newCable(t, s)
	tom, jerry := c.tab(t, "Tom", desk), c.tab(t, "Jerry", desk)
	tom.enter(s, "Tom", "")
	jerry.enter(&server{Addr: line.Addr}, "Jerry", "")
	tom.talkTo("", "Jerry")
	jerry.pick("Tom")
	for _, text := range []string{"one", "tow", "secret"} {
		tom.say(text)
	}
	jerry.hears("one", "tow", "secret")
	jerry.say("four")
	jerry.does("secret", "reply")
	jerry.typed("five")
	jerry.key("Enter")
	tom.hears("one", "tow", "secret", "four", "You\nsecret\nfive")

	line.Cut(true)
	jerry.until("the offline bar", `!document.querySelector('[data-test="offline"]').hidden`)
	tom.does("tow", "edit")
	tom.do(`document.querySelector("#write").select()`)
	tom.typed("two")
	tom.key("Enter")
	tom.does("secret", "undo")
	tom.sees("You recalled a message")
	tom.say("six")
	tom.until("six, sent", `document.querySelectorAll(".own [data-test=state][data-state]").length > 0 && !document.querySelector(".message.sending")`)
	jerry.say("nine")
	s.Kill(t)
	tom.say("seven")
	s.Restart(t)
	tom.do(`[...document.querySelectorAll('[data-test="offline"] button')].forEach((b) => b.click())`)
	tom.until("all sent", `document.querySelector('[data-test="offline"]').hidden && !document.querySelector(".message.sending, .message.failed")`)
	tom.say("eight")
	tom.until("all sent", `!document.querySelector(".message.sending, .message.failed")`)

	line.Cut(false)
	jerry.do(`[...document.querySelectorAll('[data-test="offline"] button')].forEach((b) => b.click())`)
	lines := []string{"one", "two", "four", "Tom\nRecalled message\nfive", "six", "seven", "eight", "nine"}
	jerry.hears(lines...)
	lines[3] = "You\nRecalled message\nfive"
	tom.hears(lines...)
	jerry.rid("secret")
	tom.rid("secret")
	jerry.until("the edit", fmt.Sprintf(`(%s)?.querySelector(".edited")`, messageOf("two")))
	jerry.until("the recall", `document.querySelectorAll(".message.recalled").length === 1`)
	tom.ticks("read")

	// Live again, both ways.
	jerry.say("ten")
	tom.until("the tenth", `[...document.querySelectorAll(".bubble")].at(-1).innerText === "ten"`)
	tom.does("eight", "edit")
	tom.do(`document.querySelector("#write").select()`)
	tom.typed("ate")
	tom.key("Enter")
	jerry.until("a live edit", messageOf("ate"))
	c.silent(t)
}

// A page that is gone before its message was sent leaves it to the next one.
func TestBrowserReloadKeepsWhatWasNotSent(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := browse(t)
	tom, jerry := pair(t, s, c)
	tom.say("one")
	jerry.hears("one")
	s.Kill(t)
	tom.until("the offline bar", `!document.querySelector('[data-test="offline"]').hidden`)
	tom.say("two")
	tom.say("three")
	tom.until("both waiting", `document.querySelectorAll(".message.own.sending").length === 2`)
	talk := js[string](tom, `location.href`)
	tom.run(chromedp.Navigate("about:blank"))
	s.Restart(t)
	tom.run(chromedp.Navigate(talk))
	tom.hears("one", "two", "three")
	tom.until("sent", `!document.querySelector(".message.sending, .message.failed")`)
	jerry.do(`[...document.querySelectorAll('[data-test="offline"] button')].forEach((b) => b.click())`)
	jerry.hears("one", "two", "three")
	c.silent(t)
}

// What comes while the page is away is unread when it is back.
func TestBrowserUnreadAfterAReload(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := browse(t)
	tom, jerry := pair(t, s, c)
	tom.say("one")
	jerry.hears("one")
	tom.ticks("read")
	jerry.run(chromedp.Navigate("about:blank"))
	tom.say("two")
	tom.say("three")
	tom.until("all sent", `!document.querySelector(".message.sending, .message.failed")`)
	jerry.run(chromedp.Navigate(s.url("/")))
	jerry.unread("Tom", "2")
	tom.ticks("received")
	jerry.pick("Tom")
	jerry.hears("one", "two", "three")
	jerry.unread("Tom", "")
	tom.ticks("read")
	c.silent(t)
}
