// Package convert makes a portable folder from the data of another messaging system. It sorts
// the records, numbers the messages, applies Skein's limits, and accounts for each record that
// it is given. It knows no other system: a converter is a function that reads the records of
// its system and passes each one to a method of Input.
package convert
