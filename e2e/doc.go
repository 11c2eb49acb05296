// Package e2e holds black-box tests: they start the built skein binary and talk to it
// over HTTP, WebSocket and raw TCP as any client would. They import nothing of the
// server. docs/testing.md says which promise is tested where.
//
//	go test ./e2e                     all tests
//	go test -short ./e2e              without those that wait for long timers
//	SKEIN_E2E_RACE=1 go test ./e2e    the server built with the race detector
//	SKEIN_E2E_BIN=PATH go test ./e2e  this binary; skein-bench beside it, if it is there
package e2e
