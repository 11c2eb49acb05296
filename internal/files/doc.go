// Package files takes uploads and serves them. Each file has a name that cannot be guessed
// and a type that its content proves. A Storage keeps the files: a folder, or package s3.
// Browsers never run what this package serves. It knows no app, token or link: the caller
// says which types are allowed and how large a file may be.
package files
