package main

// leancloudCmd moves an app from LeanCloud IM to Skein; see docs/leancloud.md.
type leancloudCmd struct {
	Dump    leancloudDump    `cmd:"" help:"Download an app's data from LeanCloud IM into a folder."`
	Convert leancloudConvert `cmd:"" help:"Convert a dump to a portable folder for skein import."`
}
