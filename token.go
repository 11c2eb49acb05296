package skein

import "time"

// Rules of tokens.
const (
	MaxTokenLife    = 90 * 24 * time.Hour // how far ahead a token may end
	MaxTokenActions = 100                 // ops a token may be limited to
)
