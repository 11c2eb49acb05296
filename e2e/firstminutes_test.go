package e2e

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMakeRunSaysWhatItDoesBeforeItCompiles(t *testing.T) {
	run := exec.CommandContext(t.Context(), "make", "-n", "run")
	run.Dir = ".."
	out, err := run.CombinedOutput()
	if err != nil {
		t.Fatalf("make -n run: %v\n%s", err, out)
	}
	said, built := strings.Index(string(out), "minutes"), strings.Index(string(out), "go build")
	if said < 0 || built < 0 || said > built {
		t.Errorf("make -n run: got %s, want how many minutes it takes before go build", out)
	}
}

func TestVersionAndHelpAreWhereTheyAreLookedFor(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"a flag for the version":  {[]string{"--version"}, "skein "},
		"a command for it":        {[]string{"version"}, "skein "},
		"help":                    {[]string{"help"}, "Usage: skein"},
		"help on a command":       {[]string{"help", "serve"}, "Usage: skein serve"},
		"help on a subcommand":    {[]string{"help", "app", "create"}, "Usage: skein app create"},
		"help lists its own name": {[]string{"--help"}, "skein help"},
	} {
		out, errs, exit := skein(t, tt.args...)
		if exit != 0 || !strings.Contains(out, tt.want) {
			t.Errorf("%s: skein %v: exit %d\n%s%s\nwant %q", name, tt.args, exit, out, errs, tt.want)
		}
	}
}

func TestAppCreateSaysWhichStoreItUsed(t *testing.T) {
	dir := t.TempDir()
	out, errs, exit := skein(t, "app", "create", "--id", "shop", "--data", dir)
	if want := filepath.Join(dir, "skein.db"); exit != 0 || !strings.Contains(out, want) {
		t.Errorf("exit %d, got %s%s, want %s named", exit, out, errs, want)
	}
}

// What cannot be opened is said in one line, once.
func TestADirectoryThatCannotBeUsedIsNamedOnce(t *testing.T) {
	for _, args := range [][]string{
		{"app", "list", "--data", "/proc/none"},
		{"app", "create", "--id", "shop", "--data", "/proc/none"},
		{"serve", "--dev", "--data", "/proc/none"},
	} {
		_, errs, exit := skein(t, args...)
		if exit == 0 || strings.Count(errs, "\n") != 1 || strings.Count(errs, "no such file") > 1 || strings.Count(errs, "denied") > 1 {
			t.Errorf("skein %v: exit %d, got %q, want one line that says it once", args, exit, errs)
		}
	}
}

func TestDurationsInJSONLogsAreReadable(t *testing.T) {
	s := start(t, withArgs("--log-format", "json", "--drain", "1500ms"))
	s.Stop(t)
	for line := range strings.Lines(s.log.tail(0)) {
		var entry struct {
			Msg  string `json:"msg"`
			Over any    `json:"over"`
		}
		if json.Unmarshal([]byte(line), &entry) != nil || entry.Msg != "draining" {
			continue
		}
		text, _ := entry.Over.(string)
		if d, err := time.ParseDuration(text); err != nil || d != 1500*time.Millisecond {
			t.Errorf("got %s, want over as 1.5s", line)
		}
		return
	}
	t.Errorf("no line says that it drains:\n%s", s.log.tail(0))
}

func TestAnswersEndTheirLine(t *testing.T) {
	a := dev(t)
	for _, path := range []string{"/im/users/Tom", "/im/users/Nobody", "/nothing"} {
		got := a.s.once(t, "GET", path, headers{"app-id": a.ID}, nil)
		if !strings.HasSuffix(string(got.Raw), "}\n") {
			t.Errorf("%s: got %q, want a line", path, got.Raw)
		}
	}
}
