// Package wire holds every frame, answer and push that the server writes, the reading of
// frames, the code table and the envelope. Requests are in package request. It has no
// behaviour: what a call does is package chat's, who may is package access's.
package wire
