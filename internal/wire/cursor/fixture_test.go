package cursor

import (
	"errors"
	"testing"

	"github.com/skein-im/skein"
)

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
