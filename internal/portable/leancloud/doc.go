// Package leancloud brings an app out of LeanCloud IM before it ends on 2027-01-12:
// Dump fetches what its REST API gives into a folder of raw answers, of which package
// convert/leancloud makes a portable folder. docs/leancloud.md has the steps for those
// who are leaving.
package leancloud
