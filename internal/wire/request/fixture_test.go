package request

import (
	"errors"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/cursor"
)

var testSeal = cursor.NewSealer([]byte("secret")).For("shop", "op", "Tom")

// checkFault holds an error to a sentinel and the field it names.
func checkFault(t *testing.T, name, input string, err, want error, field string) {
	t.Helper()
	if want == nil && err == nil {
		return
	}
	var fault *skein.Fault
	if !errors.Is(err, want) || !errors.As(err, &fault) || fault.Field != field {
		t.Errorf("%s: %.100s: got %v, want %v about %q", name, input, err, want, field)
	}
}

// codeOf is the code of an error; zero: none.
func codeOf(err error) int {
	if err == nil {
		return 0
	}
	return wire.CodeOf(err).Code
}

// fieldOf is the field that an error is about.
func fieldOf(err error) string {
	if fault, ok := errors.AsType[*skein.Fault](err); ok {
		return fault.Field
	}
	return ""
}
