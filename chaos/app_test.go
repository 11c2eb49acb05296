package chaos

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/skein-im/skein/internal/testclient"
)

// app is a tenant of the server under test, and its backend.
type app struct {
	id, key, secret string
	private         bool // history before joining is not seen

	addr string // of the server itself: the backend's network is sound
}

// token is good however the server's clock is put: it has been issued long ago and
// ends in weeks.
func (a *app) token(client string) string {
	const day = 24 * time.Hour
	now := time.Now()
	token, err := testclient.Token(a.id, client, []byte(a.secret), now.Add(-30*day), now.Add(60*day))
	if err != nil {
		panic(err) // HMAC does not fail
	}
	return token
}

// backendWait is longer than any pause of the server, so that a call which fails
// has been cut by a kill, and will not be done later.
const backendWait = 60 * time.Second

var backend = &http.Client{
	Timeout:   backendWait,
	Transport: &http.Transport{DisableKeepAlives: true}, // net/http would send some calls again by itself
}

// backend makes the calls of the app's backend.
func (a *app) backend() testclient.App {
	return testclient.App{Addr: a.addr, ID: a.id, Key: a.key, HTTP: backend}
}

// must is a call by the backend that has to succeed; into may be nil.
func (a *app) must(into any, method, path string, body any) error {
	return a.backend().Call(context.Background(), method, path, body, into)
}

// create makes a conversation; the first client is its creator.
func (a *app) create(convType int, clients ...string) (id string, err error) {
	var made struct {
		ConvID string `json:"conv_id"`
	}
	err = a.must(&made, "POST", "/im/conversations", map[string]any{
		"client_id": clients[0], "to_client_ids": clients[1:], "conv_type": convType,
	})
	return made.ConvID, err
}

// messages reads the whole of a conversation by seq.
func (a *app) messages(conv string) ([]message, error) {
	var all []message
	for after := int64(0); ; {
		var span struct {
			Data []message `json:"data"`
			More bool      `json:"has_more"`
		}
		err := a.must(&span, "GET", convPath(conv, "/message")+"?limit=200&after_seq="+strconv.FormatInt(after, 10), nil)
		if err != nil {
			return nil, err
		}
		all = append(all, span.Data...)
		if !span.More || len(span.Data) == 0 {
			return all, nil
		}
		after = span.Data[len(span.Data)-1].Seq
	}
}

// changes reads the whole log of changes.
func (a *app) changes(conv string) ([]change, error) {
	var all []change
	for after := int64(0); ; {
		var span struct {
			Data []change `json:"data"`
			More bool     `json:"has_more"`
		}
		err := a.must(&span, "GET", convPath(conv, "/changes")+"?limit=200&after_change="+strconv.FormatInt(after, 10), nil)
		if err != nil {
			return nil, err
		}
		for _, c := range span.Data {
			c.Message = nil // msg.list has shown it
			all = append(all, c)
		}
		if !span.More || len(span.Data) == 0 {
			return all, nil
		}
		after = span.Data[len(span.Data)-1].Seq
	}
}

// members are all members in order of joining.
func (a *app) members(conv string) (ids []string, err error) {
	return ids, a.must(&ids, "GET", convPath(conv, "/members"), nil)
}

// views are all conversations of a client, archived or not, as conv.list has them.
func (a *app) views(client string) ([]view, error) {
	var all []view
	for _, archived := range []string{"0", "1"} {
		for cursor := ""; ; {
			var page struct {
				Data   []view  `json:"data"`
				Cursor *string `json:"next_cursor"`
			}
			path := "/im/users/" + client + "/conversations?size=3&archived=" + archived
			if cursor != "" {
				path += "&cursor=" + url.QueryEscape(cursor)
			}
			if err := a.must(&page, "GET", path, nil); err != nil {
				return nil, err
			}
			all = append(all, page.Data...)
			if page.Cursor == nil || *page.Cursor == "" {
				break
			}
			cursor = *page.Cursor
		}
	}
	return all, nil
}

func convPath(conv, rest string) string { return "/im/conversations/" + conv + rest }
