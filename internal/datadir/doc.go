// Package datadir is the directory of --data: its layout, its lock, its permissions, the store in
// it, backup and restore, and the socket through which a command reaches the running server. It
// does not know what the store holds.
package datadir
