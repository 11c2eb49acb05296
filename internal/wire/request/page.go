package request

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/cursor"
)

// Bounds of pages and of limits.
const (
	MaxPageSize     = 100
	ConvPageSize    = 20
	MessagePageSize = 10
	maxPage         = 1 << 40 // page × size stays far from overflow
	DefaultLimit    = 50      // of msg.list by seq, changes and msg.ranges
	MaxLimit        = 200     // the same, and of sync
)

// Paging asks for a page by number, or for what follows a cursor.
type Paging struct {
	Page   *int64 `json:"page" en:"number of the page, from 1" zh:"页码，从 1 开始"`
	Size   *int64 `json:"size" en:"1..100" zh:"每页条数，1..100"`
	Cursor string `json:"cursor" en:"next_cursor of the previous page; takes precedence over page" zh:"上一页返回的 next_cursor；优先于 page"`
}

// Parse checks the request, whose cursor has the seal. Errors: skein.ErrMalformed
// naming the field.
func (p Paging) Parse(defaultSize int, seal cursor.Seal) (wire.PageRequest, error) {
	page := wire.PageRequest{Page: 1, Size: defaultSize, Seal: seal}
	if p.Page != nil {
		switch {
		case *p.Page < 1:
			return page, skein.Malformed("page", "must be at least 1")
		case *p.Page > maxPage:
			return page, skein.Malformed("page", "out of range")
		}
		page.Page = *p.Page
	}
	if p.Size != nil {
		if *p.Size < 1 || *p.Size > MaxPageSize {
			return page, skein.Malformed("size", "must be 1 to 100")
		}
		page.Size = int(*p.Size)
	}
	if p.Cursor == "" {
		return page, nil
	}
	var err error
	page.After, err = cursor.ParsePage(p.Cursor, seal)
	return page, err
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
