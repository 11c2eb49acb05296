package sorting

import (
	"bufio"
	"errors"
	"iter"
	"maps"
	"os"
	"slices"
)

// Table sorts the lines of one list. The lines are in a file, their keys in memory. A later line
// replaces an earlier one with the same key.
type Table struct {
	file *os.File
	out  *bufio.Writer
	size int64
	At   map[string]span
}

// span is where a line lies.
type span struct {
	From int64
	Len  int
}

// NewTable makes the file of a table in dir.
func NewTable(dir string) (*Table, error) {
	f, err := os.CreateTemp(dir, "sort-*.part")
	if err != nil {
		return nil, err
	}
	return &Table{file: f, out: bufio.NewWriterSize(f, 1<<16), At: map[string]span{}}, nil
}

// Add adds a line.
func (t *Table) Add(key string, line []byte) error {
	t.At[key] = span{t.size, len(line)}
	t.size += int64(len(line))
	_, err := t.out.Write(line)
	return err
}

// Sorted are the lines by key. A line is only valid until the next one.
func (t *Table) Sorted() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := t.out.Flush(); err != nil {
			yield(nil, err)
			return
		}
		var line []byte
		for _, key := range slices.Sorted(maps.Keys(t.At)) {
			at := t.At[key]
			line = slices.Grow(line[:0], at.Len)[:at.Len]
			_, err := t.file.ReadAt(line, at.From)
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// Close removes the file.
func (t *Table) Close() error {
	return errors.Join(t.file.Close(), os.Remove(t.file.Name()))
}
