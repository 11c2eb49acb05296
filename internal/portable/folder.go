package portable

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
	Files         = "files"
)

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
	Bytes    int64           `json:"file_bytes"`         // of all of files/
}

// List is what the manifest says of one list.
type List struct {
	Lines  int64  `json:"lines"`
	SHA256 string `json:"sha256"` // of the lines, not compressed, in hexadecimal
}
