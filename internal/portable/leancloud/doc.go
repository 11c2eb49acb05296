// Package leancloud fetches what LeanCloud IM has of an app over its REST API into a
// folder of raw answers, before that service ends on 2027-01-12. It works with LeanCloud
// IM and is none of its parts. It knows nothing of Skein's own records: a converter reads
// the folder, whose names and types are in folder.go. docs/leancloud.md has the steps for
// those who are leaving.
//
// A run asks in the order in which data is lost (dump.go), keeps every answer in a
// journal (journal.go) and folds the journal into the lists of the folder at its end
// (fold.go). So a kill at any time costs one answer, and the folder is the same however
// often a run was killed. Package api sends
// the requests; client.go there says what is relied on, with the pages of LeanCloud.
package leancloud
