package operators

import (
	"errors"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

func TestAnExportThatIsTooLargeIsRefused(t *testing.T) {
	for name, text := range map[string]string{"by records": "", "by bytes": string(make([]byte, 16<<10))} {
		x := &export{done: t.Context().Err}
		var err error
		n := 0
		for ; err == nil && n <= maxExportRecords; n++ {
			err = x.Record(&store.MessageRecord{Message: skein.Message{Seq: int64(n + 1), Body: skein.Body{Text: text}}})
		}
		if !errors.Is(err, skein.ErrTooLarge) || n > maxExportRecords+1 || x.bytes > maxExportBytes+1<<20 {
			t.Errorf("%s: got error %v after %d records of %d bytes, want %v", name, err, n, x.bytes, skein.ErrTooLarge)
		}
	}
}
