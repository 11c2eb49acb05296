package operators

import (
	"errors"
	"strings"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

func TestAnExportThatIsTooLargeIsRefused(t *testing.T) {
	for name, tt := range map[string]struct{ records, bytes, want int }{
		"by records": {3, 1 << 20, 3},
		"by bytes":   {1000, 2500, 2},
	} {
		x := &export{done: t.Context().Err, records: tt.records, bytes: tt.bytes}
		var err error
		for err == nil && len(x.Messages) <= tt.want {
			err = x.Record(&store.MessageRecord{Message: skein.Message{Seq: 1, Body: skein.Body{Text: strings.Repeat("x", 1000)}}})
		}
		if !errors.Is(err, skein.ErrTooLarge) || len(x.Messages) != tt.want {
			t.Errorf("%s: got error %v after %d messages, want %v after %d", name, err, len(x.Messages), skein.ErrTooLarge, tt.want)
		}
	}
}
