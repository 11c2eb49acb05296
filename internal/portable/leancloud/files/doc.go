// Package files fetches the files that a dump of LeanCloud IM links to.
package files
