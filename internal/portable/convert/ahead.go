package convert

import (
	"bytes"
	"errors"
	"io"

	"github.com/skein-im/skein/internal/portable/convert/sorter"
)

// ahead reads the values of a sorted stream and decodes each before it is needed, so that
// the caller can look at the next one first.
type ahead[T any] struct {
	from sorter.Stream
	key  []byte // of next
	next *T     // nil: no more
}

func (r *ahead[T]) advance() error {
	key, value, err := r.from.Next()
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
