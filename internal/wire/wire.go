// Package wire holds every body and frame that crosses the network: their
// structs, the code table, the envelope, the reading and writing of JSON. It has
// no behaviour: what a call does is package chat's, who may is package access's.
package wire
