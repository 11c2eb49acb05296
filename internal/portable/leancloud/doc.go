// Package leancloud downloads the data of an app from LeanCloud IM through its REST API, before that
// service ends on 2027-01-12. It is not a product of LeanCloud. It does not know Skein's records: a
// converter reads the folder that it writes (package folder). docs/leancloud.md has the steps for
// an operator who moves.
//
// A run asks for the data in the order in which LeanCloud deletes it (dump.go), keeps every answer in
// a journal, and at its end merges the journal into the lists of the folder (fold.go). If the
// process is killed, one answer is lost at most, and the next run goes on from the journal. Package
// api sends the requests; its client.go names the pages of LeanCloud's documentation that it
// relies on.
package leancloud
