//go:build !unix

package serve

// openFiles is how many files the process may have open; zero: no limit.
func openFiles() int { return 0 }
