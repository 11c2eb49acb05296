package rest

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// perPage is how many a page answers to hold, which tells where its size came from.
func (f *fixture) perPage(a answer) int {
	f.Helper()
	f.want("a page", a, 200, 0)
	var page struct {
		PerPage int `json:"per_page"`
	}
	f.must(json.Unmarshal(a.data, &page))
	return page.PerPage
}

func TestGETReadsItsQueryAndItsBodyAndTheQueryWins(t *testing.T) {
	f := newFixture(t, nil)
	list := "/im/conversations/" + f.group() + "/message"
	for name, tt := range map[string]struct {
		query, body string
		want        int
	}{
		"neither":        {"", "", 10},
		"the query":      {"?size=7", "", 7},
		"the body":       {"", `{"size":5}`, 5},
		"both":           {"?size=7", `{"size":5,"page":2}`, 7},
		"one each":       {"?page=2", `{"size":5}`, 5},
		"a body unnamed": {"", `{"size":5}`, 5},
	} {
		var headers []string
		if name == "a body unnamed" { // as GET may, it has no media type
			headers = append(headers, "-Content-Type")
		}
		if got := f.perPage(f.call("GET", list+tt.query, tt.body, headers...)); got != tt.want {
			t.Errorf("%s: %d a page, want %d", name, got, tt.want)
		}
	}
	f.want("a body that is none", f.call("GET", list, `{"size"`), 400, 4406)
}

func TestThePathWinsOverQueryAndBody(t *testing.T) {
	f := newFixture(t, nil)
	mine, other := f.group(), f.group()
	for _, a := range []answer{
		f.call("GET", "/im/conversations/"+mine+"?conv_id="+other, ""),
		f.call("GET", "/im/conversations/"+mine, `{"conv_id":"`+other+`"}`),
	} {
		f.want("one conversation", a, 200, 0)
		if !strings.Contains(string(a.data), mine) {
			t.Errorf("asked for %s, got %s", mine, a.data)
		}
	}
	a := f.call("POST", "/im/conversations/"+mine+"/message", `{"conv_id":"`+other+`","from_client":"Tom","type":-1,"text":"hi"}`)
	f.want("a message", a, 200, 0)
	if a := f.call("GET", "/im/conversations/"+other+"/message", ""); !strings.Contains(string(a.data), `"total":0`) {
		t.Errorf("it went where the body said: %s", a.data)
	}
}

func TestWhatChangesIsSaidInTheBodyAndDELETEHasBoth(t *testing.T) {
	f := newFixture(t, nil)
	f.want("a POST by its query", f.call("POST", "/im/users?client_id=New", ""), 400, 4001)
	f.want("a PUT by its query", f.call("PUT", "/im/users/Tom?ext=1", ""), 400, 4001)
	conv := f.group()
	f.want("adding", f.call("POST", "/im/conversations/"+conv+"/members", `{"client_ids":["Jerry"]}`), 200, 0)
	f.want("a DELETE by its body", f.call("DELETE", "/im/conversations/"+conv+"/members", `{"client_ids":["Jerry"]}`), 200, 0)
	f.want("a DELETE by its query", f.call("DELETE", "/im/conversations/"+conv+"/members?client_ids="+url.QueryEscape(`["Tom"]`), ""), 200, 0)
	if a := f.call("GET", "/im/conversations/"+conv+"/members", ""); string(a.data) != `[]` {
		t.Errorf("left %s, want nobody", a.data)
	}
	f.want("a flag of DELETE", f.call("DELETE", "/im/users/Jerry?messages=perhaps", ""), 400, 4406)
	f.want("the right one", f.call("DELETE", "/im/users/Jerry?messages=erase", ""), 200, 0)
}

// The original document's example: curl -X POST -G --data-urlencode 'where=…'.
func TestAPOSTWithAWhereAndNoBodyIsTheQuery(t *testing.T) {
	f := newFixture(t, nil)
	conv := f.group()
	where := "?where=" + url.QueryEscape(`[["conv_id","=","`+conv+`"]]`)
	a := f.call("POST", "/im/conversations"+where+"&size=3", "", "Content-Type: application/json")
	if f.perPage(a) != 3 || !strings.Contains(string(a.data), conv) {
		t.Errorf("got %s, want the page with %s", a.data, conv)
	}
	a = f.call("POST", "/im/conversations"+where, `{"client_id":"Tom","to_client_ids":["Jerry"],"conv_type":3}`)
	f.want("with a body it creates", a, 200, 0)
	if strings.Contains(string(a.data), conv) || !strings.Contains(string(a.data), "conv_extend") {
		t.Errorf("got %s, want a new conversation", a.data)
	}
	f.want("elsewhere a where is nothing", f.call("POST", "/im/users"+where, ""), 400, 4001)
	f.want("a GET without a where", f.call("GET", "/im/conversations", ""), 400, 4001)
}

func TestATokensCallerIsItsHolder(t *testing.T) {
	f := newFixture(t, nil)
	conv := f.group()
	send := "/im/conversations/" + conv + "/message"
	for name, tt := range map[string]struct {
		header string
		body   string
		code   int
	}{
		"its own name":   {f.bearer("Tom"), `{"from_client":"Tom","type":-1,"text":"hi"}`, 0},
		"no name":        {f.bearer("Tom"), `{"type":-1,"text":"hi"}`, 0},
		"another's name": {f.bearer("Tom"), `{"from_client":"Jerry","type":-1,"text":"hi"}`, 4004},
		"no member":      {f.bearer("Jerry"), `{"type":-1,"text":"hi"}`, 4004},
		"another action": {f.bearer("Tom", "msg.list"), `{"type":-1,"text":"hi"}`, 4004},
		"its action":     {f.bearer("Tom", "msg.send"), `{"type":-1,"text":"hi"}`, 0},
		"nobody's token": {"Authorization: Bearer x", `{"type":-1,"text":"hi"}`, 4003},
	} {
		if a := f.call("POST", send, tt.body, "-App-Key", tt.header); a.code != tt.code {
			t.Errorf("%s: got code %d (%s), want %d", name, a.code, a.text, tt.code)
		}
	}
}
