package request

import (
	"io"
)

// UploadFile is the request of file.upload, a multipart form.
type UploadFile struct {
	File  io.Reader `json:"-"` // the content of the field "file"
	Title string    `json:"-"` // its file name, as the form has it
	Base  string    `json:"-"` // prefix of the link, without a slash at the end
}
