// Package convert makes a portable folder of what another messaging system left. It
// puts records in order, numbers messages, holds everything to Skein's limits and
// accounts for each record that it is given. It knows no other system: a converter is
// a function that reads the records of one and hands each to a method of Input.
package convert
