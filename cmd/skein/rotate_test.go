package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skein-im/skein"
)

func TestRotate(t *testing.T) {
	const now = 1_000_000
	key := func(name string, expires skein.Millis) skein.AppKey {
		return skein.AppKey{Name: name, Expires: expires}
	}
	for name, tt := range map[string]struct {
		cmd  appRotateKey
		keys []skein.AppKey
		want string // name:expires, as seconds after now
	}{
		"the old one lives on":            {appRotateKey{Grace: time.Minute}, []skein.AppKey{key("default", 0)}, "default:60 key-2:never"},
		"all old ones do":                 {appRotateKey{Grace: time.Minute}, []skein.AppKey{key("a", 0), key("b", 0)}, "a:60 b:60 key-2:never"},
		"an earlier end stays":            {appRotateKey{Grace: time.Minute}, []skein.AppKey{key("a", now+5000)}, "a:5 key-2:never"},
		"a later end comes forward":       {appRotateKey{Grace: time.Minute}, []skein.AppKey{key("a", now+90_000)}, "a:60 key-2:never"},
		"past ends are forgotten":         {appRotateKey{Grace: time.Minute}, []skein.AppKey{key("a", now-1), key("b", 0)}, "b:60 key-2:never"},
		"no grace ends at once":           {appRotateKey{}, []skein.AppKey{key("a", 0)}, "key-2:never"},
		"only the one that is named ends": {appRotateKey{Old: "b", Grace: time.Minute}, []skein.AppKey{key("a", 0), key("b", 0)}, "a:never b:60 key-2:never"},
		"one more":                        {appRotateKey{Add: true, Grace: time.Minute}, []skein.AppKey{key("a", 0)}, "a:never key-2:never"},
		"a name of its own":               {appRotateKey{Name: "ci", Add: true}, []skein.AppKey{key("a", 0)}, "a:never ci:never"},
		"the next free name":              {appRotateKey{Add: true}, []skein.AppKey{key("key-2", 0), key("key-3", 0)}, "key-2:never key-3:never key-4:never"},
	} {
		t.Run(name, func(t *testing.T) {
			app := skein.App{Keys: tt.keys}
			if _, err := tt.cmd.rotate(&app, skein.AppKey{Name: tt.cmd.Name, Created: now}); err != nil {
				t.Fatal(err)
			}
			if got := describeKeys(app.Keys, now); got != tt.want {
				t.Errorf("%+v of %s\ngot  %s\nwant %s", tt.cmd, describeKeys(tt.keys, now), got, tt.want)
			}
		})
	}
}

func describeKeys(keys []skein.AppKey, now skein.Millis) string {
	var all []string
	for _, k := range keys {
		end := "never"
		if k.Expires != 0 {
			end = fmt.Sprint(int64(k.Expires-now) / 1000)
		}
		all = append(all, k.Name+":"+end)
	}
	return strings.Join(all, " ")
}
