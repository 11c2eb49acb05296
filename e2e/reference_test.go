package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	bashBlock = regexp.MustCompile("(?ms)^```(?:bash|sh)\n(.*?)^```")
	anID      = regexp.MustCompile(`\b[0-9a-f]{32}\b`)
)

// TestTheExamplesOfTheReferenceRunInTheirOrder copies each line of the pages into a
// shell, as a reader does, with the ids that came before in place of those printed.
func TestTheExamplesOfTheReferenceRunInTheirOrder(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"../docs/api/en.md", "../docs/api/zh.md"} {
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			s := start(t)
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			shell := newShell(t, s)
			lines := 0
			for _, block := range bashBlock.FindAllStringSubmatch(string(text), -1) {
				for line := range strings.SplitSeq(strings.TrimSpace(block[1]), "\ncurl ") {
					shell.run(t, "curl "+strings.TrimPrefix(line, "curl "))
					lines++
				}
			}
			if lines < 40 {
				t.Errorf("%s has %d lines to copy, want those of every op", page, lines)
			}
		})
	}
}

// shell runs copied lines against a server. An id that is printed stands for the
// newest one of its kind when it is met first.
type shell struct {
	s         *server
	dir       string
	conv, msg string // newest
	known     map[string]string
}

func newShell(t *testing.T, s *server) *shell {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "photo.jpg"), realJPEG(t), 0o600); err != nil {
		t.Fatal(err)
	}
	return &shell{s: s, dir: dir, known: map[string]string{}}
}

func (sh *shell) run(t *testing.T, line string) {
	t.Helper()
	conv := true // the first id of a line is a conversation's
	line = anID.ReplaceAllStringFunc(line, func(id string) string {
		if sh.known[id] == "" {
			sh.known[id] = sh.conv
			if !conv {
				sh.known[id] = sh.msg
			}
		}
		conv = false
		return sh.known[id]
	})
	line = strings.ReplaceAll(line, "127.0.0.1:8080", sh.s.Addr)
	a, err := answerOf(t, sh.dir, "bash", "-c", line+` "$@"`, "bash")
	if err != nil {
		t.Errorf("%s\n%v", line, err)
		return
	}
	if a.Code != 0 {
		t.Errorf("%s\ngot %s, want a success", line, a)
	}
	if strings.HasSuffix(line, "/im/conversations") && a.text("conv_id") != "" {
		sh.conv = a.text("conv_id")
	}
	if strings.HasSuffix(line, "/message") && a.text("msg_id") != "" {
		sh.msg = a.text("msg_id")
	}
}
