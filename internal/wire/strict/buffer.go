package strict

import (
	"sync"
)

// maxPooled keeps a rare large body from living on in the pool, in bytes.
const maxPooled = 64 << 10

var buffers = sync.Pool{New: func() any { return new(make([]byte, 0, 1024)) }}

// GetBuffer is an empty buffer from the pool.
func GetBuffer() *[]byte {
	b, _ := buffers.Get().(*[]byte)
	*b = (*b)[:0]
	return b
}

// PutBuffer gives a buffer back; nobody may hold its bytes any more.
func PutBuffer(b *[]byte) {
	if cap(*b) <= maxPooled {
		buffers.Put(b)
	}
}
