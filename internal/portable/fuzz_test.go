package portable

import (
	"bytes"
	"testing"
)

// FuzzLine reads arbitrary lines, which must not panic. A valid line, written and read again,
// must stay the same, and must become a record of the store.
func FuzzLine(f *testing.F) {
	for _, seed := range []string{
		`{"client_id":"tom","ext":{"a":1e2},"ctime":1,"device_cuts":{"p":1},"x":null}`,
		`{"conv_id":"000000000000000000000000000000a1","conv_type":3,"creator":"tom","conv_extend":null,"ctime":1,"sanctions":[{"client_id":"eve","muted_until":1}]}`,
		`{"conv_id":"000000000000000000000000000000a1","client_id":"tom","role":"owner","join_time":1,"join_seq":1,"draft":"x"}`,
		`{"conv_id":"000000000000000000000000000000a1","seq":1,"msg_id":"000000000000000000000000000000b1","client_id":"tom","type":-1,"text":"深\u0000","attr":"\ud83d\ude00","ctime":1,"reactions":[{"emoji":"👍","client_id":"b","change_seq":1}]}`,
		`{"conv_id":"000000000000000000000000000000a1","change_seq":1,"kind":"react","seq":1,"time":1,"emoji":"x","on":true}`,
		`{"name":"0123456789abcdef0123456789abcdef.png","ctime":1,"size":1,"sha256":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		again(t, line, (*Client).fault)
		again(t, line, (*Conversation).fault)
		again(t, line, (*Member).fault)
		again(t, line, (*Message).fault)
		again(t, line, (*Change).fault)
		again(t, line, (*File).fault)
	})
}

func again[T any](t *testing.T, line []byte, fault func(*T) error) {
	t.Helper()
	first := new(T)
	if decode(line, first) != nil || fault(first) != nil {
		return
	}
	one, err := Encode(first)
	if err != nil {
		t.Fatalf("%T cannot be written: %v", first, err)
	}
	second := new(T)
	if err := decode(bytes.TrimSuffix(one, []byte("\n")), second); err != nil {
		t.Fatalf("%s\nis written as what cannot be read: %v", line, err)
	}
	if other, err := Encode(second); err != nil || !bytes.Equal(one, other) {
		t.Fatalf("%s\nis written as %s, then as %s, %v", line, one, other, err)
	}
	record, err := StoreRecord("shop", first)
	if err != nil {
		t.Fatal(err)
	}
	back, err := RecordOf(record)
	if err != nil {
		t.Fatal(err)
	}
	if record, err = StoreRecord("shop", back); err != nil {
		t.Fatal(err)
	}
	twice, err := RecordOf(record)
	if err != nil {
		t.Fatal(err)
	}
	a, errA := Encode(back)
	b, errB := Encode(twice)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Fatalf("%s\nis stored and read as %s, %v, and that as %s, %v", line, a, errA, b, errB)
	}
}
