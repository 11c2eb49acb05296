//go:build !linux

package socket

// hungUp is always false: this platform cannot ask. A command runs to its end.
func (c *conn) hungUp() bool { return false }
