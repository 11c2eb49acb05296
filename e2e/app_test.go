package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// app is one tenant on one server.
type app struct {
	s      *server
	ID     string
	Key    string
	Secret string // empty: the demo app, which asks for no tokens
}

// createApp makes an app by the command line and waits until the running server
// knows it.
func createApp(t *testing.T, s *server) *app {
	t.Helper()
	a := newApp(t, s, unique("shop"))
	eventually(t, "the server follows `skein app create`", func() bool {
		return s.once(t, "GET", "/im/users", a.server(), nil).Code == 0
	})
	return a
}

// newApp makes an app by the command line.
func newApp(t *testing.T, s *server, id string, args ...string) *app {
	t.Helper()
	out, errs, exit := skein(t, append([]string{"app", "create", "--id", id, "--name", "Shop " + id, "--json", "--data", s.Data}, args...)...)
	var made struct {
		AppID       string `json:"app_id"`
		AppKey      string `json:"app_key"`
		TokenSecret string `json:"token_secret"`
	}
	if exit != 0 {
		t.Fatalf("skein app create: exit %d\n%s%s", exit, out, errs)
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.AppID != id || made.AppKey == "" || made.TokenSecret == "" {
		t.Fatalf("skein app create --json: got %q, want {app_id: %q, app_key, token_secret}: %v", out, id, err)
	}
	return &app{s: s, ID: made.AppID, Key: made.AppKey, Secret: made.TokenSecret}
}

// bare names the app and shows no credential.
func (a *app) bare() headers { return headers{"IM-APP-ID": a.ID} }

// server is the credential of the developer's backend.
func (a *app) server() headers { return headers{"IM-APP-ID": a.ID, "app-key": a.Key} }

// bearer is the credential of one end user.
func (a *app) bearer(token string) headers {
	return headers{"IM-APP-ID": a.ID, "Authorization": "Bearer " + token}
}

// as is the credential of a client by a good token.
func (a *app) as(t *testing.T, client string) headers {
	t.Helper()
	return a.bearer(a.token(t, client))
}

// token is a good token of a client, its claims changed by the edits.
func (a *app) token(t *testing.T, client string, edits ...func(jwt.MapClaims)) string {
	t.Helper()
	now := time.Now()
	claims := jwt.MapClaims{
		"sub": client,
		"app": a.ID,
		"iat": now.Unix(),
		"exp": now.Add(time.Hour).Unix(),
	}
	for _, e := range edits {
		e(claims)
	}
	return sign(t, jwt.SigningMethodHS256, []byte(a.Secret), claims)
}

func sign(t *testing.T, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	return token
}

// call is a request of the app's backend.
func (a *app) call(t *testing.T, method, path string, body any) *answer {
	t.Helper()
	return a.s.call(t, method, path, a.server(), body)
}

// must is a call that has to go well.
func (a *app) must(t *testing.T, method, path string, body any) *answer {
	t.Helper()
	return a.call(t, method, path, body).want(t, method+" "+path, 0)
}

// user makes a client with a name of its own.
func (a *app) user(t *testing.T, prefix string) string {
	t.Helper()
	id := unique(prefix)
	a.must(t, "POST", "/im/users", map[string]any{"client_id": id})
	return id
}

// users makes n clients.
func (a *app) users(t *testing.T, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = a.user(t, "user")
	}
	return ids
}

// conv makes a conversation.
func (a *app) conv(t *testing.T, convType int, creator string, others ...string) string {
	t.Helper()
	if len(others) == 0 {
		others = []string{creator} // duplicates collapse: a conversation of one
	}
	id := a.must(t, "POST", "/im/conversations", map[string]any{
		"client_id": creator, "to_client_ids": others, "conv_type": convType,
	}).text("conv_id")
	if !isHexID(id) {
		t.Fatalf("conv_id: got %q, want 32 lower-case hex", id)
	}
	return id
}

// group makes a group.
func (a *app) group(t *testing.T, owner string, others ...string) string {
	t.Helper()
	return a.conv(t, 3, owner, others...)
}

// send sends a text.
func (a *app) send(t *testing.T, conv, from, text string) *answer {
	t.Helper()
	return a.must(t, "POST", convPath(conv, "message"), map[string]any{"from_client": from, "type": -1, "text": text, "mark_read": 1})
}

func convPath(conv string, more ...string) string {
	p := "/im/conversations/" + conv
	for _, m := range more {
		p += "/" + m
	}
	return p
}

func userPath(id string, more ...string) string {
	p := "/im/users/" + url.PathEscape(id)
	for _, m := range more {
		p += "/" + m
	}
	return p
}

// where is the query of GET /im/conversations.
func where(conditions string, more ...string) string {
	q := "?where=" + url.QueryEscape(conditions)
	for _, m := range more {
		q += "&" + m
	}
	return "/im/conversations" + q
}

// message is one line of a history.
type message struct {
	MsgID       string          `json:"msg_id"`
	ConvID      string          `json:"conv_id"`
	ClientID    string          `json:"client_id"`
	FromClient  string          `json:"from_client"` // pushes only
	Type        int             `json:"type"`
	Text        *string         `json:"text"`
	Attr        json.RawMessage `json:"attr"`
	URL         *string         `json:"url"`
	Ctime       int64           `json:"ctime"`
	Seq         int64           `json:"seq"`
	MsgStatus   int             `json:"msg_status"`
	ClientMsgID *string         `json:"client_msg_id"`
	ReplyTo     *string         `json:"reply_to"`
	NoSync      int             `json:"no_sync"`
}

func (m message) text() string {
	if m.Text == nil {
		return ""
	}
	return *m.Text
}

func (m message) clientMsgID() string {
	if m.ClientMsgID == nil {
		return ""
	}
	return *m.ClientMsgID
}

// history is every stored message of a conversation, oldest first, by cursor. It
// fails the test unless seq is 1..n without gap.
func (a *app) history(t *testing.T, conv string) []message {
	t.Helper()
	var all []message
	for {
		var page struct {
			Data    []message `json:"data"`
			HasMore bool      `json:"has_more"`
		}
		a.must(t, "GET", convPath(conv, fmt.Sprintf("message?after_seq=%d&limit=200", len(all))), nil).into(t, &page)
		for _, m := range page.Data {
			all = append(all, m)
			if m.Seq != int64(len(all)) {
				t.Fatalf("seq of message %d of %s: got %d", len(all), conv, m.Seq)
			}
		}
		if !page.HasMore {
			return all
		}
		if len(page.Data) == 0 {
			t.Fatalf("after_seq=%d of %s: has_more with an empty page", len(all), conv)
		}
	}
}

func isHexID(s string) bool {
	if len(s) != 32 {
		return false
	}
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// multipartFile is a multipart body with one file.
type multipartFile struct {
	field, name string
	content     []byte
}

// upload sends files as POST /im/file/upload does.
func (s *server) upload(t *testing.T, h headers, files ...multipartFile) *answer {
	t.Helper()
	body, contentType := multipartBody(t, files...)
	return s.call(t, http.MethodPost, "/im/file/upload", h.with(headers{"Content-Type": contentType}), body)
}
