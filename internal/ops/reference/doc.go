// Package reference writes the reference of the API from the op table: an OpenAPI
// and an AsyncAPI document for programs, a page in each language for people, and
// the golden frames that the server's tests and the SDKs share. The server is not
// linked with it.
package reference

import (
	"maps"

	"github.com/skein-im/skein/internal/ops/rows"
)

//go:generate go run ./gen -root ../../..

// Files are the files of the reference, by their path from the root of the
// repository. The same table gives the same bytes. It fails if an op
// lacks words, codes or an example, or a field its text in one of the languages.
func Files() (map[string][]byte, error) {
	c, err := newCatalogue(rows.New(rows.Deps{}).Rows())
	if err != nil {
		return nil, err
	}
	files, err := adminFiles()
	if err != nil {
		return nil, err
	}
	for path, write := range map[string]func(*catalogue) ([]byte, error){
		"api/openapi.yaml":  openAPI,
		"api/asyncapi.yaml": asyncAPI,
		"docs/api/en.md":    func(c *catalogue) ([]byte, error) { return page(c, english) },
		"docs/api/zh.md":    func(c *catalogue) ([]byte, error) { return page(c, chinese) },
	} {
		if files[path], err = write(c); err != nil {
			return nil, err
		}
	}
	golden, err := goldenFiles(c)
	maps.Copy(files, golden)
	return files, err
}
