package importer

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
	"github.com/skein-im/skein/internal/portable"
)

// While a server runs, a command imports through it: the command has a Remote, the server
// a Handler, and both pass records to a Target. The listener decides who may connect.

const (
	takePath = "/import/records"
	filePath = "/import/file"
	maxTaken = 16 << 20 // bytes of records in one call
)

// sentRecord is a record in a request.
type sentRecord struct {
	List  string         `json:"list"`
	Value jsontext.Value `json:"value"`
}

// Names of the values that are in no list.
const (
	appName = "app"
	endName = "end"
)

func nameOf(value any) string {
	switch value.(type) {
	case *portable.App:
		return appName
	case *portable.End:
		return endName
	case *portable.Client:
		return portable.Clients
	case *portable.Conversation:
		return portable.Conversations
	case *portable.Member:
		return portable.Members
	case *portable.Message:
		return portable.Messages
	default:
		return portable.Changes
	}
}

// received decodes and checks a record like one that is read from a folder.
func received(r sentRecord) (value any, err error) {
	switch r.List {
	case appName:
		value = new(portable.App)
	case endName:
		value = new(portable.End)
	case portable.Clients:
		value = new(portable.Client)
	case portable.Conversations:
		value = new(portable.Conversation)
	case portable.Members:
		value = new(portable.Member)
	case portable.Messages:
		value = new(portable.Message)
	case portable.Changes:
		value = new(portable.Change)
	default:
		return nil, fmt.Errorf("unknown list %q", r.List)
	}
	return value, portable.Decode(r.Value, value)
}

// Handler gives a target the records that a Remote sends.
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
		var f portable.File
		if err := portable.Decode([]byte(r.URL.Query().Get("file")), &f); err != nil {
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
	_, _ = w.Write(raw) //nolint:gosec // JSON for a command, which asks again if the answer is lost
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
		line, err := portable.Marshal(v)
		if err != nil {
			return nil, err
		}
		sent[i] = sentRecord{nameOf(v), line}
	}
	raw, err := portable.Marshal(sent)
	if err != nil {
		return nil, err
	}
	err = r.post(ctx, takePath+"?app="+url.QueryEscape(app), bytes.NewReader(raw), &verdicts)
	return verdicts, err
}

// TakeFile sends a file.
func (r Remote) TakeFile(ctx context.Context, app string, f portable.File, content io.Reader) (v Verdict, err error) {
	raw, err := portable.Marshal(&f)
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
