// Package bench holds the benchmarks behind docs/performance.md: they start the
// built binary, speak real HTTP and WebSocket to it over loopback, and report what
// it cost the server, in CPU time read from /proc, which noisy neighbours change
// least. Run them with `make bench`.
package bench
