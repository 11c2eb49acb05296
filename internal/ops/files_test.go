package ops

import (
	"slices"
	"testing"

	"github.com/skein-im/skein"
)

func TestAnUploadThatIsNobodysIsNotKept(t *testing.T) {
	f := newFixture(t)
	by := f.actor("shop", "Member")
	if _, code, err := f.do(by, "file.upload", `{}`); code != 0 || len(f.shelf.names) != 1 {
		t.Fatalf("an upload: got error %v and the files %v", err, f.shelf.names)
	}
	kept := slices.Clone(f.shelf.names)
	f.must(f.store.DeleteApp(t.Context(), "shop"))
	if _, code, err := f.do(by, "file.upload", `{}`); code != 4003 || !slices.Equal(f.shelf.names, kept) {
		t.Errorf("for an app that is gone: got error %v and the files %v, want 4003 and %v", err, f.shelf.names, kept)
	}
}

func TestTheFileOfARecalledMessageGoes(t *testing.T) {
	f := newFixture(t)
	conv, by := f.conv(skein.Group), f.actor("shop", "Member")
	_, _, err := f.do(by, "file.upload", `{}`)
	f.must(err)
	_, code, err := f.do(by, "msg.send", `{"conv_id":"`+conv+`","type":-2,"url":"http://h`+skein.UploadsPath+f.shelf.names[0]+`"}`)
	if code != 0 {
		t.Fatal(err)
	}
	if _, code, err := f.do(by, "msg.recall", `{"conv_id":"`+conv+`","msg_id":"`+f.sent[0].ID.String()+`"}`); code != 0 || len(f.shelf.names) != 0 {
		t.Errorf("got error %v and the files %v, want none", err, f.shelf.names)
	}
}
