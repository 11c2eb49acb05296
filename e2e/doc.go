// Package e2e holds black-box tests: they build the skein binary, run it, and
// talk to it over HTTP, WebSocket and raw TCP as any stranger would. Nothing of
// the module is imported here; what is right is what shared/SPEC.md and the
// original API document say.
//
//	go test ./e2e                     everything, under three minutes on two cores
//	go test -short ./e2e              without the tests that wait for long timers
//	SKEIN_E2E_RACE=1 go test ./e2e    the server built with the race detector
//	SKEIN_E2E_BIN=PATH go test ./e2e  another binary than the one of this tree
package e2e
