// Package neighbours measures what an app notices of the attacks of another app. Each attack runs
// in a process of its own.
package neighbours
