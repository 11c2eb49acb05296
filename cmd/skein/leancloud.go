package main

// leancloudCmd is the way out of LeanCloud IM; docs/leancloud.md.
type leancloudCmd struct {
	Dump    leancloudDump    `cmd:"" help:"Fetch what LeanCloud IM has of an app into a folder."`
	Convert leancloudConvert `cmd:"" help:"Make a portable folder of a dump, for skein import."`
}
