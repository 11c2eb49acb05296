package operators

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/words"
)

// The ops on word lists.
const (
	OpWordsPut    = "words.put"
	OpWordsDelete = "words.delete"
)

// wordsView is a list as the audit log keeps it: its words would be megabytes.
type wordsView struct {
	Revision         int64  `json:"revision"`
	Replace          int    `json:"replace"`
	Reject           int    `json:"reject"`
	IgnoreSeparators bool   `json:"ignore_separators"`
	SHA256           string `json:"sha256"` // of the words, each followed by a line feed, the replaced ones first
}

func viewOfWords(l skein.WordList) []byte {
	if l.Revision == 0 {
		return nil
	}
	sum := sha256.New()
	for _, part := range [...][]string{l.Replace, l.Reject} {
		for _, w := range part {
			_, _ = sum.Write(append([]byte(w), '\n')) // a hash never fails
		}
	}
	raw, err := json.Marshal(wordsView{l.Revision, len(l.Replace), len(l.Reject), l.IgnoreSeparators, hex.EncodeToString(sum.Sum(nil))})
	if err != nil {
		panic(fmt.Sprintf("write a word list for the audit log: %v", err)) // numbers and texts alone
	}
	return raw
}

// Words are the words that an app does not allow. Errors: skein.ErrNotFound where the app is
// unknown or has no list.
func (s *Service) Words(ctx context.Context, app string) (skein.WordList, error) {
	if _, err := s.opts.Store.App(ctx, app); err != nil {
		return skein.WordList{}, unknownApp(err)
	}
	list, err := s.opts.Store.WordList(ctx, app)
	if err == nil && list.Revision == 0 {
		err = &skein.Fault{Err: skein.ErrNotFound, Field: "app_id", Detail: "has no word list"}
	}
	return list, err
}

// PutWords gives an app a list in place of the one that it has. Errors: those of words.Compile;
// skein.ErrNotFound.
func (s *Service) PutWords(ctx context.Context, by skein.Actor, app string, list skein.WordList) (skein.WordList, error) {
	if _, err := words.Compile(list); err != nil {
		return list, err
	}
	err := s.changeWords(ctx, by, OpWordsPut, app, func(ctx context.Context, t store.AdminTx, before skein.WordList) (int64, []byte, error) {
		list.Revision = max(before.Revision+1, int64(s.Now()))
		return list.Revision, viewOfWords(list), t.PutWordList(ctx, app, list)
	})
	return list, err
}

// DeleteWords takes an app's list away. Errors: skein.ErrNotFound where there is none.
func (s *Service) DeleteWords(ctx context.Context, by skein.Actor, app string) error {
	return s.changeWords(ctx, by, OpWordsDelete, app, func(ctx context.Context, t store.AdminTx, before skein.WordList) (int64, []byte, error) {
		if before.Revision == 0 {
			return 0, nil, &skein.Fault{Err: skein.ErrNotFound, Field: "app_id", Detail: "has no word list"}
		}
		return 0, nil, t.RemoveWordList(ctx, app)
	})
}

// changeWords changes the list of an app, and the revision in its settings, which tells every node.
func (s *Service) changeWords(ctx context.Context, by skein.Actor, op, app string, change func(context.Context, store.AdminTx, skein.WordList) (revision int64, after []byte, err error)) error {
	_, err := s.opts.Store.Administer(ctx, func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
		a, err := t.App(ctx, app)
		if err != nil {
			return skein.Deed{}, err
		}
		before, err := t.WordList(ctx, app)
		if err != nil {
			return skein.Deed{}, err
		}
		d := by.Operator.Deed(op, "")
		d.App, d.Before = app, viewOfWords(before)
		if a.Settings.WordList, d.After, err = change(ctx, t, before); err != nil {
			return skein.Deed{}, err
		}
		return d, t.PutApp(ctx, a)
	})
	if err == nil {
		s.opts.AppChanged(app)
	}
	return unknownApp(err)
}
