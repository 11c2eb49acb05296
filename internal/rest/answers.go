package rest

import (
	"sync/atomic"

	"github.com/skein-im/skein"
)

const (
	// largeAnswer is where an answer begins to count. Below it are all those that
	// tell of a change, which must not be refused once it is made.
	largeAnswer = 64 << 10
	// defaultAnswerBytes is room for 128 of the largest pages at once.
	defaultAnswerBytes = 512 << 20
)

// answers bounds the memory of large answers whose peers are taking their time.
type answers struct {
	limit int64
	held  atomic.Int64
}

// hold takes room for an answer; release gives it back. Errors:
// skein.ErrUnavailable where there is none.
func (a *answers) hold(size int) (release func(), err error) {
	if size < largeAnswer {
		return func() {}, nil
	}
	n := 2 * int64(size) // the envelope is another copy
	if a.held.Add(n) > a.limit {
		a.held.Add(-n)
		return nil, skein.ErrUnavailable
	}
	return func() { a.held.Add(-n) }, nil
}
