package portable

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// lines reads one list. A fault in a line is a *LineError, after which reading continues. Any
// other error, such as a truncated file or a wrong hash, ends it.
type lines struct {
	name string
	want List
	file *os.File
	buf  *bufio.Reader
	sum  hash.Hash
	n    int64 // line read last
	size int   // of that line, in bytes
	done bool
}

// openLines opens a list of the folder, compressed or not.
func openLines(root *os.Root, name string, want List) (*lines, error) {
	packed, err := openRegular(root, name+".jsonl.gz")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	plain, e := openRegular(root, name+".jsonl")
	switch {
	case err == nil && e == nil:
		return nil, errors.Join(fmt.Errorf("both %s.jsonl.gz and %s.jsonl are there: keep one", name, name), packed.Close(), plain.Close())
	case err != nil && errors.Is(e, fs.ErrNotExist):
		return nil, fmt.Errorf("%s.jsonl.gz is missing", name)
	case err != nil && e != nil:
		return nil, e
	}
	l := &lines{name: name, want: want, sum: sha256.New()}
	if packed == nil {
		l.file, l.buf = plain, bufio.NewReaderSize(plain, readAhead)
		return l, nil
	}
	l.file = packed
	zip, err := gzip.NewReader(bufio.NewReaderSize(packed, readAhead))
	if err != nil {
		return nil, errors.Join(l.damaged(err), packed.Close())
	}
	l.buf = bufio.NewReaderSize(zip, readAhead)
	return l, nil
}

const readAhead = 64 << 10

// openRegular opens a regular file of the folder. It refuses a link out of the folder or a pipe.
func openRegular(root *os.Root, name string) (*os.File, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	return root.Open(name)
}

func (l *lines) damaged(err error) error {
	return fmt.Errorf("%s: after line %d: the file is cut or damaged: %w", l.name, l.n, err)
}

// next reads the next line into record. At the end more is false, and the list is checked
// against the manifest.
func (l *lines) next(record any) (more bool, err error) {
	if l.done {
		return false, nil
	}
	line, err := l.line()
	if err != nil || line == nil {
		l.done = line == nil
		return false, err
	}
	if err := decode(line, record); err != nil {
		return true, at(l.name, l.n, err)
	}
	return true, nil
}

// line returns the next line without its end; nil: there is none.
func (l *lines) line() ([]byte, error) {
	line, err := l.buf.ReadSlice('\n')
	for errors.Is(err, bufio.ErrBufferFull) {
		whole := append([]byte(nil), line...)
		line, err = l.buf.ReadSlice('\n')
		line = append(whole, line...)
		if len(line) > MaxLine {
			return nil, at(l.name, l.n+1, errLongLine)
		}
	}
	switch {
	case errors.Is(err, io.EOF) && len(line) == 0:
		return nil, l.end()
	case errors.Is(err, io.EOF):
		return nil, l.damaged(errors.New("the last line has no end"))
	case err != nil:
		return nil, l.damaged(err)
	}
	_, _ = l.sum.Write(line) // a hash never fails
	l.size = len(line)
	if l.n++; l.n > l.want.Lines {
		return nil, fmt.Errorf("%s has more lines than the %d that %s says", l.name, l.want.Lines, ManifestFile)
	}
	return line[:len(line)-1], nil
}

// end compares the list with the manifest.
func (l *lines) end() error {
	switch sum := hex.EncodeToString(l.sum.Sum(nil)); {
	case l.n != l.want.Lines:
		return fmt.Errorf("%s has %d lines, and %s says %d", l.name, l.n, ManifestFile, l.want.Lines)
	case sum != l.want.SHA256:
		return fmt.Errorf("%s is not as it was written: its lines have SHA-256 %s, and %s says %s", l.name, sum, ManifestFile, l.want.SHA256)
	}
	return nil
}

// Decode reads a record strictly and checks it. Errors: a *skein.Fault if a field is wrong.
func Decode(line []byte, record any) error {
	if err := decode(line, record); err != nil {
		return err
	}
	if r, ok := record.(interface{ fault() error }); ok {
		return r.fault()
	}
	return nil
}

// decode reads a record strictly.
func decode(line []byte, record any) error {
	if len(line) == 0 {
		return errors.New("is empty")
	}
	if depth(line) > maxDepth {
		return fmt.Errorf("nests deeper than %d", maxDepth)
	}
	err := json.Unmarshal(line, record)
	if s, ok := errors.AsType[*json.SemanticError](err); ok && s.JSONPointer != "" {
		return malformed(fieldOf(s.JSONPointer), "%s", reasonOf(s))
	}
	if err != nil {
		return fmt.Errorf("is not a JSON object as it should be: %w", err)
	}
	return withoutNUL(line)
}

// withoutNUL refuses valid JSON with U+0000 in a text or a name, because not every engine can
// store it. JSON can write it only as an escape.
func withoutNUL(line []byte) error {
	if !bytes.Contains(line, []byte(`\u0000`)) {
		return nil
	}
	d := jsontext.NewDecoder(bytes.NewReader(line))
	for {
		token, err := d.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if token.Kind() != '"' || !strings.Contains(token.String(), "\x00") {
			continue
		}
		field := d.StackPointer()
		if in, read := d.StackIndex(d.StackDepth()); in == '{' && read%2 == 1 { // a name
			field = field.Parent()
		}
		return malformed(cmp.Or(fieldOf(field), "unknown fields"), "holds U+0000, which Skein does not keep")
	}
}

// fieldOf turns a JSON pointer into the notation used for fields here.
func fieldOf(p jsontext.Pointer) (field string) {
	for token := range p.Tokens() {
		if field != "" {
			field += "."
		}
		field += token
	}
	return field
}

func reasonOf(s *json.SemanticError) string {
	if s.Err != nil {
		return s.Err.Error()
	}
	return fmt.Sprintf("cannot be a JSON %v", s.JSONKind)
}
