// Package proc starts processes and reads from /proc what a process uses and what machine this is.
package proc
