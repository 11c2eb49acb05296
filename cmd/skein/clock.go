//go:build !chaos

package main

import "time"

// clock is the clock of all parts of the server. The build tag chaos replaces it by one that
// tests can set.
var clock = time.Now
