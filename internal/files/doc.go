// Package files stores uploads in a folder of the local disk. Each file has a name that
// cannot be guessed and a type that its content proves. The package serves files so that a
// browser never runs them. It knows no app, token or link: the caller says which types are
// allowed and how large a file may be.
package files
