package portable

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// fill sets every field, so that the test notices a forgotten one.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(`{"x":1}`))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int8:
		v.SetInt(2)
	case reflect.Int, reflect.Int64:
		v.SetInt(5_000_000)
	case reflect.Uint8:
		v.SetUint(7)
	}
}

func TestEveryFieldOfARecordGoesOutAndComesIn(t *testing.T) {
	client, conv, member := new(store.ClientRecord), new(store.ConversationRecord), new(store.MemberRecord)
	message, change, upload := new(store.MessageRecord), new(store.ChangeRecord), new(store.UploadRecord)
	for _, r := range []any{client, conv, member, message, change, upload} {
		fill(reflect.ValueOf(r).Elem())
	}
	client.Rev, client.Incarnation, conv.RosterRev = 0, 0, 0             // of one store
	conv.Members = 0                                                     // counted
	message.Status, message.Transient, message.Reactions = 1, false, nil // these are never stored, or derived
	upload.Until, upload.Quota = 0, 0                                    // of an upload, not of a file
	for _, r := range []any{client, conv, member, message, change, upload} {
		out, err := RecordOf(r)
		if err != nil {
			t.Fatal(err)
		}
		line, err := Encode(out)
		if err != nil {
			t.Fatal(err)
		}
		in := reflect.New(reflect.TypeOf(out).Elem()).Interface()
		if err := decode(line, in); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		got, err := StoreRecord("x", in)
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("%s\ngot  %+v, %v\nwant %+v", line, got, err, r)
		}
	}
}

func TestEverySettingGoesOutAndComesIn(t *testing.T) {
	var s skein.Settings
	fill(reflect.ValueOf(&s).Elem())
	s.WordList, s.BeforeHooks = 0, nil // the revision of a list, and hooks with their secrets, stay behind
	for _, want := range []skein.Settings{{}, s} {
		raw, err := json.Marshal(AppOf(skein.App{ID: "x", Settings: want}))
		if err != nil {
			t.Fatal(err)
		}
		var a App
		if err := decode(raw, &a); err != nil || !reflect.DeepEqual(a.Settings.Of(), want) {
			t.Errorf("%s\ngot  %+v, %v\nwant %+v", raw, a.Settings.Of(), err, want)
		}
	}
}
