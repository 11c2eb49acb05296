// Package sorter sorts more records than memory holds. A record is a key and a value of
// bytes; the package knows nothing of what they mean.
package sorter

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Sorter sorts records by key. When the records in memory exceed the budget, it writes
// them to a file; at the end it merges the files. Records with equal keys keep the order
// in which they were added. One goroutine uses a sorter at a time.
type Sorter struct {
	dir    string
	name   string
	budget int // bytes of records held in memory

	data    []byte
	held    []span
	levels  [][]string // files, oldest first; a file of level n is merged from fanIn files of level n-1
	files   int
	records int64
}

// span says where a record is in data: its key, then its value.
type span struct{ start, value, end int }

// fanIn is how many files are open at once at most; each takes readBuffer bytes of memory.
const (
	fanIn      = 256
	readBuffer = 64 << 10
)

// New makes a sorter whose files are in dir, begin with name and are removed as they are
// read. It holds up to budget bytes of records in memory.
func New(dir, name string, budget int) *Sorter {
	return &Sorter{dir: dir, name: name, budget: budget}
}

// Add adds a record. It copies key and value.
func (s *Sorter) Add(key, value []byte) error {
	const spanBytes = 24
	if len(s.held) > 0 && len(s.data)+len(key)+len(value)+spanBytes*len(s.held) > s.budget {
		if err := s.spill(); err != nil {
			return err
		}
	}
	start := len(s.data)
	s.data = append(append(s.data, key...), value...)
	s.held = append(s.held, span{start, start + len(key), len(s.data)})
	s.records++
	return nil
}

func (s *Sorter) sortHeld() {
	slices.SortStableFunc(s.held, func(a, b span) int {
		return bytes.Compare(s.data[a.start:a.value], s.data[b.start:b.value])
	})
}

// spill writes the records in memory to a file, and merges files when there are fanIn of
// one level.
func (s *Sorter) spill() error {
	s.sortHeld()
	path, err := s.write(&memory{s: s})
	if err != nil {
		return err
	}
	s.data, s.held = s.data[:0], s.held[:0]
	for level := 0; ; level++ {
		if level == len(s.levels) {
			s.levels = append(s.levels, nil)
		}
		s.levels[level] = append(s.levels[level], path)
		if len(s.levels[level]) < fanIn {
			return nil
		}
		merged, err := openMerge(s.levels[level])
		if err != nil {
			return err
		}
		path, err = s.write(merged)
		if err = errors.Join(err, merged.Close()); err != nil {
			return err
		}
		s.levels[level] = nil
	}
}

// write writes records, which are in order already, to a new file.
func (s *Sorter) write(from Stream) (path string, err error) {
	s.files++
	path = filepath.Join(s.dir, fmt.Sprintf("%s-%d", s.name, s.files))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // a name of its own, in the operator's directory
	if err != nil {
		return "", err
	}
	out := bufio.NewWriterSize(f, readBuffer)
	var head [2 * binary.MaxVarintLen64]byte
	for {
		key, value, err := from.Next()
		if errors.Is(err, io.EOF) {
			return path, errors.Join(out.Flush(), f.Close())
		}
		if err == nil {
			lengths := binary.AppendUvarint(binary.AppendUvarint(head[:0], uint64(len(key))), uint64(len(value)))
			_, err = out.Write(lengths)
		}
		if err == nil {
			_, _ = out.Write(key)
			_, err = out.Write(value)
		}
		if err != nil {
			return "", errors.Join(err, f.Close())
		}
	}
}

// Stream returns records in order.
type Stream interface {
	// Next returns the next record, or io.EOF after the last one. Key and value are valid
	// until the next call.
	Next() (key, value []byte, err error)
	// Close removes the files of the stream.
	Close() error
}

// Sorted returns all records in order. It may be called once, after the last Add.
func (s *Sorter) Sorted() (Stream, error) {
	if s.files == 0 {
		s.sortHeld()
		return &memory{s: s}, nil
	}
	if len(s.held) > 0 {
		if err := s.spill(); err != nil {
			return nil, err
		}
	}
	s.data, s.held = nil, nil
	var paths []string
	for _, level := range slices.Backward(s.levels) {
		paths = append(paths, level...)
	}
	return openMerge(paths)
}

// Each calls f with each record in order, instead of Sorted. f must not keep key or value.
func (s *Sorter) Each(ctx context.Context, f func(key, value []byte) error) error {
	from, err := s.Sorted()
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		key, value, err := from.Next()
		if errors.Is(err, io.EOF) {
			return from.Close()
		}
		if err == nil && n%1024 == 0 {
			err = ctx.Err()
		}
		if err == nil {
			err = f(key, value)
		}
		if err != nil {
			return errors.Join(err, from.Close())
		}
	}
}

// memory is the stream of a sorter that has written no file.
type memory struct {
	s    *Sorter
	past int
}

func (m *memory) Next() (key, value []byte, err error) {
	if m.past == len(m.s.held) {
		return nil, nil, io.EOF
	}
	at := m.s.held[m.past]
	m.past++
	return m.s.data[at.start:at.value], m.s.data[at.value:at.end], nil
}

func (m *memory) Close() error { return nil }

// merge is the stream of several sorted files.
type merge struct {
	open []*file
	heap files
	last *file // the file of the record that Next returned last
}

// file is one sorted file and its current record.
type file struct {
	f      *os.File
	in     *bufio.Reader
	rank   int // among its siblings, oldest first
	key    []byte
	record []byte // key and value
}

func openMerge(paths []string) (*merge, error) {
	m := &merge{}
	for rank, path := range paths {
		f, err := os.Open(path) //nolint:gosec // one that write made
		if err != nil {
			return nil, errors.Join(err, m.Close())
		}
		one := &file{f: f, in: bufio.NewReaderSize(f, readBuffer), rank: rank}
		m.open = append(m.open, one)
		switch err := one.read(); {
		case errors.Is(err, io.EOF):
		case err != nil:
			return nil, errors.Join(err, m.Close())
		default:
			m.heap = append(m.heap, one)
		}
	}
	heap.Init(&m.heap)
	return m, nil
}

// read reads the next record. It returns io.EOF after the last one.
func (f *file) read() error {
	keyLen, err := binary.ReadUvarint(f.in)
	if err != nil {
		return err
	}
	valueLen, err := binary.ReadUvarint(f.in)
	if err != nil {
		return cutShort(err)
	}
	f.record = slices.Grow(f.record[:0], int(keyLen+valueLen))[:keyLen+valueLen]
	f.key = f.record[:keyLen]
	_, err = io.ReadFull(f.in, f.record)
	return cutShort(err)
}

func cutShort(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (m *merge) Next() (key, value []byte, err error) {
	if m.last != nil {
		switch err := m.last.read(); {
		case errors.Is(err, io.EOF):
			heap.Pop(&m.heap)
		case err != nil:
			return nil, nil, err
		default:
			heap.Fix(&m.heap, 0)
		}
		m.last = nil
	}
	if len(m.heap) == 0 {
		return nil, nil, io.EOF
	}
	m.last = m.heap[0]
	return m.last.key, m.last.record[len(m.last.key):], nil
}

// Close removes the files, which are read only once.
func (m *merge) Close() (err error) {
	for _, one := range m.open {
		err = errors.Join(err, one.f.Close(), os.Remove(one.f.Name()))
	}
	return err
}

// files is a heap, ordered by key and then by the age of the file.
type files []*file

func (h files) Len() int { return len(h) }
func (h files) Less(i, j int) bool {
	return cmp.Or(bytes.Compare(h[i].key, h[j].key), cmp.Compare(h[i].rank, h[j].rank)) < 0
}
func (h files) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *files) Push(x any)   { *h = append(*h, x.(*file)) } //nolint:forcetypeassert // heap gives back what it was given
func (h *files) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
