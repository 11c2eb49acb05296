package convert

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

// sorter puts more records in order than memory holds: what exceeds its budget goes to
// files, which are merged. Records with equal keys stay in the order they came in.
type sorter struct {
	dir    string
	name   string
	budget int // bytes of records held in memory

	data    []byte
	held    []span
	levels  [][]string // files, oldest first; a file of level n is merged from fanIn files of level n-1
	files   int
	records int64
}

// span is one record in data: its key, then its value.
type span struct{ start, value, end int }

// fanIn bounds the files that are open at a time; each costs readBuffer bytes.
const (
	fanIn      = 256
	readBuffer = 64 << 10
)

func newSorter(dir, name string, budget int) *sorter {
	return &sorter{dir: dir, name: name, budget: budget}
}

// add takes a record; key and value are copied.
func (s *sorter) add(key, value []byte) error {
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

func (s *sorter) sortHeld() {
	slices.SortStableFunc(s.held, func(a, b span) int {
		return bytes.Compare(s.data[a.start:a.value], s.data[b.start:b.value])
	})
}

// spill writes what is held to a file.
func (s *sorter) spill() error {
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
		if err = errors.Join(err, merged.close()); err != nil {
			return err
		}
		s.levels[level] = nil
	}
}

// write makes a file of records that are in order.
func (s *sorter) write(from stream) (path string, err error) {
	s.files++
	path = filepath.Join(s.dir, fmt.Sprintf("%s-%d", s.name, s.files))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // a name of its own, in the operator's directory
	if err != nil {
		return "", err
	}
	out := bufio.NewWriterSize(f, readBuffer)
	var head [2 * binary.MaxVarintLen64]byte
	for {
		key, value, err := from.next()
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

// stream gives records in order, then io.EOF. What it gives is good until the next call.
type stream interface {
	next() (key, value []byte, err error)
	close() error
}

// sorted ends the adding and gives all records in order, once.
func (s *sorter) sorted() (stream, error) {
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

// each calls f with every record in order. f must not keep what it is given.
func (s *sorter) each(ctx context.Context, f func(key, value []byte) error) error {
	from, err := s.sorted()
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		key, value, err := from.next()
		if errors.Is(err, io.EOF) {
			return from.close()
		}
		if err == nil && n%1024 == 0 {
			err = ctx.Err()
		}
		if err == nil {
			err = f(key, value)
		}
		if err != nil {
			return errors.Join(err, from.close())
		}
	}
}

// memory gives what a sorter holds.
type memory struct {
	s    *sorter
	past int
}

func (m *memory) next() (key, value []byte, err error) {
	if m.past == len(m.s.held) {
		return nil, nil, io.EOF
	}
	at := m.s.held[m.past]
	m.past++
	return m.s.data[at.start:at.value], m.s.data[at.value:at.end], nil
}

func (m *memory) close() error { return nil }

// merge gives the records of several files in order.
type merge struct {
	open []*file
	heap files
	last *file // whose record was given
}

// file is one sorted file and its record at hand.
type file struct {
	f      *os.File
	in     *bufio.Reader
	place  int // among its siblings, oldest first
	key    []byte
	record []byte // key and value
}

func openMerge(paths []string) (*merge, error) {
	m := &merge{}
	for place, path := range paths {
		f, err := os.Open(path) //nolint:gosec // one that write made
		if err != nil {
			return nil, errors.Join(err, m.close())
		}
		one := &file{f: f, in: bufio.NewReaderSize(f, readBuffer), place: place}
		m.open = append(m.open, one)
		switch err := one.read(); {
		case errors.Is(err, io.EOF):
		case err != nil:
			return nil, errors.Join(err, m.close())
		default:
			m.heap = append(m.heap, one)
		}
	}
	heap.Init(&m.heap)
	return m, nil
}

// read takes the next record; io.EOF after the last.
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

func (m *merge) next() (key, value []byte, err error) {
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

// close removes the files: they are read once.
func (m *merge) close() (err error) {
	for _, one := range m.open {
		err = errors.Join(err, one.f.Close(), os.Remove(one.f.Name()))
	}
	return err
}

// files is a heap by key, then by age.
type files []*file

func (h files) Len() int { return len(h) }
func (h files) Less(i, j int) bool {
	return cmp.Or(bytes.Compare(h[i].key, h[j].key), cmp.Compare(h[i].place, h[j].place)) < 0
}
func (h files) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *files) Push(x any)   { *h = append(*h, x.(*file)) } //nolint:forcetypeassert // heap gives back what it was given
func (h *files) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

// ahead reads the values of a sorted stream, one ahead of whoever takes them.
type ahead[T any] struct {
	from stream
	key  []byte // of next
	next *T     // nil: no more
}

func (r *ahead[T]) advance() error {
	key, value, err := r.from.next()
	if errors.Is(err, io.EOF) {
		r.next = nil
		return nil
	}
	if err != nil {
		return err
	}
	r.key, r.next = bytes.Clone(key), new(T)
	return decode(value, r.next)
}
