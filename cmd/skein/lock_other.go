//go:build !unix

package main

// lockData does nothing where files cannot be locked the Unix way.
func lockData(string) (release func() error, err error) {
	return func() error { return nil }, nil
}
