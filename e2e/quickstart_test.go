package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tracked makes curl keep what it was answered, so that a line such as
// `KEY=…  # the app_key` can be filled in as the reader does: from the output above.
const tracked = `set -eu
curl() { command curl -sS "${@//CONV_ID/$(last conv_id)}" | tee -a answers; echo | tee -a answers; }
skein() { $SKEIN "$@" | tee -a answers; }
touch answers
last() { grep -oE "(^|\")$1\"?[: ]+\"?[A-Za-z0-9_-]+" answers | tail -1 | sed 's/.*[": ]//'; }
`

var filledIn = regexp.MustCompile(`(?m)^([A-Z]+)=…\s+# .*?\b([a-z]+_[a-z_]+)\b.*$`)

// TestTheFirstLinesOfTheDocumentsRun copies every shell line of the README and the
// quickstart, in both languages, into one shell.
func TestTheFirstLinesOfTheDocumentsRun(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"README.md", "README.zh-CN.md", "docs/quickstart.md", "docs/quickstart.zh-CN.md"} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			runPage(t, page, start(t), nil)
		})
	}
}

// runPage runs the shell lines of a page against a server, with more variables of the
// environment.
func runPage(t *testing.T, page string, s *server, env []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", page))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(s.Data) // ./data of the reader is the server's
	if err := os.Symlink(s.Data, filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	script := tracked
	for _, block := range bashBlock.FindAllStringSubmatch(string(text), -1) {
		if !strings.Contains(block[1], "make run") { // it runs
			script += block[1] + "\n"
		}
	}
	script = strings.ReplaceAll(script, "127.0.0.1:8080", s.Addr)
	script = strings.ReplaceAll(script, "bin/skein", "skein")
	script = filledIn.ReplaceAllString(script, `$1=$$(last $2)`)
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience) // dozens of processes
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir, cmd.Env = dir, append(cleanEnv(), "CURL_HOME="+dir, "HOME="+dir, "SKEIN="+program)
	cmd.Env = append(cmd.Env, env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, out.String())
	}
	calls, good := strings.Count(out.String(), `{"code":`), strings.Count(out.String(), `{"code":0,`)
	if calls < 3 || calls != good {
		t.Errorf("%d of %d calls succeed, want all\n%s\n%s", good, calls, script, out.String())
	}
}
