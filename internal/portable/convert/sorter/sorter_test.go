package sorter

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// The smallest budget makes more files than the sorter opens at once, so it merges twice.
func TestASorterReturnsAllRecordsInOrderWithAnyBudget(t *testing.T) {
	for name, budget := range map[string]int{"in memory": 1 << 30, "a few files": 20 << 10, "a file for two records": 100} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := New(dir, "test", budget)
			random := rand.New(rand.NewPCG(1, 2))
			type record struct{ key, value []byte }
			var want []record
			for n := range 2000 {
				key := binary.BigEndian.AppendUint64(nil, random.Uint64N(500))[6:]
				value := bytes.Repeat([]byte{byte(n)}, n%7)
				value = binary.AppendUvarint(value, uint64(n))
				want = append(want, record{key, value})
				if err := s.Add(key, value); err != nil {
					t.Fatal(err)
				}
			}
			slices.SortStableFunc(want, func(a, b record) int { return bytes.Compare(a.key, b.key) })
			got := 0
			err := s.Each(t.Context(), func(key, value []byte) error {
				if got == len(want) || !bytes.Equal(key, want[got].key) || !bytes.Equal(value, want[got].value) {
					t.Fatalf("record %d: got %x %x, want %x %x", got, key, value, want[got].key, want[got].value)
				}
				got++
				return nil
			})
			if err != nil || got != len(want) {
				t.Fatalf("got %d records, %v, want %d", got, err, len(want))
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("files are left: %v, %v", left, err)
			}
		})
	}
}
