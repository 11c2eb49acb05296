// Package clock is the clock of the server and its commands. A binary built with the tag chaos
// has a clock that tests can set.
package clock
