package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestShellWords(t *testing.T) {
	for in, want := range map[string][]string{
		`a  b`:                {"a", "b"},
		"a \\\n  b":           {"a", "b"},
		"a \\\n":              {"a"},
		`'a "b" \n' "c 'd'"`:  {`a "b" \n`, "c 'd'"},
		`"a\"b\\c\d"`:         {`a"b\c\d`},
		"'two\nlines' a'b'c ": {"two\nlines", "abc"},
		`a\ b ''`:             {"a b", ""},
	} {
		if got := shellWords(in); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("shellWords(%q): got %q, want %q", in, got, want)
		}
	}
}

// shellWords splits a command line as a POSIX shell does, without expansions.
func shellWords(s string) []string {
	var words []string
	var word strings.Builder
	inWord := false
	var quote byte
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote == '\'' && c != '\'':
			word.WriteByte(c)
		case c == '\\' && i+1 < len(s) && (quote == 0 || strings.IndexByte("\\\"$`\n", s[i+1]) >= 0):
			i++
			if s[i] != '\n' {
				word.WriteByte(s[i])
				inWord = true
			}
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteByte(c)
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case strings.IndexByte(" \t\n", c) >= 0:
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	if inWord {
		words = append(words, word.String())
	}
	return words
}

var (
	seedHost = regexp.MustCompile(`http://127\.0\.0\.1/`)
	seedConv = regexp.MustCompile(`\{conv_id\}|\b[0-9a-f]{32}\b`)
	seedPath = regexp.MustCompile(`@(/.*\.jpg)$`)
)

// runCurl runs a curl line of the document with the real curl. It changes only the host, the
// conversation and the path of the picture.
func runCurl(t *testing.T, s *server, line, conv string) *answer {
	t.Helper()
	words := shellWords(line)
	if words[0] != "curl" {
		t.Fatalf("not a curl line: %q", line)
	}
	dir := t.TempDir()
	for i, w := range words {
		w = seedHost.ReplaceAllString(w, s.url("/"))
		w = seedConv.ReplaceAllString(w, conv)
		if m := seedPath.FindStringSubmatch(w); m != nil {
			file := filepath.Join(dir, filepath.Base(m[1]))
			if err := os.WriteFile(file, realJPEG(t), 0o600); err != nil {
				t.Fatal(err)
			}
			w = strings.Replace(w, m[1], file, 1)
		}
		words[i] = w
	}
	a, err := answerOf(t, dir, "curl", words[1:]...)
	if err != nil {
		t.Errorf("%q: %v", words, err)
	}
	return a
}

// answerOf runs a command that ends in the arguments of curl, in dir. What is added to
// them only shows more of the answer.
func answerOf(t *testing.T, dir, name string, args ...string) (*answer, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	headerFile := filepath.Join(dir, "header")
	cmd := exec.CommandContext(ctx, name, append(args, "-sS", "-D", headerFile)...)
	cmd.Dir, cmd.Env = dir, append(cleanEnv(), "CURL_HOME="+dir, "HOME="+dir)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s", args, err, errs.String())
	}
	head, err := os.ReadFile(headerFile)
	if err != nil {
		t.Fatal(err)
	}
	status, header := parseHead(t, head)
	return readEnvelope(status, header, out)
}
