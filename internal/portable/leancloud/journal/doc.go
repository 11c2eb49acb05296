// Package journal keeps every answer of the current run, so that a stopped run can continue.
package journal
