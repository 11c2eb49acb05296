package hooks

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/signing"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
	"github.com/skein-im/skein/internal/wire/strict"
)

// What came of a question, as the metrics have it.
const (
	resultPass    = "pass"
	resultReplace = "replace"
	resultReject  = "reject"
	resultFailed  = "failed"  // no answer, or one that is not a verdict
	resultTimeout = "timeout" // no answer in time
	resultBusy    = "busy"    // all slots of the app were taken for as long as the call may take, or for a part of it and no answer came in the rest
	resultSkipped = "skipped" // the breaker is open
)

// post makes a call and reads the verdict.
func (c *Caller) post(ctx context.Context, of *skein.App, hook *skein.BeforeHook, q *skein.Question) (v skein.Verdict, result string, err error) {
	answer, err := c.answer(ctx, of, hook, q)
	if err == nil {
		v, result, err = verdict(answer, of, q)
	}
	switch {
	case err == nil || result == resultReject:
		return v, result, err
	case ctx.Err() != nil:
		return v, resultTimeout, errors.New("no answer in time")
	default:
		return v, resultFailed, err
	}
}

// answer is the body of the answer to a call.
func (c *Caller) answer(ctx context.Context, of *skein.App, hook *skein.BeforeHook, q *skein.Question) ([]byte, error) {
	id, at := "hook_"+strings.ToLower(rand.Text()), c.opts.Now()
	typ, data := asked(q)
	body, err := wire.HookEvent{ID: id, Type: typ, Time: wire.HookTime(at), AppID: of.ID, Data: data}.Encode()
	if err != nil {
		return nil, err
	}
	r, err := signing.Request(ctx, hook.URL, "Skein-Hooks/1", hook.Secrets, id, at, c.opts.SignLinks(ctx, of.ID, body))
	if err != nil {
		return nil, err
	}
	answer, err := c.opts.Client.Do(r)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // without the URL, which may hold a secret
		}
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err == nil && (answer.StatusCode < 200 || answer.StatusCode > 299) {
		err = fmt.Errorf("status %d", answer.StatusCode)
	}
	return text, err
}

// asked is the type and the data of a question.
func asked(q *skein.Question) (typ string, data any) {
	switch {
	case q.Edit:
		return "before.message_edit", wire.NewBeforeMessage(q)
	case q.On == skein.BeforeConversation:
		return "before.conversation", wire.NewBeforeConversation(q)
	case q.On == skein.BeforeMembers:
		return "before.members", wire.NewBeforeMembers(q)
	case q.On == skein.BeforeLogin:
		return "before.login", wire.NewBeforeLogin(q)
	case q.On == skein.BeforeUpload:
		return "before.upload", wire.NewBeforeUpload(q)
	default:
		return "before.message", wire.NewBeforeMessage(q)
	}
}

// verdict reads an answer. An empty one is pass. Errors: skein.ErrRejected with the hook's text; others
// are about an answer that cannot be read.
func verdict(answer []byte, of *skein.App, q *skein.Question) (v skein.Verdict, result string, err error) {
	var in request.HookAnswer
	if err := strict.Decode(answer, &in); err != nil {
		return v, resultFailed, fmt.Errorf("read the answer: %w", err)
	}
	switch in.Verdict {
	case "", resultPass:
		return v, resultPass, nil
	case resultReject:
		return v, resultReject, &skein.Fault{Err: skein.ErrRejected, Detail: cut(in.Reason)}
	case resultReplace:
		if in.Message == nil || q.Message == nil {
			return v, resultFailed, errors.New("replace: no message")
		}
		body, err := in.Message.Of(q.Message.Body, of.Settings.RelaxedClientIDs)
		if err != nil {
			return v, resultFailed, fmt.Errorf("replace: %w", err)
		}
		return skein.Verdict{Body: &body}, resultReplace, nil
	default:
		return v, resultFailed, errors.New("the verdict is none of pass, replace and reject")
	}
}

// cut shortens a hook's text to skein.MaxHookReason.
func cut(text string) string {
	if len(text) <= skein.MaxHookReason {
		return text
	}
	n := skein.MaxHookReason
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
