package testclient

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Answer is one REST answer.
type Answer struct {
	Status  int             `json:"-"`
	Header  http.Header     `json:"-"`
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
	Raw     []byte          `json:"-"` // the whole body
}

// App is who calls: an app's backend by its key, or one client by its token.
type App struct {
	Addr  string // host:port
	ID    string
	Key   string // of the backend; empty: none
	Token string // of a client; it goes before Key
	HTTP  *http.Client
}

// NewRequest is a request of the app. A body of []byte or io.Reader is sent as it is,
// any other as JSON; nil: none.
func (a App) NewRequest(ctx context.Context, method, path string, body any) (*http.Request, error) {
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case io.Reader:
		r = b
	case []byte:
		r = bytes.NewReader(b)
	default:
		text, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+a.Addr+path, r)
	if err != nil {
		return nil, err
	}
	if a.ID != "" {
		req.Header.Set("App-Id", a.ID)
	}
	switch {
	case a.Token != "":
		req.Header.Set("Authorization", "Bearer "+a.Token)
	case a.Key != "":
		req.Header.Set("App-Key", a.Key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// Do sends a request and reads the answer whole. If the body is no envelope, there is an
// answer beside the error.
func Do(client *http.Client, req *http.Request) (*Answer, error) {
	res, err := client.Do(req) //nolint:gosec // where the caller wants it
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // it was only read
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	a := &Answer{Status: res.StatusCode, Header: res.Header, Raw: raw}
	return a, json.Unmarshal(raw, a)
}

// Try makes one call. An error says that no answer came that can be read.
func (a App) Try(ctx context.Context, method, path string, body any) (*Answer, error) {
	req, err := a.NewRequest(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	answer, err := Do(a.HTTP, req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return answer, nil
}

// Call makes one call and decodes the data of its answer; into may be nil. An error
// answer is a *Refusal.
func (a App) Call(ctx context.Context, method, path string, body, into any) error {
	answer, err := a.Try(ctx, method, path, body)
	switch {
	case err != nil:
		return err
	case answer.Code != 0:
		return &Refusal{What: method + " " + path, Code: answer.Code, Message: answer.Message}
	case into == nil:
		return nil
	}
	return json.Unmarshal(answer.Data, into)
}

// Token is a client's token, signed with the app's secret.
func Token(app, client string, secret []byte, issued, expires time.Time) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": client, "app": app, "iat": issued.Unix(), "exp": expires.Unix(),
	}).SignedString(secret)
}
