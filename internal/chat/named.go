package chat

import (
	"errors"

	"github.com/skein-im/skein"
)

// named gives an error that has no name yet the name it is about, so that the
// caller reads which one.
func named(err error, name string) error {
	var f *skein.Fault
	if err == nil || errors.As(err, &f) {
		return err
	}
	for _, sentinel := range [...]error{skein.ErrUnknownClient, skein.ErrBanned, skein.ErrUnknownMessage} {
		if errors.Is(err, sentinel) {
			return skein.About(sentinel, name)
		}
	}
	return err
}
