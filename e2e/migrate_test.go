package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skein-im/skein/internal/child"
)

// migration is a `skein migrate` that runs.
type migration struct {
	cmd  *exec.Cmd
	log  logBuffer
	done <-chan struct{}
}

// migrate starts `skein migrate`; env are settings that it takes from the environment.
func migrate(t *testing.T, env []string, args ...string) *migration {
	t.Helper()
	m := &migration{cmd: exec.Command(program, append([]string{"migrate"}, args...)...)}
	m.cmd.Env = append(cleanEnv(), env...)
	m.cmd.Stdout, m.cmd.Stderr = &m.log, &m.log
	var err error
	if m.done, err = child.Start(m.cmd, syscall.SIGKILL, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = m.cmd.Process.Kill() // it may have ended
		if <-m.done; t.Failed() {
			t.Logf("skein migrate %s:\n%s", strings.Join(args, " "), m.log.tail(0))
		}
	})
	return m
}

// said waits until it has printed a text.
func (m *migration) said(t *testing.T, text string) {
	t.Helper()
	eventually(t, "skein migrate says "+text, func() bool {
		select {
		case <-m.done:
			if !strings.Contains(m.log.all(), text) {
				t.Fatalf("skein migrate has ended with %d before it said %q:\n%s", m.cmd.ProcessState.ExitCode(), text, m.log.all())
			}
		default:
		}
		return strings.Contains(m.log.all(), text)
	})
}

// killMigrations starts the migration and kills it in each of its steps.
func killMigrations(t *testing.T, env, args []string) {
	t.Helper()
	for _, step := range []string{"copying messages", "comparing messages", "in step"} {
		m := migrate(t, env, args...)
		m.said(t, step)
		_ = m.cmd.Process.Kill()
		<-m.done
	}
}

// cutOver ends the migration while clients send, and returns when the old server has stopped and the
// copy is finished.
func cutOver(t *testing.T, old *server, env, args []string) {
	t.Helper()
	m := migrate(t, env, append(args, "--cut-over")...)
	m.said(t, "in step")
	old.Stop(t)
	m.said(t, "has moved to")
	if <-m.done; m.cmd.ProcessState.ExitCode() != 0 {
		t.Fatalf("skein migrate: exit %d\n%s", m.cmd.ProcessState.ExitCode(), m.log.all())
	}
}

// busy is load on the demo app of a server until that is gone: messages, and everything else that moves.
type busy struct {
	l       *ledger
	convs   []string
	senders []string
	running sync.WaitGroup
}

func (b *busy) load(a *app) {
	for _, from := range b.senders {
		b.running.Go(func() { b.send(a, from) })
	}
}

// pace is how long a sender rests: this test is about what is written, not about how much.
const pace = 3 * time.Millisecond

// send sends one message after another until the server is gone.
func (b *busy) send(a *app, from string) {
	for i := 0; ; i++ {
		at := b.l.begin(b.convs[i%len(b.convs)], from)
		ans, err := a.s.try("POST", convPath(at.conv, "message"), a.server(), at.body())
		if ans == nil {
			return
		}
		if err != nil {
			b.l.fault(err)
		}
		b.l.settle(at, ans)
		time.Sleep(pace)
	}
}

// stir changes members, messages and clients of a conversation until the server is gone.
func stir(a *app, conv, by, other string) {
	for i := 0; ; i++ {
		sent, _ := a.s.try("POST", convPath(conv, "message"), a.server(), obj{"from_client": by, "type": -1, "text": fmt.Sprint("stirred ", i)})
		if sent == nil {
			return
		}
		message := sent.text("msg_id")
		for _, call := range []struct {
			method, path string
			body         obj
		}{
			{"PUT", convPath(conv, "message", message), obj{"client_id": by, "text": fmt.Sprint("edited ", i)}},
			{"POST", convPath(conv, "message", message, "reactions"), obj{"client_id": by, "emoji": "👍", "on": 1}},
			{"DELETE", convPath(conv, "members"), obj{"client_ids": []string{other}}},
			{"POST", convPath(conv, "members"), obj{"client_ids": []string{other}}},
			{"POST", convPath(conv, "read"), obj{"client_id": by, "seq": sent.number("seq")}},
			{"POST", "/im/users", obj{"client_id": fmt.Sprint("new", i)}},
			{"POST", userPath(fmt.Sprint("new", i), "ban"), obj{"reason": "stirred"}},
		} {
			if got, _ := a.s.try(call.method, call.path, a.server(), call.body); got == nil {
				return
			}
			time.Sleep(pace)
		}
	}
}

// A store moves to PostgreSQL and back while clients write to it, though the command is killed in
// each step: no message is lost, doubled or numbered anew, and everything else is as it was.
func TestAStoreMovesToPostgresAndBackUnderLoad(t *testing.T) {
	t.Parallel()
	old := start(t)
	shop := newApp(t, old, "shop")
	furnish(t, shop)
	a := demoApp(old)
	b := &busy{l: newLedger(), senders: []string{"Jerry"}}
	for range 2 {
		b.convs = append(b.convs, a.group(t, "Tom", "Jerry"))
	}
	stirred := a.group(t, "Tom", "Jerry", "Alex")
	ann := a.user(t, "ann")
	quiet := a.group(t, ann)
	a.send(t, quiet, ann, "before")
	cursor := a.sync(t, ann, "").NextCursor
	_, in := a.enter(t, a.on(t, ann, "phone", nil))
	generation := in.want(t, "login", 0).text("generation")

	files := filepath.Join(t.TempDir(), "files")
	url := databases.Empty(t)
	b.load(a)
	b.running.Go(func() { stir(a, stirred, "Tom", "Alex") })
	eventually(t, "200 acks before the move", func() bool { return b.l.acks.Load() >= 200 })
	env, args := []string{"SKEIN_TO=" + url}, []string{"--data", old.Data, "--to-uploads", files}
	killMigrations(t, env, args)
	cutOver(t, old, env, args)
	b.running.Wait()

	if _, errs, exit := skein(t, "app", "list", "--data", old.Data); exit != 1 || !strings.Contains(errs, "has moved to postgres://") {
		t.Errorf("the old store: exit %d, %q, want it refused as moved", exit, errs)
	}
	mustSkein(t, "migrate", "--cancel", "--data", old.Data)
	for _, id := range []string{"shop", a.ID} {
		got := exported(t, "unused", id, "--database", url, "--uploads", files)
		wantSameFolder(t, id+" on PostgreSQL", got, exported(t, old.Data, id))
	}

	node := start(t, func(s *server) {
		s.env, s.args = append(s.env, "SKEIN_DATABASE="+url), append(s.args, "--uploads", files)
	})
	a = demoApp(node)
	b.l.retry(t, a)
	b.l.check(t, a, b.convs)
	a.wantReset(t, ann, cursor, quiet, 1)
	cursor = a.sync(t, ann, "").NextCursor
	first, in := a.enter(t, a.on(t, ann, "phone", nil))
	in.want(t, "a login after the move", 0)
	_, late := a.enter(t, a.on(t, ann, "phone", resume(generation)))
	if late.Code == 0 {
		t.Errorf("a login of before the move resumed beside a newer one: got %s, want it refused", late)
	}
	first.ping(t)
	generation = in.text("generation")

	back := t.TempDir()
	more := b.l.acks.Load() + 200
	b.load(a)
	b.running.Go(func() { stir(a, stirred, "Tom", "Alex") })
	eventually(t, "200 acks on PostgreSQL", func() bool { return b.l.acks.Load() >= more })
	env, args = []string{"SKEIN_DATABASE=" + url}, []string{"--uploads", files, "--to", back}
	killMigrations(t, env, args)
	cutOver(t, node, env, args)
	b.running.Wait()

	if _, errs, exit := skein(t, "app", "list", "--database", url); exit != 1 || !strings.Contains(errs, "has moved to") {
		t.Errorf("the database: exit %d, %q, want it refused as moved", exit, errs)
	}
	mustSkein(t, "migrate", "--cancel", "--database", url)
	for _, id := range []string{"shop", a.ID} {
		wantSameFolder(t, id+" moved back", exported(t, back, id), exported(t, "unused", id, "--database", url, "--uploads", files))
	}
	home := start(t, withData(back))
	a = demoApp(home)
	b.l.retry(t, a)
	b.l.check(t, a, b.convs)
	a.wantReset(t, ann, cursor, quiet, 1)
	_, in = a.enter(t, a.on(t, ann, "phone", nil))
	in.want(t, "a login after the move back", 0)
	if _, late = a.enter(t, a.on(t, ann, "phone", resume(generation))); late.Code == 0 {
		t.Errorf("a login on PostgreSQL resumed beside a newer one: got %s, want it refused", late)
	}
}
