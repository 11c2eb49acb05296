// Package folder is the folder of a dump of LeanCloud IM: its lists, their records, and the raw rows
// in them as LeanCloud answered them. It asks no server.
package folder
