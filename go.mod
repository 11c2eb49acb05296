module github.com/skein-im/skein

go 1.26.0
