package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// The Makefile sets these with -ldflags -X. A binary built without them uses the build
// information that the go command stores in it.
var (
	version string
	commit  string
)

type versionCmd struct{}

// Run prints one line.
func (versionCmd) Run(out io.Writer) error {
	_, err := fmt.Fprintln(out, versionLine())
	return err
}

func versionLine() string {
	var module, revision string
	if info, ok := debug.ReadBuildInfo(); ok {
		module = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	return fmt.Sprintf("skein %s (commit %s, %s)",
		cmp.Or(version, module, "unknown"), cmp.Or(commit, revision, "unknown"), runtime.Version())
}
