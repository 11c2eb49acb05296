// Package sorting sorts the rows of a dump in files, so that only their keys are in memory.
package sorting
