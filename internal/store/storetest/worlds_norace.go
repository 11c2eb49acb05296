//go:build !race

package storetest

const worlds = 100
