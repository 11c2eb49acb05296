package rows

import (
	"slices"
	"testing"
)

func TestAnUploadThatIsNobodysIsNotKept(t *testing.T) {
	f := newFixture(t)
	by := f.actor("shop", "Member")
	if _, code, err := f.do(by, "file.upload", `{}`); code != 0 || len(f.files.names) != 1 {
		t.Fatalf("an upload: got error %v and the files %v", err, f.files.names)
	}
	kept := slices.Clone(f.files.names)
	f.must(f.store.DeleteApp(t.Context(), "shop"))
	if _, code, err := f.do(by, "file.upload", `{}`); code != 4003 || !slices.Equal(f.files.names, kept) {
		t.Errorf("for an app that is gone: got error %v and the files %v, want 4003 and %v", err, f.files.names, kept)
	}
}
