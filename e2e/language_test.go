package e2e

import (
	"strings"
	"testing"
)

func TestErrorsAreInTheLanguageOfTheCaller(t *testing.T) {
	t.Parallel()
	const chinese, english = "未知用户", "unknown user"
	for name, tt := range map[string]struct {
		args                 []string
		header, lang         string
		wantREST, wantSocket string
	}{
		"the document's by default":               {nil, "", "", chinese, chinese},
		"what a caller names":                     {nil, "en-GB,en;q=0.9", "en", english, english},
		"what the installation says":              {[]string{"--language", "en"}, "", "", english, english},
		"what the installation says, not French":  {[]string{"--language", "en"}, "fr", "fr", english, english},
		"the caller's, before the installation's": {[]string{"--language", "en"}, "zh-CN", "zh", chinese, chinese},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := demoApp(start(t, withArgs(tt.args...)))
			h := headers{"app-id": a.ID, "app-key": a.Key}
			if tt.header != "" {
				h["Accept-Language"] = tt.header
			}
			if got := a.s.once(t, "GET", "/im/users/Nobody", h, nil); !strings.HasPrefix(got.Message, tt.wantREST) {
				t.Errorf("REST: got %s, want %q", got, tt.wantREST)
			}
			c := a.s.socket(t)
			data := a.loginData("Tom", "d1")
			if tt.lang != "" {
				data["lang"] = tt.lang
			}
			c.ask(t, "login", data).want(t, "login", 0)
			id, err := c.Post("user.get", map[string]any{"client_id": "Nobody"})
			if err != nil {
				t.Fatal(err)
			}
			f, err := c.take(patience, func(f *frame) bool { return f.ID != nil && *f.ID == id })
			if err != nil || !strings.HasPrefix(f.Msg, tt.wantSocket) {
				t.Errorf("socket: got %v (%v), want %q", f, err, tt.wantSocket)
			}
		})
	}
}
