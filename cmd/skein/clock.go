//go:build !chaos

package main

import "time"

// clock is the time of day as all parts of the server see it. The build tag chaos
// puts another one in its place, which tests can jump.
var clock = time.Now
