// Package serve is one node as a process: it makes the parts of the server, connects them, opens
// the addresses, runs everything until a signal, and drains. It holds no rule of a call.
package serve
