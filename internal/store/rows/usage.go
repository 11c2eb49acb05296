package rows

import (
	"fmt"

	"github.com/skein-im/skein"
)

// WarnedOn is the day of a warning, today if it names none, and its bit in the column warned. It fails
// for a quota that there is not.
func WarnedOn(w skein.QuotaWarning, now skein.Millis) (day skein.Day, bit int64, err error) {
	quota, ok := skein.QuotaNamed(w.Quota)
	if !ok {
		return 0, 0, fmt.Errorf("warn of quota %q: there is none", w.Quota)
	}
	day, ok = skein.ParseDay(w.Day)
	if !ok {
		day = skein.DayOf(now)
	}
	return day, 1 << quota, nil
}
