// Command gen writes the files of the API reference into the repository.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/skein-im/skein/internal/ops/reference"
)

func main() {
	root := flag.String("root", ".", "root of the repository")
	flag.Parse()
	if err := run(*root); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// run replaces all golden files, so that those of removed ops go.
func run(root string) error {
	files, err := reference.Files()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(root, reference.GoldenDir)); err != nil {
		return err
	}
	for path, content := range files {
		path = filepath.Join(root, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // a folder of the repository
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil { //nolint:gosec // a file of the repository
			return err
		}
	}
	return nil
}
