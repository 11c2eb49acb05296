package rest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/skein-im/skein"
)

// stuck is a peer that takes nothing until it is released.
type stuck struct {
	*httptest.ResponseRecorder

	writing, release chan struct{}
}

func (s *stuck) Write(b []byte) (int, error) {
	close(s.writing)
	<-s.release
	return s.ResponseRecorder.Write(b)
}

// What slow peers keep of the server's memory is bounded; past it large answers are
// refused, and small ones, which tell of changes, are not.
func TestLargeAnswersAreRefusedPastTheirRoom(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.MaxAnswerBytes = 300 << 10 })
	conv := "/im/conversations/" + f.group()
	for range 8 {
		f.call("POST", conv+"/message", fmt.Sprintf(`{"from_client":"Tom","type":-1,"text":%q}`, strings.Repeat("x", skein.MaxText)))
	}
	page := conv + "/message?page=1&size=8"
	peer := &stuck{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.server.ServeHTTP(peer, f.request("GET", page, ""))
	}()
	<-peer.writing
	f.want("a large one beside it", f.call("GET", page, ""), http.StatusServiceUnavailable, 5030)
	f.want("a small one", f.call("GET", conv+"/message?page=1&size=1", ""), 200, 0)
	f.want("a send", f.call("POST", conv+"/message", `{"from_client":"Tom","type":-1,"text":"hi"}`), 200, 0)
	close(peer.release)
	<-done
	if peer.Code != 200 || peer.Body.Len() < 8*skein.MaxText {
		t.Errorf("the first got %d and %d bytes", peer.Code, peer.Body.Len())
	}
	f.want("a large one after it", f.call("GET", page, ""), 200, 0)
}
