//go:build !linux

package bench

// boundHandles bounds nothing here: the attack then needs as many handles as the
// server has.
func boundHandles(int, uint64) error { return nil }
