package sorting

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
	"os"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein/internal/portable/leancloud/folder"
)

// Where a message was read from.
const (
	FromApp  byte = 1 << iota // the history of the app
	FromConv                  // the history of its conversation, or to a subscriber
)

// Parts spread the messages of a run over files by conversation, so that the keys of one file fit
// into memory.
type Parts struct {
	Files []*os.File
	out   []*bufio.Writer
}

// There is a part for every partBytes of the journal, and at most partsMost.
const (
	partBytes = 64 << 20
	partsMost = 256
)

// NewParts makes the files in dir for a journal of that many bytes.
func NewParts(dir string, journal int64) (*Parts, error) {
	p := &Parts{}
	for range min(partsMost, 1+int(journal/partBytes)) {
		f, err := os.CreateTemp(dir, "part-*.part")
		if err != nil {
			return p, err
		}
		p.Files = append(p.Files, f)
		p.out = append(p.out, bufio.NewWriterSize(f, 1<<15))
	}
	return p, nil
}

// Add writes: length and text of the conversation, where it came from, length and text
// of the row.
func (p *Parts) Add(conv string, source byte, raw jsontext.Value) error {
	head := binary.AppendUvarint(nil, uint64(len(conv)))
	head = append(append(head, conv...), source)
	head = binary.AppendUvarint(head, uint64(len(raw)))
	out := p.out[Hash([]byte(conv))%uint64(len(p.out))]
	if _, err := out.Write(head); err != nil {
		return err
	}
	_, err := out.Write(raw)
	return err
}

// Close closes the files.
func (p *Parts) Close() error {
	var all []error
	for _, f := range p.Files {
		all = append(all, f.Close())
	}
	return errors.Join(all...)
}

// Message is a message in a part.
type Message struct {
	Conv   string
	Time   int64
	ID     string
	Sub    string // conv-id, of a system conversation: one of many
	Source byte
	At     span
}

// Order compares two messages of one conversation by time, then id, then conv-id.
func (a Message) Order(b Message) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Sub, b.Sub))
}

// Load reads the keys of a part, sorted by conversation and Order. Of several versions of a message it
// returns the last, with all their sources.
func (p *Parts) Load(i int, system func(string) bool) ([]Message, error) {
	if err := p.out[i].Flush(); err != nil {
		return nil, err
	}
	if _, err := p.Files[i].Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	in := &counter{in: bufio.NewReaderSize(p.Files[i], 1<<16)}
	names := map[string]string{} // each conversation once in memory
	var all []Message
	for {
		k, err := in.next(system)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if name, ok := names[k.Conv]; ok {
			k.Conv = name
		}
		names[k.Conv] = k.Conv
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b Message) int {
		return cmp.Or(cmp.Compare(a.Conv, b.Conv), a.Order(b), cmp.Compare(a.At.From, b.At.From))
	})
	once := all[:0]
	for _, k := range all {
		if n := len(once); n > 0 && once[n-1].Conv == k.Conv && once[n-1].Order(k) == 0 {
			k.Source |= once[n-1].Source
			once[n-1] = k
			continue
		}
		once = append(once, k)
	}
	return once, nil
}

// Identity is the msg-id, or the whole row where there is none.
func Identity(r folder.Row) string {
	if r.ID != "" {
		return r.ID
	}
	return string(r.Raw)
}

// counter counts the bytes that were read.
type counter struct {
	in *bufio.Reader
	n  int64
}

func (c *counter) ReadByte() (byte, error) {
	b, err := c.in.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

// next reads what parts.add wrote. Errors: io.EOF at the end.
func (c *counter) next(system func(string) bool) (Message, error) {
	conv, err := c.chunk()
	if err != nil {
		return Message{}, err
	}
	k := Message{Conv: string(conv)}
	if k.Source, err = c.ReadByte(); err != nil {
		return Message{}, folder.NoEOF(err)
	}
	raw, err := c.chunk()
	if err != nil {
		return Message{}, folder.NoEOF(err)
	}
	k.At = span{c.n - int64(len(raw)), len(raw)}
	r, err := folder.ReadRow(raw)
	if err != nil {
		return Message{}, err
	}
	k.Time, k.ID = r.Time, Identity(r)
	if system(k.Conv) {
		k.Sub = r.Conv
	}
	return k, nil
}

// chunk reads a length and that many bytes.
func (c *counter) chunk() ([]byte, error) {
	size, err := binary.ReadUvarint(c)
	if err != nil {
		return nil, err
	}
	b := make([]byte, size)
	n, err := io.ReadFull(c.in, b)
	c.n += int64(n)
	return b, folder.NoEOF(err)
}

// Hash is a hash of 64 bits.
func Hash(raw []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(raw) // never fails
	return h.Sum64()
}
