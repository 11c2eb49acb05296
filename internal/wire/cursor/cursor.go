// Package cursor writes the cursors of pages and of sync as sealed text, and reads them.
package cursor

import (
	"encoding/binary"

	"github.com/skein-im/skein"
)

// cursorSize is three numbers and a flag, in bytes.
const cursorSize = 3*8 + 1

// OfPage is the text of the cursor of a page; nil at the end.
func OfPage(c skein.Cursor, seal Seal) *string {
	if c.IsZero() {
		return nil
	}
	b := make([]byte, 0, cursorSize)
	for _, n := range [...]int64{c.Sort, c.Tie, c.Since} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	if c.Again {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	s := seal.close(b)
	return &s
}

// ParsePage reads the cursor of a page. Errors: skein.ErrMalformed.
func ParsePage(s string, seal Seal) (skein.Cursor, error) {
	b, err := seal.open(s, cursorSize)
	if err != nil {
		return skein.Cursor{}, err
	}
	at := func(i int) int64 { return int64(binary.BigEndian.Uint64(b[8*i:])) }
	return skein.Cursor{Sort: at(0), Tie: at(1), Since: at(2), Again: b[cursorSize-1] == 1}, nil
}

// syncCursorSize is the four numbers of a cursor, in bytes.
const syncCursorSize = 4 * 8

// OfSync is the text of a cursor of sync.
func OfSync(c skein.SyncCursor, seal Seal) string {
	b := make([]byte, 0, syncCursorSize)
	for _, n := range [...]int64{c.Epoch, c.Since, c.Upto, c.Key} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return seal.close(b)
}

// ofEarlier is what a cursor that an earlier version wrote, without a seal, is taken
// for: one of another history, since no epoch is negative. It is answered with a reset.
var ofEarlier = skein.SyncCursor{Epoch: -1}

// ParseSync reads a cursor of sync. Errors: skein.ErrMalformed.
func ParseSync(s string, seal Seal) (skein.SyncCursor, error) {
	if _, err := decodeCursor(s, syncCursorSize); err == nil {
		return ofEarlier, nil
	}
	b, err := seal.open(s, syncCursorSize)
	if err != nil {
		return skein.SyncCursor{}, err
	}
	at := func(i int) int64 { return int64(binary.BigEndian.Uint64(b[8*i:])) }
	return skein.SyncCursor{Epoch: at(0), Since: at(1), Upto: at(2), Key: at(3)}, nil
}
