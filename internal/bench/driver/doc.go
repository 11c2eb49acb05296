// Package driver is the server that is measured, as its clients see it: it starts one or finds
// one, calls it by REST and by socket, and reads what its process uses. The floor, a bare relay
// that the server is compared with, is here too. It knows the server by its command line and
// its documented protocol alone.
package driver
