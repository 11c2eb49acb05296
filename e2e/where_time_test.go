package e2e

import "testing"

// The ctime and mtime that are answered find their conversation, as the whole second
// that they are (SPEC 6), by REST as by socket.
func TestATimeAsAnsweredFindsItsConversation(t *testing.T) {
	t.Parallel()
	s := start(t, withArgs("--timezone", "America/New_York"))
	a := createApp(t, s)
	u := a.user(t, "u")
	conv := a.group(t, u)
	a.must(t, "PUT", "/im/conversations", obj{"where": []any{[]any{"conv_id", conv}}, "update": obj{"conv_extend": 1}})
	c := a.login(t, u, "d")
	got := a.must(t, "GET", convPath(conv), nil)
	for _, field := range []string{"ctime", "mtime"} {
		text := got.text(field)
		for _, tt := range []struct {
			op    string
			value any
			found bool
		}{
			{"=", text, true},
			{"<=", text, true},
			{">=", text, true},
			{"in", []any{"2001-01-01 00:00:00", text}, true},
			{"!=", text, false},
			{"<>", text, false},
			{"<", text, false},
			{">", text, false},
			{"not in", []any{text}, false},
			{"=", got.field(field + "_ms"), true},
			{">", "2001-01-01 00:00:00", true},
			{"<", "2101-01-01 00:00:00", true},
		} {
			where := []any{[]any{"conv_id", conv}, []any{field, tt.op, tt.value}}
			for by, ans := range map[string]*answer{
				"REST":   a.must(t, "GET", "/im/conversations", obj{"where": where}),
				"socket": c.ask(t, "conv.query", obj{"where": where}),
			} {
				var page struct {
					Data []struct {
						ConvID string `json:"conv_id"`
					}
				}
				ans.into(t, &page)
				if found := len(page.Data) == 1; found != tt.found {
					t.Errorf("%s %s %s %v (it is %s): found %v, want %v", by, field, tt.op, tt.value, text, found, tt.found)
				}
			}
		}
	}
	a.call(t, "GET", "/im/conversations", obj{"where": []any{[]any{"ctime", "2001-01-01 00:00:00.5"}}}).want(t, "half a second", 4406)
}
