package bus_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/bus"
)

// fill sets every field below v to something that is not zero.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		v.SetString("some text")
	case reflect.Int8, reflect.Int, reflect.Int64:
		v.SetInt(77)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(88)
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(t, field)
		}
	default:
		t.Fatalf("the test cannot fill a %v: teach it", v.Type())
	}
}

// A field that somebody adds to the event and forgets in the encoding fails here.
func TestEveryFieldOfAnEventSurvivesTheEncoding(t *testing.T) {
	var want bus.Event
	fill(t, reflect.ValueOf(&want).Elem())
	for i := range want.Audience {
		want.Audience[i].JoinSeq = 0 // said not to be set
	}
	got, err := bus.Unmarshal(bus.Marshal(&want))
	if err != nil || !reflect.DeepEqual(got, &want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
}

func TestWhatIsAbsentStaysAbsent(t *testing.T) {
	for name, want := range map[string]bus.Event{
		"nothing":               {},
		"no audience":           {App: "shop", Audience: []skein.Listener{}, Also: []string{}, Blind: []string{}},
		"an empty frame":        {Frame: []byte{}, Blank: []byte{}},
		"an empty client":       {Also: []string{"", "Tom", ""}, Audience: []skein.Listener{{}, {Client: "Tom"}}},
		"a negative number":     {Seq: -5, Change: -1 << 62},
		"a list of 300":         {Also: strings.Split(strings.Repeat("Tom,", 300), ",")},
		"a client of 300":       {Audience: []skein.Listener{{Client: strings.Repeat("x", 300), Mark: 1<<32 - 1}}},
		"a frame of a mebibyte": {Frame: bytes.Repeat([]byte("x"), 1<<20)},
	} {
		got, err := bus.Unmarshal(bus.Marshal(&want))
		if err != nil || !reflect.DeepEqual(got, &want) {
			t.Errorf("%s: got  %.300s, %v\nwant %.300s", name, fmt.Sprintf("%+v", got), err, fmt.Sprintf("%+v", want))
		}
	}
}

func TestAFieldOfALaterVersionIsSkipped(t *testing.T) {
	later := append(bus.Marshal(&bus.Event{App: "shop", Seq: 7}), 250, 3, 'n', 'e', 'w')
	got, err := bus.Unmarshal(later)
	if want := (bus.Event{App: "shop", Seq: 7}); err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// Whatever arrives is an event or an error, never a crash; an event that was read is
// written and read again as it is.
func FuzzUnmarshal(f *testing.F) {
	for _, e := range []bus.Event{
		{App: "shop", Seq: 7, Frame: []byte("{}"), Audience: []skein.Listener{{Client: "Tom", Mark: 9}}},
		{Cut: &skein.Cut{App: "shop", Client: "Tom"}, Also: []string{"Tom", "Jerry"}},
	} {
		data := bus.Marshal(&e)
		f.Add(data)
		f.Add(data[:len(data)-1])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := bus.Unmarshal(bytes.Clone(data))
		if err != nil {
			return
		}
		again, err := bus.Unmarshal(bus.Marshal(e))
		if err != nil || !reflect.DeepEqual(again, e) {
			t.Errorf("%x reads as %+v, and that as %+v, %v", data, e, again, err)
		}
	})
}

// small is a message of a group of 64.
func small() *bus.Event {
	e := &bus.Event{App: "shop", Conv: skein.ID{1}, Seq: 9, Frame: make([]byte, 400), Sender: "client-0"}
	for i := range 64 {
		client := fmt.Sprint("client-", i)
		e.Audience = append(e.Audience, skein.Listener{Client: client, Mark: skein.MarkOf(client)})
	}
	return e
}

func BenchmarkMarshal(b *testing.B) {
	e := small()
	b.ReportAllocs()
	for b.Loop() {
		bus.Marshal(e)
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	data := bus.Marshal(small())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bus.Unmarshal(data); err != nil {
			b.Fatal(err)
		}
	}
}
