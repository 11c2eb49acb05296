package chat

import (
	"bytes"
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/skein-im/skein"
)

// Words looks for words that an app does not allow.
type Words interface {
	// Screen is a text with words replaced. Errors: skein.ErrRefused about the field, those of
	// the store.
	Screen(ctx context.Context, app *skein.App, field, text string) (string, error)
}

// screen is a text of the caller as the app's word list has it.
func (s *Service) screen(ctx context.Context, by skein.Actor, field, text string) (string, error) {
	if by.App.Settings.WordList == 0 || s.words == nil {
		return text, nil
	}
	return s.words.Screen(ctx, by.App, field, text)
}

// screenGiven screens a text that an update may leave out: nil.
func (s *Service) screenGiven(ctx context.Context, by skein.Actor, field string, text *string) (*string, error) {
	if text == nil {
		return nil, nil //nolint:nilnil // left out, as the caller has it
	}
	screened, err := s.screen(ctx, by, field, *text)
	return &screened, err
}

// screenDraft replaces words in the text of a draft.
func (s *Service) screenDraft(ctx context.Context, by skein.Actor, d *skein.Draft) error {
	text, err := s.screen(ctx, by, "text", d.Text)
	if err == nil && text != d.Text {
		body := d.Body
		body.Text = text
		replace(d, body)
	}
	return err
}

// screenName screens the field "name" of a conversation's extension, if it is a text.
func (s *Service) screenName(ctx context.Context, by skein.Actor, extend []byte) ([]byte, error) {
	if by.App.Settings.WordList == 0 {
		return extend, nil
	}
	name, from, to := nameOf(extend)
	screened, err := s.screen(ctx, by, "conv_extend.name", name)
	if err != nil || screened == name {
		return extend, err
	}
	out := append([]byte{}, extend[:from]...)
	if out, err = jsontext.AppendQuote(out, screened); err != nil {
		return extend, err
	}
	return append(out, extend[to:]...), nil
}

// nameOf finds the text of the field "name" of a JSON object, and where it stands; empty: there is
// none.
func nameOf(object []byte) (name string, from, to int) {
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if d.PeekKind() != '{' {
		return "", 0, 0
	}
	_, _ = d.ReadToken() // the brace
	for d.PeekKind() == '"' {
		key, err := d.ReadToken()
		if err != nil {
			return "", 0, 0
		}
		isName := key.String() == "name"
		value, err := d.ReadValue()
		if err != nil {
			return "", 0, 0
		}
		if isName && value.Kind() == '"' {
			end := int(d.InputOffset())
			text, err := jsontext.AppendUnquote(nil, value)
			if err != nil {
				return "", 0, 0
			}
			return string(text), end - len(value), end
		}
	}
	return "", 0, 0
}
