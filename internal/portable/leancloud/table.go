package leancloud

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// table sorts the lines of one list: the lines lie in a file, their keys in memory. A
// later line with the same key takes the place of an earlier one.
type table struct {
	file *os.File
	out  *bufio.Writer
	size int64
	at   map[string]span
}

// span is where a line lies.
type span struct {
	from int64
	n    int
}

func newTable(dir string) (*table, error) {
	f, err := os.CreateTemp(dir, "sort-*.part")
	if err != nil {
		return nil, err
	}
	return &table{file: f, out: bufio.NewWriterSize(f, 1<<16), at: map[string]span{}}, nil
}

func (t *table) add(key string, line []byte) error {
	t.at[key] = span{t.size, len(line)}
	t.size += int64(len(line))
	_, err := t.out.Write(line)
	return err
}

// sorted are the lines by key. A line is only valid until the next one.
func (t *table) sorted() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := t.out.Flush(); err != nil {
			yield(nil, err)
			return
		}
		var line []byte
		for _, key := range slices.Sorted(maps.Keys(t.at)) {
			at := t.at[key]
			line = slices.Grow(line[:0], at.n)[:at.n]
			_, err := t.file.ReadAt(line, at.from)
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

func (t *table) close() error {
	return errors.Join(t.file.Close(), os.Remove(t.file.Name()))
}

// listWriter writes a list beside its place and puts it there when it is whole.
type listWriter struct {
	path string
	file *os.File
	out  *bufio.Writer
	hash hash.Hash
	n    int64
}

func writeList(path string) (*listWriter, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // below the operator's own directory
	if err != nil {
		return nil, err
	}
	return &listWriter{path: path, file: f, out: bufio.NewWriterSize(f, 1<<15), hash: sha256.New()}, nil
}

func (w *listWriter) line(line []byte) error {
	w.n++
	_, _ = w.hash.Write(line)         // never fails
	_, _ = w.hash.Write([]byte{'\n'}) // never fails
	_, err := w.out.Write(line)
	if err != nil {
		return err
	}
	return w.out.WriteByte('\n')
}

// value writes a line of our own; raw rows in it stay as they are.
func (w *listWriter) value(v any) error {
	line, err := json.Marshal(v, lenient, jsontext.PreserveRawStrings(true))
	if err != nil {
		return err
	}
	return w.line(line)
}

// end puts the list in its place. fold waits once for the disk, not each list: there
// may be a million.
func (w *listWriter) end() (List, error) {
	if err := errors.Join(w.out.Flush(), w.file.Close()); err != nil {
		return List{}, err
	}
	return List{Lines: w.n, SHA256: hex.EncodeToString(w.hash.Sum(nil))}, os.Rename(w.path+".part", w.path)
}

// drop gives a list up that cannot be whole.
func (w *listWriter) drop() {
	_ = w.file.Close()
	_ = os.Remove(w.path + ".part")
}

// textLines are the lines of a text, the last with or without its end. A line is only
// valid until the next one.
func textLines(file string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		f, err := os.Open(file) //nolint:gosec // named by the operator
		if err != nil {
			yield(nil, err)
			return
		}
		defer closing(f)
		in := bufio.NewReaderSize(f, 1<<16)
		for {
			line, err := in.ReadBytes('\n')
			if len(line) > 0 && !yield(bytes.TrimSuffix(line, []byte{'\n'}), nil) {
				return
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}
