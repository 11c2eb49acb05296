package strict

import (
	"bytes"
	"errors"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// FuzzMembers holds that reading the members of an object by themselves and reading
// it as a struct are of one mind.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{
		`{"type":"ping","data":{"a":[1,2.5e3,"x"]},"id":"7"}`, `{ "t\u0079pe" : null , "data" : [ ] }`, `{}`, ` {"id":1}`, `{"id":1} `,
		`{"id":1,"id":1}`, `{"id":1,"\u0069d":1}`, `{"data":{"a":1,"a":1}}`, `{"ID":1}`, `{"id":1}{}`, `{"id":1},`, `{"id":1`, `{"id"}`, `{"id":}`,
		`{"id":1,}`, `{,}`, `{1:1}`, `[]`, `1`, `"a"0`, `null`, ``, ` `, `{"":1}`, "{\"\xff\":1}", `{"id":"\ud800"}`, `{"id":"` + "\xff" + `"}`, "\ufeff{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, odd := Survey(data); odd {
			return // escapes are not its business
		}
		var want struct {
			Type jsontext.Value `json:"type"`
			Data jsontext.Value `json:"data"`
			ID   jsontext.Value `json:"id"`
		}
		wantErr := Object(data, &want)
		given := bytes.Clone(data)
		got := map[string]string{}
		err := Members(data, MaxDepth, func(name, value []byte) { got[string(name)] = string(value) })
		if !bytes.Equal(data, given) {
			t.Fatalf("%q: was written to: %q", given, data)
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: got error %v, as a struct %v", data, err, wantErr)
		}
		if err != nil {
			if errors.Is(err, skein.ErrMalformed) != errors.Is(wantErr, skein.ErrMalformed) {
				t.Fatalf("%q: got error %v, as a struct %v", data, err, wantErr)
			}
			return
		}
		for name, value := range map[string]jsontext.Value{"type": want.Type, "data": want.Data, "id": want.ID} {
			if got[name] != string(value) {
				t.Fatalf("%q: %s: got %q, as a struct %q", data, name, got[name], value)
			}
		}
	})
}
