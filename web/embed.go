// Package web holds the pages: plain ES modules, style sheets and pictures, as
// they are served. It knows no server.
package web

import "embed"

// Files are the pages, their paths those of the site; "index.html" is "/".
//
//go:embed index.html favicon.svg css js
var Files embed.FS
