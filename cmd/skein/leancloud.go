package main

// leancloudCmd is the way out of LeanCloud IM; docs/leancloud.md.
type leancloudCmd struct {
	Convert leancloudConvert `cmd:"" help:"Make a portable folder of a dump, for skein import."`
}
