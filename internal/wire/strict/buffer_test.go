package strict

import (
	"testing"
)

func TestALargeBufferIsNotKept(t *testing.T) {
	large := make([]byte, 0, maxPooled+1)
	PutBuffer(&large)
	for range 100 {
		if b := GetBuffer(); cap(*b) > maxPooled || len(*b) != 0 {
			t.Fatalf("got a buffer of %d, cap %d", len(*b), cap(*b))
		}
	}
}
