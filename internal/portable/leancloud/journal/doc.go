// Package journal keeps every answer of the run under way, so that a run that was stopped goes on
// from there.
package journal
