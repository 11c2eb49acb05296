package signing_test

import (
	"testing"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/signing"
)

func TestANewSecretReplacesOneThatCannotBeOpened(t *testing.T) {
	lost := []skein.WebhookSecret{{Expires: skein.Forever}}
	rotated := signing.Rotated(lost, signing.NewKey(), skein.MillisOf(time.Unix(100, 0)))
	if _, err := signing.Request(t.Context(), "https://shop.example/", "Skein", rotated, "id", time.Unix(50, 0), nil); err != nil {
		t.Errorf("a call within the grace of the secret before: got %v", err)
	}
}
