package wire

import (
	"testing"
)

func TestTheEnvelopeHasItsFourKeysInOrder(t *testing.T) {
	for name, tt := range map[string]struct {
		got  []byte
		want string
	}{
		"data":             {AppendEnvelope(nil, 0, "ok", []byte(`{"b":1,"a":2}`), "7"), `{"code":0,"message":"ok","data":{"b":1,"a":2},"request-id":"7"}`},
		"nothing":          {AppendEnvelope(nil, 0, "ok", nil, ""), `{"code":0,"message":"ok","data":null,"request-id":null}`},
		"texts are quoted": {AppendEnvelope(nil, 1, `a"b`, nil, `c"d`), `{"code":1,"message":"a\"b","data":null,"request-id":"c\"d"}`},
		"and made UTF-8":   {AppendEnvelope(nil, 1, "a\xff", nil, ""), `{"code":1,"message":"a�","data":null,"request-id":null}`},
	} {
		if string(tt.got) != tt.want {
			t.Errorf("%s: got %s, want %s", name, tt.got, tt.want)
		}
	}
}
