//go:build !chaos

package clock

import "time"

// Now is the machine's time.
var Now = time.Now
