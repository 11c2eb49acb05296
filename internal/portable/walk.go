package portable

import (
	"errors"

	"github.com/skein-im/skein"
)

// walk reads all lists in parallel.
type walk struct {
	see   func(Record) error
	fault func(*LineError) error
	lists []*lines // in the order of the variable lists
	order order
	bytes int64 // of files
	wrong bool  // a line was faulty
}

func (w *walk) close() (err error) {
	for _, l := range w.lists {
		err = errors.Join(err, l.file.Close())
	}
	return err
}

// source is a list and its next record.
type source[T any] struct {
	lines *lines
	head  *T // the next record; nil: the end
	fault func(*T) error
}

// advance reads the next valid record.
func (s *source[T]) advance(w *walk) error {
	for {
		next := new(T)
		more, err := s.lines.next(next)
		if err == nil && more {
			if err = s.fault(next); err != nil {
				err = at(s.lines.name, s.lines.n, err)
			}
		}
		if l, ok := errors.AsType[*LineError](err); ok && more {
			w.wrong = true
			if err := w.fault(l); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if s.head = next; !more {
			s.head = nil
		}
		return nil
	}
}

// take passes on the next record, unless it is misplaced, and reads the one after it.
func (s *source[T]) take(w *walk, misplaced error) error {
	var err error
	if misplaced != nil {
		w.wrong = true
		err = w.fault(&LineError{List: s.lines.name, Line: s.lines.n, Err: misplaced})
	} else {
		err = w.see(Record{List: s.lines.name, Line: s.lines.n, Size: s.lines.size, Value: s.head})
	}
	if err != nil {
		return err
	}
	return s.advance(w)
}

// belonging takes the records of conv and stops at the first of another conversation.
func belonging[T any](w *walk, s *source[T], conv skein.ID, of func(*T) skein.ID, misplaced func(*T) error) error {
	for s.head != nil && of(s.head) == conv {
		if err := s.take(w, misplaced(s.head)); err != nil {
			return err
		}
	}
	return nil
}

// rest reports the remaining records: their conversation is missing, or was before them.
func rest[T any](w *walk, s *source[T], misplaced func(*T) error) error {
	for s.head != nil {
		if err := s.take(w, misplaced(s.head)); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) all(r *Reader) error {
	clients := &source[Client]{lines: w.lists[0], fault: (*Client).fault}
	files := &source[File]{lines: w.lists[5], fault: (*File).fault}
	if err := errors.Join(files.advance(w), clients.advance(w)); err != nil {
		return err
	}
	if err := rest(w, files, func(f *File) error { return w.file(r, f) }); err != nil {
		return err
	}
	if w.bytes != r.Manifest.Bytes && !w.wrong {
		return malformed("file_bytes", "is %d in %s, and the files have %d", r.Manifest.Bytes, ManifestFile, w.bytes)
	}
	if err := rest(w, clients, func(*Client) error { return nil }); err != nil {
		return err
	}
	return w.conversations()
}

// conversations takes each conversation with its records.
func (w *walk) conversations() error {
	convs := &source[Conversation]{lines: w.lists[1], fault: (*Conversation).fault}
	members := &source[Member]{lines: w.lists[2], fault: (*Member).fault}
	messages := &source[Message]{lines: w.lists[3], fault: (*Message).fault}
	changes := &source[Change]{lines: w.lists[4], fault: (*Change).fault}
	if err := errors.Join(convs.advance(w), members.advance(w), messages.advance(w), changes.advance(w)); err != nil {
		return err
	}
	for convs.head != nil {
		c, line := convs.head, convs.lines.n
		w.order.conversation(c)
		if err := convs.take(w, nil); err != nil {
			return err
		}
		err := belonging(w, members, c.ID, func(m *Member) skein.ID { return m.Conv }, w.order.member)
		if err == nil {
			err = belonging(w, messages, c.ID, func(m *Message) skein.ID { return m.Conv }, w.message)
		}
		if err == nil {
			err = belonging(w, changes, c.ID, func(c *Change) skein.ID { return c.Conv }, w.order.change)
		}
		if err == nil {
			err = w.end(line)
		}
		if err != nil {
			return err
		}
	}
	w.order = order{}
	err := rest(w, members, w.order.member)
	if err == nil {
		err = rest(w, messages, w.order.message)
	}
	if err == nil {
		err = rest(w, changes, w.order.change)
	}
	return err
}

// end ends the conversation that began in a line.
func (w *walk) end(line int64) error {
	if err := w.order.end(); err != nil {
		return w.fault(&LineError{List: Conversations, Line: line, Err: err})
	}
	return w.see(Record{List: Conversations, Line: line})
}

// message checks the seq of a message. After a gap it continues with the seq that it found.
func (w *walk) message(m *Message) error {
	err := w.order.message(m)
	if err != nil {
		w.order.messages = max(w.order.messages, m.Seq)
	}
	return err
}

// file checks that the content exists.
func (w *walk) file(r *Reader, f *File) error {
	content, err := r.Content(*f)
	if err != nil {
		return err
	}
	w.bytes += f.Size
	return content.Close()
}
