package files_test

import (
	"testing"

	"github.com/skein-im/skein/internal/files"
	"github.com/skein-im/skein/internal/files/filestest"
)

func TestAFolderIsAStorage(t *testing.T) {
	filestest.Run(t, func(t *testing.T) filestest.Fixture {
		t.Helper()
		dir := t.TempDir()
		return filestest.Fixture{One: files.Folder(dir), Other: files.Folder(dir), Staging: dir}
	})
}
