package wire

import (
	"testing"

	"github.com/skein-im/skein"
)

func TestChangesAreWrittenAsDocumented(t *testing.T) {
	conv := skein.ID{4, 5, 6}
	m := skein.Message{ID: skein.ID{1}, Conv: conv, Seq: 7, Sender: "Tom", Status: skein.StatusNormal, Version: 1, Changed: 3}
	const head = `{"conv_id":"04050600000000000000000000000000","change_seq":3,"kind":`
	const of = `"msg_id":"01000000000000000000000000000000","seq":7,`
	const nobody = `"msg_id":null,"seq":null,"client_id":null,"time":9,"message":null}`
	message := string(MessageOf(&m).AppendJSON(nil))
	for name, tt := range map[string]struct {
		change skein.Change
		want   string
	}{
		"an edit":                 {skein.Change{Kind: skein.ChangeEdit, By: "Tom"}, `"edit",` + of + `"client_id":"Tom","time":9,"message":` + message + `}`},
		"the backend's recall":    {skein.Change{Kind: skein.ChangeRecall}, `"recall",` + of + `"client_id":null,"time":9,"message":` + message + `}`},
		"a reaction":              {skein.Change{Kind: skein.ChangeReact, By: "Tom", Emoji: "👍", On: true}, `"react",` + of + `"client_id":"Tom","time":9,"emoji":"👍","on":1,"message":` + message + `}`},
		"a reaction taken away":   {skein.Change{Kind: skein.ChangeReact, By: "Tom", Emoji: "👍"}, `"react",` + of + `"client_id":"Tom","time":9,"emoji":"👍","on":0,"message":` + message + `}`},
		"a pin":                   {skein.Change{Kind: skein.ChangePin, By: "Tom", On: true}, `"pin",` + of + `"client_id":"Tom","time":9,"on":1,"message":` + message + `}`},
		"a deletion for oneself":  {skein.Change{Kind: skein.ChangeHide, By: "Tom"}, `"delete",` + of + `"client_id":"Tom","time":9,"message":` + message + `}`},
		"one that is another's":   {skein.Change{Kind: skein.ChangeNone}, `"none",` + nobody},
		"another's that says who": {skein.Change{Kind: skein.ChangeNone, By: "Tom", Emoji: "x", On: true}, `"none",` + nobody},
	} {
		tt.change.Seq, tt.change.At, tt.change.Message = 3, 9, m
		if got := string(ChangeOf(conv, &tt.change).AppendJSON(nil)); got != head+tt.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, head+tt.want)
		}
		frame, want := string(AppendUpdate(nil, conv, &tt.change)), `{"type":"msg.updated","data":`+head+tt.want+`}`
		if frame != want {
			t.Errorf("%s, pushed:\n got %s\nwant %s", name, frame, want)
		}
	}
	if got, want := string(NewChanges(conv, nil, false, 4).AppendJSON(nil)), `{"data":[],"has_more":false,"last_change":4}`; got != want {
		t.Errorf("no changes: got %s, want %s", got, want)
	}
}
