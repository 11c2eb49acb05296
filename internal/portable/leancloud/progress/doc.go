// Package progress counts what a dump does and prints how far it is.
package progress
