// Package files keeps what users upload in a folder of the local disk, under a
// name that cannot be guessed and a type that its content proves, and serves it
// so that a browser never runs it. It knows no app, token or link: a caller
// says which types may come in and how large they may be.
package files
