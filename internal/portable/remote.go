package portable

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// A server takes records over HTTP from a process beside it: the same Target on both
// ends. The bounds are for a process that has lost its way; who may connect is for the
// listener.

const (
	takePath = "/import/records"
	filePath = "/import/file"
	maxTaken = 16 << 20 // bytes of records in one call
)

// sentRecord is a record on its way.
type sentRecord struct {
	List  string         `json:"list"`
	Value jsontext.Value `json:"value"`
}

// names of values that are in no list.
const (
	appName = "app"
	endName = "end"
)

func nameOf(value any) string {
	switch value.(type) {
	case *App:
		return appName
	case *End:
		return endName
	case *Client:
		return Clients
	case *Conversation:
		return Conversations
	case *Member:
		return Members
	case *Message:
		return Messages
	default:
		return Changes
	}
}

// received is a record that was sent, checked as one that is read.
func received(r sentRecord) (value any, err error) {
	switch r.List {
	case appName:
		return read(r, func(*App) error { return nil })
	case endName:
		return read(r, func(*End) error { return nil })
	case Clients:
		return read(r, (*Client).fault)
	case Conversations:
		return read(r, (*Conversation).fault)
	case Members:
		return read(r, (*Member).fault)
	case Messages:
		return read(r, (*Message).fault)
	case Changes:
		return read(r, (*Change).fault)
	default:
		return nil, fmt.Errorf("unknown list %q", r.List)
	}
}

func read[T any](r sentRecord, fault func(*T) error) (any, error) {
	v := new(T)
	if err := decode(r.Value, v); err != nil {
		return nil, err
	}
	return v, fault(v)
}

// Handler has a target take what a Remote sends.
func Handler(t Target) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+takePath, func(w http.ResponseWriter, r *http.Request) {
		var sent []sentRecord
		err := json.UnmarshalRead(http.MaxBytesReader(w, r.Body, maxTaken), &sent)
		values := make([]any, len(sent))
		for i := 0; i < len(sent) && err == nil; i++ {
			values[i], err = received(sent[i])
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		verdicts, err := t.Take(r.Context(), r.URL.Query().Get("app"), values)
		reply(w, verdicts, err)
	})
	mux.HandleFunc("POST "+filePath, func(w http.ResponseWriter, r *http.Request) {
		var f File
		err := decode([]byte(r.URL.Query().Get("file")), &f)
		if err == nil {
			err = f.fault()
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		verdict, err := t.TakeFile(r.Context(), r.URL.Query().Get("app"), f, r.Body)
		reply(w, verdict, err)
	})
	return mux
}

func reply(w http.ResponseWriter, answer any, err error) {
	switch {
	case errors.Is(err, skein.ErrUnavailable):
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	raw, err := json.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(raw) //nolint:gosec // JSON, to a command; one that is gone asks again
}

// Remote is a target in another process.
type Remote struct {
	HTTP *http.Client
	Base string // URL of the Handler, without a slash at its end
}

// Take sends records.
func (r Remote) Take(ctx context.Context, app string, values []any) (verdicts []Verdict, err error) {
	sent := make([]sentRecord, len(values))
	for i, v := range values {
		line, err := json.Marshal(v, encoding)
		if err != nil {
			return nil, err
		}
		sent[i] = sentRecord{nameOf(v), line}
	}
	raw, err := json.Marshal(sent, encoding)
	if err != nil {
		return nil, err
	}
	err = r.post(ctx, takePath+"?app="+url.QueryEscape(app), bytes.NewReader(raw), &verdicts)
	return verdicts, err
}

// TakeFile sends a file.
func (r Remote) TakeFile(ctx context.Context, app string, f File, content io.Reader) (v Verdict, err error) {
	raw, err := json.Marshal(&f, encoding)
	if err != nil {
		return v, err
	}
	err = r.post(ctx, filePath+"?app="+url.QueryEscape(app)+"&file="+url.QueryEscape(string(raw)), content, &v)
	return v, err
}

func (r Remote) post(ctx context.Context, path string, body io.Reader, into any) (err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Base+path, io.NopCloser(body)) //nolint:gosec // the socket of the server beside this process
	if err != nil {
		return err
	}
	answer, err := r.HTTP.Do(req) //nolint:gosec // as above
	if err != nil {
		return fmt.Errorf("ask the running server: %w", err)
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxTaken))
	switch {
	case err != nil:
		return fmt.Errorf("ask the running server: %w", err)
	case answer.StatusCode == http.StatusServiceUnavailable:
		return fmt.Errorf("%w: the running server: %s", skein.ErrUnavailable, bytes.TrimSpace(raw))
	case answer.StatusCode != http.StatusOK:
		return fmt.Errorf("the running server: %s", bytes.TrimSpace(raw))
	}
	return json.Unmarshal(raw, into)
}
