package skein

// Upload is a file that was uploaded, by its name in the storage.
type Upload struct {
	App    string
	Name   string // 32 hex digits and an extension
	Client string // who uploaded it; empty: the backend
	At     Millis
}
