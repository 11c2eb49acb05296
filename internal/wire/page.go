package wire

import (
	"encoding/binary"

	"github.com/skein-im/skein"
)

// Bounds of pages; SPEC section 3.
const (
	MaxPageSize     = 100
	ConvPageSize    = 20
	MessagePageSize = 10
	maxPage         = 1 << 40 // page × size stays far from overflow
	DefaultLimit    = 50      // of msg.list by seq, changes and msg.ranges
	MaxLimit        = 200     // the same, and of sync
)

// PageRequest asks for a page by number, or for what follows a cursor.
type PageRequest struct {
	Page   *int64 `json:"page" en:"from 1" zh:"页码，从 1 开始"`
	Size   *int64 `json:"size" en:"1..100" zh:"每页条数，1..100"`
	Cursor string `json:"cursor" en:"next_cursor of the page before; wins over page" zh:"上一页返回的 next_cursor；优先于 page"`
}

// Place is a page request that has been checked.
type Place struct {
	Page  int64
	Size  int
	After skein.Cursor
	Seal  Seal // of the cursors
}

// Offset is how many items lie before the page.
func (p Place) Offset() int { return int(p.Page-1) * p.Size }

// Place checks the request, whose cursor has the seal. Errors: skein.ErrMalformed
// naming the field.
func (p PageRequest) Place(defaultSize int, seal Seal) (Place, error) {
	place := Place{Page: 1, Size: defaultSize, Seal: seal}
	if p.Page != nil {
		if *p.Page < 1 || *p.Page > maxPage {
			return place, skein.Malformed("page", "must be at least 1")
		}
		place.Page = *p.Page
	}
	if p.Size != nil {
		if *p.Size < 1 || *p.Size > MaxPageSize {
			return place, skein.Malformed("size", "must be 1 to 100")
		}
		place.Size = int(*p.Size)
	}
	if p.Cursor == "" {
		return place, nil
	}
	var err error
	place.After, err = parseCursor(p.Cursor, seal)
	return place, err
}

// Page is the documented answer to a listing.
type Page[T any] struct {
	CurrentPage int64   `json:"current_page" en:"this page" zh:"当前页"`
	Data        []T     `json:"data" en:"the items" zh:"本页数据"`
	LastPage    int64   `json:"last_page" en:"number of the last page, at least 1" zh:"最后一页，至少为 1"`
	PerPage     int     `json:"per_page" en:"items a page" zh:"每页条数"`
	Total       int64   `json:"total" en:"items in all" zh:"总条数"`
	NextCursor  *string `json:"next_cursor" en:"asks for what follows; null at the end" zh:"用于取下一页；到末尾为 null"`
}

// NewPage is the page of items at a place among total.
func NewPage[T any](at Place, items []T, total int, next skein.Cursor) Page[T] {
	if items == nil {
		items = []T{}
	}
	return Page[T]{at.Page, items, lastPage(int64(total), int64(at.Size)), at.Size, int64(total), cursorText(next, at.Seal)}
}

func lastPage(total, size int64) int64 { return max(1, (total+size-1)/size) }

// cursorSize is three numbers and a flag, in bytes.
const cursorSize = 3*8 + 1

func cursorText(c skein.Cursor, seal Seal) *string {
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

func parseCursor(s string, seal Seal) (skein.Cursor, error) {
	b, err := seal.open(s, cursorSize)
	if err != nil {
		return skein.Cursor{}, err
	}
	at := func(i int) int64 { return int64(binary.BigEndian.Uint64(b[8*i:])) }
	return skein.Cursor{Sort: at(0), Tie: at(1), Since: at(2), Again: b[cursorSize-1] == 1}, nil
}

// limitOf is a limit of 1..MaxLimit, absent where the request has none. Errors:
// skein.ErrMalformed naming the field.
func limitOf(field string, limit *int64, absent int) (int, error) {
	switch {
	case limit == nil:
		return absent, nil
	case *limit < 1 || *limit > MaxLimit:
		return 0, skein.Malformed(field, "must be 1 to 200")
	}
	return int(*limit), nil
}
