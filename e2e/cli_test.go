package e2e

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// refuse runs `skein serve` and expects it to end by itself with an error that
// names every one of the words.
func refuse(t *testing.T, env []string, args []string, names ...string) {
	t.Helper()
	cmd := exec.Command(program, append([]string{"serve"}, args...)...)
	cmd.Env = append(cleanEnv(), env...)
	var out logBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the exit code is read from ProcessState
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		<-done
		t.Fatalf("skein serve %s: runs, want it refused\n%s", strings.Join(args, " "), out.tail(0))
	}
	if code := cmd.ProcessState.ExitCode(); code <= 0 {
		t.Errorf("skein serve %s: exit code %d, want an error\n%s", strings.Join(args, " "), code, out.tail(0))
	}
	for _, n := range names {
		if !strings.Contains(out.tail(0), n) {
			t.Errorf("skein serve %s: got %q, want it to name %q", strings.Join(args, " "), out.tail(0), n)
		}
	}
	if m := out.disaster(0); m != "" {
		t.Errorf("skein serve %s: wrote %q", strings.Join(args, " "), m)
	}
}

func TestDevRefusesWhatIsNotLoopback(t *testing.T) {
	t.Parallel()
	_, port, _ := net.SplitHostPort(freeAddr())
	for _, addr := range []string{"0.0.0.0:" + port, ":" + port, "[::]:" + port, "192.0.2.1:" + port} {
		refuse(t, nil, []string{"--dev", "--data", t.TempDir(), "--addr", addr, "--admin-addr", freeAddr()}, "loopback")
	}
	refuse(t, []string{"SKEIN_ADDR=0.0.0.0:" + port}, []string{"--dev", "--data", t.TempDir(), "--admin-addr", freeAddr()}, "loopback")
	s := start(t, func(s *server) {
		s.Addr, s.Admin = strings.Replace(freeAddr(), "127.0.0.1", "localhost", 1), freeAddr()
	})
	s.Stop(t)
}

func TestDataDirectoryIsPrivate(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "new", "data")
	s := start(t, withData(data))
	s.upload(t, demoApp(s).server(), multipartFile{"file", "a.png", realPNG(t)}).want(t, "upload", 0)
	info, err := os.Stat(data)
	if err != nil {
		t.Fatal(err)
	}
	if p := info.Mode().Perm(); p != 0o700 {
		t.Errorf("mode of --data: got %o, want 700", p)
	}
}

// `skein app …` works while servers run, and they follow within 2 s.
func TestAppsFollowTheCommandLine(t *testing.T) {
	t.Parallel()
	s := strictServer.get(t)
	a := newApp(t, s, unique("cli"))
	knows := func(h headers, code int) func() bool {
		return func() bool { return s.once(t, "GET", "/im/users", h, nil).Code == code }
	}
	eventually(t, "a new app is known", knows(a.server(), 0))
	u := a.user(t, "u")
	c := a.login(t, u, "d")

	run := func(args ...string) string {
		t.Helper()
		out, errs, exit := skein(t, append(args, "--data", s.Data)...)
		if exit != 0 {
			t.Fatalf("skein %s: exit %d: %s%s", strings.Join(args, " "), exit, out, errs)
		}
		return out + errs
	}
	fails := func(args ...string) {
		t.Helper()
		out, errs, exit := skein(t, append(args, "--data", s.Data)...)
		if exit == 0 {
			t.Errorf("skein %s: got %s%s, want an error", strings.Join(args, " "), out, errs)
		}
		if leak := leaks.FindString(out + errs); leak != "" && !strings.Contains(strings.Join(args, " "), leak) {
			t.Errorf("skein %s: %q leaks in %s%s", strings.Join(args, " "), leak, out, errs)
		}
		if strings.Contains(out+errs, a.Key) || strings.Contains(out+errs, a.Secret) {
			t.Errorf("skein %s: shows a secret: %s%s", strings.Join(args, " "), out, errs)
		}
	}
	fails("app", "create", "--id", a.ID, "--name", "again", "--json")
	fails("app", "create", "--id", "no good", "--json")
	fails("app", "create", "--id", "", "--json")
	fails("app", "create", "--id", strings.Repeat("x", 65), "--json")
	fails("app", "show", "--id", "nosuch")
	fails("app", "delete", "--id", "nosuch")
	fails("app", "rotate-key", "--id", "nosuch")
	fails("token", "--app", "nosuch", "--client", "x", "--ttl", "1h")
	fails("token", "--app", a.ID, "--client", "no good", "--ttl", "1h")
	fails("token", "--app", a.ID, "--client", u, "--ttl", "2161h")
	for _, args := range [][]string{{"app", "list"}, {"app", "list", "--json"}, {"app", "show", "--id", a.ID}, {"app", "show", "--id", a.ID, "--json"}} {
		out := run(args...)
		if !strings.Contains(out, a.ID) || strings.Contains(out, a.Key) || strings.Contains(out, a.Secret) {
			t.Errorf("skein %s: got %s, want %s and no secret", strings.Join(args, " "), out, a.ID)
		}
	}

	// Tokens of the command line are taken.
	token := strings.TrimSpace(run("token", "--app", a.ID, "--client", u, "--ttl", "24h"))
	s.call(t, "GET", userPath(u), a.bearer(token), nil).want(t, "a token of `skein token`", 0)
	a.loginWith(t, token, u, "d2")

	// A key is rotated without downtime: both work until the grace is over.
	var rotated struct {
		AppKey string `json:"app_key"`
	}
	if err := json.Unmarshal([]byte(run("app", "rotate-key", "--id", a.ID, "--json")), &rotated); err != nil || rotated.AppKey == "" || rotated.AppKey == a.Key {
		t.Fatalf("rotate-key: got %+v, %v, want another key", rotated, err)
	}
	fresh := headers{"IM-APP-ID": a.ID, "app-key": rotated.AppKey}
	eventually(t, "a rotated key is known", knows(fresh, 0))
	s.call(t, "GET", "/im/users", a.server(), nil).want(t, "the old key within its grace", 0)
	run("app", "rotate-key", "--id", a.ID, "--grace", "0s", "--json")
	eventually(t, "old keys have ended", knows(a.server(), 4003))

	// Settings.
	s.call(t, "GET", "/im/users", a.bare(), nil).want(t, "no credential", 4003)
	run("app", "update", "--id", a.ID, "--token-auth", "off", "--relaxed-client-ids", "on", "--auto-register", "off")
	eventually(t, "the app is open", knows(a.bare(), 0))
	s.call(t, "POST", "/im/users", a.bare(), obj{"client_id": "a_b-c.d@e:" + u}).want(t, "a relaxed client_id", 0)
	s.call(t, "GET", userPath("a_b-c.d@e:"+u), a.bare(), nil).want(t, "its path", 0)
	s.call(t, "POST", "/im/users", a.bare(), obj{"client_id": "a b"}).want(t, "a blank in a relaxed client_id", 212)
	unknown := s.socket(t)
	unknown.ask(t, "login", a.loginData(unique("unknown"), "d")).want(t, "login of an unknown client with auto-register off", 211)
	// A session without a token ends when the app asks for one again; one with a token stays.
	bare := s.socket(t)
	bare.ask(t, "login", a.loginData(u, "d3")).want(t, "login without a token", 0)
	run("app", "update", "--id", a.ID, "--token-auth", "on")
	bare.closed(t, 4401)
	c.open(t)

	run("app", "update", "--id", a.ID, "--token-auth", "off")
	eventually(t, "the app is open again", knows(a.bare(), 0))
	run("app", "delete", "--id", a.ID)
	eventually(t, "a deleted app is unknown", knows(a.bare(), 4003))
	c.closed(t, 4401)
	fails("app", "show", "--id", a.ID)
}

// No log holds a body, a token or a key, also not at the most talkative level.
func TestLogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	s := start(t, withoutDev(), withArgs("--log-level", "debug", "--log-format", "json"))
	a := createApp(t, s)
	u := a.user(t, "u")
	conv := a.group(t, u)
	token := a.token(t, u)
	c := a.loginWith(t, token, u, "d")
	c.ask(t, "msg.send", obj{"conv_id": conv, "type": -1, "text": "whispered words"}).want(t, "send", 0)
	s.call(t, "GET", "/im/users?token="+token, a.bearer(token), nil)
	s.call(t, "GET", userPath(u), a.bearer(token+"x"), nil).want(t, "a broken token", 4003)
	s.call(t, "GET", "/im/users", a.bare().with(headers{"app-key": "wrong" + a.Key}), nil).want(t, "a wrong key", 4003)
	a.call(t, "POST", convPath(conv, "message"), `{"from_client":"`+u+`","type":-1,"text":"whispered words","text":"twice"}`).want(t, "a broken body", 4406)
	c.Drop()
	s.Stop(t)
	log := s.log.tail(0)
	for what, secret := range map[string]string{"key": a.Key, "token": token[strings.LastIndex(token, ".")+1:], "secret": a.Secret, "text": "whispered"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds the %s", what)
		}
	}
	data, err := filesHolding(s.Data, a.Key)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 0 {
		t.Errorf("the key stands in %v, want its hash alone", data)
	}
}

// filesHolding are the files below dir that hold the text.
func filesHolding(dir, text string) ([]string, error) {
	all, err := filesUnder(dir, "")
	if err != nil {
		return nil, err
	}
	var found []string
	for _, f := range all {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		if strings.Contains(string(b), text) {
			found = append(found, f)
		}
	}
	return found, nil
}
