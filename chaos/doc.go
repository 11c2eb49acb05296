// Package chaos runs the built server under everything that goes wrong at once and
// holds what its clients saw against the promises of docs/testing.md. The server is not
// imported: a harness starts the binary, clients that follow the protocol to the
// letter talk to it through proxies that cut, delay and swallow, a plan drawn from
// a seed kills, stops and restarts the server and puts its clock wrong, and every
// step goes into a history. When all has come to rest a checker reads that history
// and nothing else, and names each promise that was broken.
//
//	go test ./chaos                                      one short round, and the tests of the checker
//	go test ./chaos -run TestChaos -chaos.duration 1h    round after round; `make chaos`
//	go test ./chaos -run TestChaos -chaos.seed 7 …       the plan and the choices of that round again
//	go test ./chaos -run TestChaos -chaos.history F      check a history that was kept, and play none
package chaos
