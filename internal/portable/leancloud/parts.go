package leancloud

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Where a message came from.
const (
	fromApp  byte = 1 << iota // the history of the app
	fromConv                  // the history of its conversation, or to a subscriber
)

// parts are the messages of a run, spread over files by conversation, so that the keys
// of one part fit into memory.
type parts struct {
	files []*os.File
	out   []*bufio.Writer
}

// partBytes is how much of a journal goes into one part; the most parts are partsMost.
const (
	partBytes = 64 << 20
	partsMost = 256
)

func newParts(dir string, journal int64) (*parts, error) {
	p := &parts{}
	for range min(partsMost, 1+int(journal/partBytes)) {
		f, err := os.CreateTemp(dir, "part-*.part")
		if err != nil {
			return p, err
		}
		p.files = append(p.files, f)
		p.out = append(p.out, bufio.NewWriterSize(f, 1<<15))
	}
	return p, nil
}

// add writes: length and text of the conversation, where it came from, length and text
// of the row.
func (p *parts) add(conv string, source byte, raw jsontext.Value) error {
	head := binary.AppendUvarint(nil, uint64(len(conv)))
	head = append(append(head, conv...), source)
	head = binary.AppendUvarint(head, uint64(len(raw)))
	out := p.out[sum64([]byte(conv))%uint64(len(p.out))]
	if _, err := out.Write(head); err != nil {
		return err
	}
	_, err := out.Write(raw)
	return err
}

func (p *parts) close() error {
	var all []error
	for _, f := range p.files {
		all = append(all, f.Close())
	}
	return errors.Join(all...)
}

// kept is a message in a part.
type kept struct {
	conv   string
	time   int64
	id     string
	sub    string // conv-id, of a system conversation: one of many
	source byte
	at     span
}

func (a kept) order(b kept) int {
	return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.id, b.id), cmp.Compare(a.sub, b.sub))
}

// load reads the keys of a part, by conversation, then in their order, each once: as it
// was answered last, and from wherever it was.
func (p *parts) load(i int, system func(string) bool) ([]kept, error) {
	if err := p.out[i].Flush(); err != nil {
		return nil, err
	}
	if _, err := p.files[i].Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	in := &counter{in: bufio.NewReaderSize(p.files[i], 1<<16)}
	names := map[string]string{} // each conversation once in memory
	var all []kept
	for {
		k, err := in.next(system)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if name, ok := names[k.conv]; ok {
			k.conv = name
		}
		names[k.conv] = k.conv
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b kept) int {
		return cmp.Or(cmp.Compare(a.conv, b.conv), a.order(b), cmp.Compare(a.at.from, b.at.from))
	})
	once := all[:0]
	for _, k := range all {
		if n := len(once); n > 0 && once[n-1].conv == k.conv && once[n-1].order(k) == 0 {
			k.source |= once[n-1].source
			once[n-1] = k
			continue
		}
		once = append(once, k)
	}
	return once, nil
}

// identity is the msg-id, or the whole row where there is none.
func identity(r row) string {
	if r.id != "" {
		return r.id
	}
	return string(r.raw)
}

// counter counts what was read.
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
func (c *counter) next(system func(string) bool) (kept, error) {
	conv, err := c.chunk()
	if err != nil {
		return kept{}, err
	}
	k := kept{conv: string(conv)}
	if k.source, err = c.ReadByte(); err != nil {
		return kept{}, noEOF(err)
	}
	raw, err := c.chunk()
	if err != nil {
		return kept{}, noEOF(err)
	}
	k.at = span{c.n - int64(len(raw)), len(raw)}
	r, err := readRow(raw)
	if err != nil {
		return kept{}, err
	}
	k.time, k.id = r.time, identity(r)
	if system(k.conv) {
		k.sub = r.conv
	}
	return k, nil
}

// chunk reads a length and as many bytes. They are only valid until the next but one.
func (c *counter) chunk() ([]byte, error) {
	size, err := binary.ReadUvarint(c)
	if err != nil {
		return nil, err
	}
	b := make([]byte, size)
	n, err := io.ReadFull(c.in, b)
	c.n += int64(n)
	return b, noEOF(err)
}

// writeMessages merges the messages of the run with the lists that are there, and
// returns a proof for each conversation that the run had messages of.
func (s *sorting) writeMessages(ctx context.Context) (map[string]*proving, error) {
	proofs := map[string]*proving{}
	for i := range s.messages.files {
		all, err := s.messages.load(i, s.d.isSystem)
		if err != nil {
			return nil, err
		}
		for len(all) > 0 {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			n := 1
			for n < len(all) && all[n].conv == all[0].conv {
				n++
			}
			p, err := s.merge(s.messages.files[i], all[:n])
			if err != nil {
				return nil, fmt.Errorf("messages of %s: %w", all[0].conv, err)
			}
			proofs[all[0].conv] = p
			all = all[n:]
		}
	}
	return proofs, nil
}

// listOf is the list of messages of a conversation.
func (d *dump) listOf(conv string) string {
	if d.isSystem(conv) {
		return d.path(SystemFile(conv))
	}
	return d.path(MessagesFile(conv))
}

func (d *dump) isSystem(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.convs[id] != nil && d.convs[id].kind == "system"
}

// merge writes the list of one conversation anew: what was there and what is new.
func (s *sorting) merge(part *os.File, fresh []kept) (*proving, error) {
	conv := fresh[0].conv
	p := &proving{began: s.d.run.Began}
	if c := s.d.convs[conv]; c != nil {
		p.after = s.d.compared(c)
	}
	w, err := writeList(s.d.listOf(conv))
	if err != nil {
		return nil, err
	}
	old, stop := iter.Pull2(s.old(conv))
	defer stop()
	was, err, more := old()
	for err == nil && (more || len(fresh) > 0) {
		order := -1
		switch {
		case !more:
			order = 1
		case len(fresh) > 0:
			order = was.order(fresh[0])
		}
		if order < 0 {
			p.add(was.kept)
			if err = w.line(was.raw); err != nil {
				break
			}
			was, err, more = old()
			continue
		}
		raw := make([]byte, fresh[0].at.n)
		if _, err = part.ReadAt(raw, fresh[0].at.from); err != nil {
			break
		}
		p.add(fresh[0])
		if err = w.line(raw); err != nil {
			break
		}
		fresh = fresh[1:]
		if order == 0 {
			was, err, more = old()
		}
	}
	if err != nil {
		w.drop()
		return nil, err
	}
	list, err := w.end()
	p.finish(list)
	return p, err
}

// oldRow is a message of the list that is there.
type oldRow struct {
	kept
	raw jsontext.Value
}

func (s *sorting) old(conv string) iter.Seq2[oldRow, error] {
	system := s.d.isSystem(conv)
	return func(yield func(oldRow, error) bool) {
		for line, err := range Lines(s.d.listOf(conv)) {
			var r row
			if err == nil {
				r, err = readRow(line)
			}
			k := oldRow{kept{time: r.time, id: identity(r)}, line}
			if system {
				k.sub = r.conv
			}
			if !yield(k, err) || err != nil {
				return
			}
		}
	}
}
