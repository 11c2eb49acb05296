// Package bench holds the benchmarks of the built binary that are not of its load:
// that is `skein-bench`. They start the binary, speak real HTTP and WebSocket to it
// over loopback, and report what it cost the server, in CPU time read from /proc,
// which noisy neighbours change least. Run them with `make microbench`.
package bench
