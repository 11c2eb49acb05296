package portable

import (
	"regexp"

	"github.com/skein-im/skein"
)

// The folder: app.json, manifest.json, files/ and one list a kind of record. A list is
// NAME.jsonl.gz (gzip, RFC 1952) or, as people and other programs may write it,
// NAME.jsonl.
const (
	ManifestFile  = "manifest.json"
	AppFile       = "app.json"
	Clients       = "clients"
	Conversations = "conversations"
	Members       = "members"
	Messages      = "messages"
	Changes       = "changes"
	Files         = "files" // the list, and the folder of the contents
)

// Format is what Manifest.Format says.
const Format = "skein-portable"

// MaxLine bounds a line, in bytes.
const MaxLine = 1 << 20

// maxDepth bounds how deep the JSON of a line may nest, as in the API.
const maxDepth = 32

// lists are the names of all lists, in the order in which they are read.
var lists = []string{Clients, Conversations, Members, Messages, Changes, Files}

// Manifest says what the folder holds. It is written last, so a folder without one is
// not whole.
type Manifest struct {
	Format   string          `json:"format"`  // "skein-portable"
	Version  int             `json:"version"` // see Version
	Source   string          `json:"source"`  // what it was made by and from, such as "skein 0.4.0" or "LeanCloud IM"
	AppID    string          `json:"app_id"`
	ClientID string          `json:"client_id,omitzero"` // set: the data of this client alone
	Time     int64           `json:"time"`               // the moment it shows, Unix milliseconds
	Lists    map[string]List `json:"lists"`              // by name of the list
	App      string          `json:"app_sha256"`         // of app.json, in hexadecimal
	Bytes    int64           `json:"file_bytes"`         // of all of files/
}

// List is what the manifest says of one list.
type List struct {
	Lines  int64  `json:"lines"`
	SHA256 string `json:"sha256"` // of the lines, not compressed, in hexadecimal
}

// namePattern is every name that a file may have, and no way out of the folder.
var namePattern = regexp.MustCompile(`^[0-9a-f]{32}\.[0-9a-z]{2,4}$`)

// maxTime bounds moments: 9007199254740991, which stands for one without an end.
const maxTime = int64(skein.Forever)
