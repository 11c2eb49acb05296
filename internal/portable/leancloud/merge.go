package leancloud

import (
	"context"
	"fmt"
	"iter"
	"os"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein/internal/portable/leancloud/folder"
	"github.com/skein-im/skein/internal/portable/leancloud/sorting"
)

// writeMessages merges the messages of the run into the existing lists. It returns a proof for each
// conversation of which the run read messages.
func (s *folding) writeMessages(ctx context.Context) (map[string]*proving, error) {
	proofs := map[string]*proving{}
	for i := range s.messages.Files {
		all, err := s.messages.Load(i, s.d.isSystem)
		if err != nil {
			return nil, err
		}
		for len(all) > 0 {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			n := 1
			for n < len(all) && all[n].Conv == all[0].Conv {
				n++
			}
			p, err := s.merge(s.messages.Files[i], all[:n])
			if err != nil {
				return nil, fmt.Errorf("messages of %s: %w", all[0].Conv, err)
			}
			proofs[all[0].Conv] = p
			all = all[n:]
		}
	}
	return proofs, nil
}

// listOf is the list of messages of a conversation.
func (d *dump) listOf(conv string) string {
	if d.isSystem(conv) {
		return d.path(folder.SystemFile(conv))
	}
	return d.path(folder.MessagesFile(conv))
}

func (d *dump) isSystem(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.convs[id] != nil && d.convs[id].kind == "system"
}

// merge rewrites the list of one conversation with the old and the new messages.
func (s *folding) merge(part *os.File, fresh []sorting.Message) (*proving, error) {
	conv := fresh[0].Conv
	p := &proving{began: s.d.run.Began}
	if c := s.d.convs[conv]; c != nil {
		p.after = s.d.compared(c)
	}
	w, err := folder.WriteList(s.d.listOf(conv))
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
			order = was.Order(fresh[0])
		}
		if order < 0 {
			p.add(was.Message)
			if err = w.Line(was.raw); err != nil {
				break
			}
			was, err, more = old()
			continue
		}
		raw := make([]byte, fresh[0].At.Len)
		if _, err = part.ReadAt(raw, fresh[0].At.From); err != nil {
			break
		}
		p.add(fresh[0])
		if err = w.Line(raw); err != nil {
			break
		}
		fresh = fresh[1:]
		if order == 0 {
			was, err, more = old()
		}
	}
	if err != nil {
		w.Drop()
		return nil, err
	}
	list, err := w.End()
	p.finish(list)
	return p, err
}

// oldRow is a message of the existing list.
type oldRow struct {
	sorting.Message
	raw jsontext.Value
}

func (s *folding) old(conv string) iter.Seq2[oldRow, error] {
	system := s.d.isSystem(conv)
	return func(yield func(oldRow, error) bool) {
		for line, err := range folder.Lines(s.d.listOf(conv)) {
			var r folder.Row
			if err == nil {
				r, err = folder.ReadRow(line)
			}
			k := oldRow{sorting.Message{Time: r.Time, ID: sorting.Identity(r)}, line}
			if system {
				k.Sub = r.Conv
			}
			if !yield(k, err) || err != nil {
				return
			}
		}
	}
}
