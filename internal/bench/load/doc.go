// Package load is what the scenarios are made of: clients that send and listen, the measuring of
// what that costs, and the check that nothing was lost, doubled or swapped. It knows no single
// scenario.
package load
