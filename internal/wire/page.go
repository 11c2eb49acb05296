package wire

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/cursor"
)

// PageRequest is a checked request for a page.
type PageRequest struct {
	Page  int64
	Size  int
	After skein.Cursor
	Seal  cursor.Seal // of the cursors in the answer
}

// Offset is how many items come before the page.
func (p PageRequest) Offset() int { return int(p.Page-1) * p.Size }

// Page is the documented answer to a listing.
type Page[T any] struct {
	CurrentPage int64   `json:"current_page" en:"number of this page" zh:"当前页"`
	Data        []T     `json:"data" en:"the items" zh:"本页数据"`
	LastPage    int64   `json:"last_page" en:"number of the last page, at least 1" zh:"最后一页，至少为 1"`
	PerPage     int     `json:"per_page" en:"items a page" zh:"每页条数"`
	Total       int64   `json:"total" en:"items in all" zh:"总条数"`
	NextCursor  *string `json:"next_cursor" en:"send it as cursor to get the next page; null at the end" zh:"用于取下一页；到末尾为 null"`
}

// NewPage is the answer to a page request: the items of the page, of total.
func NewPage[T any](at PageRequest, items []T, total int, next skein.Cursor) Page[T] {
	if items == nil {
		items = []T{}
	}
	return Page[T]{at.Page, items, lastPage(int64(total), int64(at.Size)), at.Size, int64(total), cursor.OfPage(next, at.Seal)}
}

func lastPage(total, size int64) int64 { return max(1, (total+size-1)/size) }
