package operators

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

func TestANewKeyLetsOlderOnesExpire(t *testing.T) {
	const now = 1_000_000
	key := func(name string, expires skein.Millis) skein.AppKey {
		return skein.AppKey{Name: name, Expires: expires}
	}
	all := KeyTerms{All: true, Grace: time.Minute}
	for name, tt := range map[string]struct {
		terms KeyTerms
		keys  []skein.AppKey
		want  string // name:expires, as seconds after now
	}{
		"the old one lives on":            {all, []skein.AppKey{key("default", 0)}, "default:60 key-2:never"},
		"all old ones do":                 {all, []skein.AppKey{key("a", 0), key("b", 0)}, "a:60 b:60 key-2:never"},
		"an earlier end stays":            {all, []skein.AppKey{key("a", now+5000)}, "a:5 key-2:never"},
		"a later end comes forward":       {all, []skein.AppKey{key("a", now+90_000)}, "a:60 key-2:never"},
		"past ends are forgotten":         {all, []skein.AppKey{key("a", now-1), key("b", 0)}, "b:60 key-2:never"},
		"no grace ends at once":           {KeyTerms{All: true}, []skein.AppKey{key("a", 0)}, "key-2:never"},
		"only the one that is named ends": {KeyTerms{Replaces: "b", Grace: time.Minute}, []skein.AppKey{key("a", 0), key("b", 0)}, "a:never b:60 key-2:never"},
		"one more":                        {KeyTerms{}, []skein.AppKey{key("a", 0)}, "a:never key-2:never"},
		"a name of its own":               {KeyTerms{Name: "ci"}, []skein.AppKey{key("a", 0)}, "a:never ci:never"},
		"the next free name":              {KeyTerms{}, []skein.AppKey{key("key-2", 0), key("key-3", 0)}, "key-2:never key-3:never key-4:never"},
		"a name whose key has expired":    {KeyTerms{Name: "a"}, []skein.AppKey{key("a", now-1)}, "a:never"},
	} {
		made := skein.AppKey{Name: tt.terms.Name, Created: now}
		if made.Name == "" {
			made.Name = freeName(tt.keys)
		}
		keys, err := withKey(tt.keys, made, tt.terms)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []string
		for _, k := range keys {
			end := "never"
			if k.Expires != 0 {
				end = fmt.Sprint(int64(k.Expires-now) / 1000)
			}
			got = append(got, k.Name+":"+end)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, strings.Join(got, " "), tt.want)
		}
	}
	if _, err := withKey([]skein.AppKey{key("a", 0)}, key("a", 0), KeyTerms{}); !errors.Is(err, skein.ErrConflict) {
		t.Errorf("a name that is taken: got error %v, want %v", err, skein.ErrConflict)
	}
}
