package links

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// maxUnproved bounds the links of one call that are looked up because nothing proves that the
// caller may open them.
const maxUnproved = 20

// Guard keeps a client from getting a new link to a file that it may not open any more: the
// server refreshes every link that it sends, so a client could name the file and read that.
type Guard struct {
	*Signer

	// Find looks up a file; see store.Uploads.
	Find func(ctx context.Context, name string) (u skein.Upload, found bool, err error)
}

// Admit checks the links in the request of a client: each must be signed and not expired, or the
// client has uploaded the file itself. Errors: skein.ErrForbidden, those of Find.
func (g Guard) Admit(ctx context.Context, by skein.Actor, request any) error {
	var unproved []string
	err := texts(reflect.ValueOf(request), func(text []byte) error {
		for l, ok := next(text, 0); ok; l, ok = next(text, l.end) {
			name := string(l.name)
			if _, err := g.Check(by.App.ID, name, l.signature()); err == nil {
				continue
			}
			if unproved = append(unproved, name); len(unproved) > maxUnproved {
				return refused("more than 20 links are not signed or have expired")
			}
		}
		return nil
	})
	for _, name := range unproved {
		if err != nil {
			return err
		}
		err = g.owned(ctx, by, name)
	}
	return err
}

// owned refuses a file that another one of the app has uploaded. No link to a file of another
// app, or to none, ever opens anything.
func (g Guard) owned(ctx context.Context, by skein.Actor, name string) error {
	u, found, err := g.Find(ctx, name)
	if err != nil || !found || u.App != by.App.ID || u.Client == by.Client {
		return err
	}
	return refused("a link is not signed or has expired: read what names the file again for a new link")
}

var raw = reflect.TypeFor[jsontext.Value]()

// texts passes all texts in a request to see, without the escapes of JSON.
func texts(v reflect.Value, see func([]byte) error) error {
	switch {
	case v.Type() == raw:
		return textsOfJSON(v.Bytes(), see)
	case v.Kind() == reflect.String:
		return see([]byte(v.String()))
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return texts(v.Elem(), see)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				continue
			}
			if err := texts(v.Field(i), see); err != nil {
				return err
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if err := texts(v.Index(i), see); err != nil {
				return err
			}
		}
	}
	return nil
}

// textsOfJSON passes the strings of a JSON value to see.
func textsOfJSON(value []byte, see func([]byte) error) error {
	dec := jsontext.NewDecoder(bytes.NewReader(value), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		token, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return nil //nolint:nilerr // the op refuses a value that is no JSON
		}
		if token.Kind() == '"' {
			if err := see([]byte(token.String())); err != nil {
				return err
			}
		}
	}
}
