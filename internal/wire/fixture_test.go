package wire

import (
	"errors"
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/cursor"
)

var testSeal = cursor.NewSealer([]byte("secret")).For("shop", "op", "Tom")

var shanghai = time.FixedZone("UTC+8", 8*60*60)

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
