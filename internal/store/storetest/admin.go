package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
)

// ann is an operator with all that one may have.
var ann = skein.OperatorAccount{
	Name: "ann", Created: 7,
	Roles:  []skein.OperatorIn{{Role: skein.OperatorReadOnly}, {App: "shop", Role: skein.OperatorOwner}},
	Tokens: []skein.OperatorToken{{Name: "laptop", Hash: [32]byte{1, 2, 255}, Created: 7, Expires: 9}, {Name: "ci", Hash: [32]byte{3}, Created: 8, Expires: 10}},
}

// administer does a deed that must succeed.
func (f *fixture) administer(d skein.Deed, do func(context.Context, store.AdminTx) error) skein.Deed {
	f.Helper()
	got, err := f.Administer(f.Context(), func(ctx context.Context, t store.AdminTx) (skein.Deed, error) { return d, do(ctx, t) })
	f.must(err)
	return got
}

// onlyEntry is a deed that only its entry tells of.
func onlyEntry(context.Context, store.AdminTx) error { return nil }

func (f *fixture) operators() []skein.OperatorAccount {
	f.Helper()
	all, err := f.Operators(f.Context())
	f.must(err)
	return all
}

// whole is the audit log from its beginning.
func (f *fixture) whole() []skein.Deed {
	f.Helper()
	all, err := f.AuditAfter(f.Context(), 0, 1<<20)
	f.must(err)
	return all
}

// wantChain wants the numbers 1, 2, 3 … and each hash to cover the one before it.
func (f *fixture) wantChain(all []skein.Deed) {
	f.Helper()
	var previous [32]byte
	for i, d := range all {
		equal(f, "seq", d.Seq, int64(i+1))
		equal(f, fmt.Sprintf("hash of entry %d", d.Seq), d.Hash, d.Sum(previous))
		previous = d.Hash
	}
}

var admin = []check{
	{"an operator's change of a client and its entry are stored together or not at all", func(f *fixture) {
		f.app("shop", "ann")
		before, err := f.Client(f.Context(), "shop", "ann")
		f.must(err)
		deed := skein.Deed{Op: "user.logout", App: "shop", Target: "ann"}
		got, err := f.UpdateClientBy(f.Context(), deed, "shop", "ann", func(c *skein.Client) error {
			c.Cut = 9
			return nil
		})
		f.must(err)
		equal(f, "cut and rev", []any{got.Cut, got.Rev}, []any{skein.Millis(9), before.Rev + 1})
		no := errors.New("no")
		_, err = f.UpdateClientBy(f.Context(), deed, "shop", "ann", func(*skein.Client) error { return no })
		f.wantErr(err, no)
		_, err = f.UpdateClientBy(f.Context(), deed, "shop", "bob", func(*skein.Client) error { return nil })
		f.wantErr(err, skein.ErrUnknownClient)
		_, err = f.UpdateClientBy(f.Context(), deed, "shop", "ann", func(*skein.Client) error { return nil })
		f.must(err)
		stored, err := f.Client(f.Context(), "shop", "ann")
		f.must(err)
		equal(f, "stored", stored, got)
		log := f.whole()
		f.wantChain(log)
		equal(f, "entries", len(log), 2) // also where nothing changed
		equal(f, "the entry", []string{log[0].Op, log[0].App, log[0].Target}, []string{"user.logout", "shop", "ann"})
	}},
	{"an operator is kept as it was given, and listed by name", func(f *fixture) {
		zoe, bob := skein.OperatorAccount{Name: "Zoe", Created: 3}, skein.OperatorAccount{Name: "bob", Created: 4}
		f.administer(skein.Deed{}, func(ctx context.Context, t store.AdminTx) error {
			return errors.Join(t.PutOperator(ctx, bob), t.PutOperator(ctx, ann), t.PutOperator(ctx, zoe))
		})
		equal(f, "operators", f.operators(), []skein.OperatorAccount{zoe, ann, bob})
	}},
	{"an operator takes the place of the one of its name, and is removed", func(f *fixture) {
		f.administer(skein.Deed{}, func(ctx context.Context, t store.AdminTx) error { return t.PutOperator(ctx, ann) })
		other := ann
		other.Roles, other.Tokens = other.Roles[:1], other.Tokens[1:]
		f.administer(skein.Deed{}, func(ctx context.Context, t store.AdminTx) error { return t.PutOperator(ctx, other) })
		equal(f, "operators", f.operators(), []skein.OperatorAccount{other})
		f.administer(skein.Deed{}, func(ctx context.Context, t store.AdminTx) error {
			return errors.Join(t.RemoveOperator(ctx, "ann"), t.RemoveOperator(ctx, "nobody"))
		})
		equal(f, "operators", len(f.operators()), 0)
	}},
	{"a deed sees what it did, and what others did before it", func(f *fixture) {
		f.app("shop")
		f.administer(skein.Deed{}, func(ctx context.Context, t store.AdminTx) error {
			before, err := t.Operators(ctx)
			if err != nil || len(before) != 0 {
				return fmt.Errorf("operators %v, %w", before, err)
			}
			if err := t.PutOperator(ctx, ann); err != nil {
				return err
			}
			after, err := t.Operators(ctx)
			if err != nil || len(after) != 1 {
				return fmt.Errorf("operators %v, %w", after, err)
			}
			app, err := t.App(ctx, "shop")
			if err != nil {
				return err
			}
			app.Name, app.Settings.SendRate = "Shop", 99
			return errors.Join(t.PutApp(ctx, app), t.CreateApp(ctx, skein.App{ID: "other"}))
		})
		app, err := f.App(f.Context(), "shop")
		f.must(err)
		equal(f, "name and rate", fmt.Sprint(app.Name, app.Settings.SendRate), "Shop99")
		f.administer(skein.Deed{}, func(ctx context.Context, t store.AdminTx) error { return t.DeleteApp(ctx, "other") })
		_, err = f.App(f.Context(), "other")
		f.wantErr(err, skein.ErrUnknownApp)
	}},
	{"a word list is kept as it was given, and goes with its app", func(f *fixture) {
		f.app("shop")
		f.app("other")
		list := skein.WordList{Revision: 7, Replace: []string{"坏", "b\"a'd"}, Reject: []string{"x"}, IgnoreSeparators: true}
		wordList := func(app string) skein.WordList {
			got, err := f.WordList(f.Context(), app)
			f.must(err)
			return got
		}
		f.administer(skein.Deed{}, func(ctx context.Context, t store.AdminTx) error {
			return errors.Join(t.PutWordList(ctx, "shop", skein.WordList{Revision: 6}), t.PutWordList(ctx, "shop", list), t.PutWordList(ctx, "nobody", list))
		})
		equal(f, "the list", wordList("shop"), list)
		equal(f, "another app's", wordList("other"), skein.WordList{})
		equal(f, "an unknown app's", wordList("nobody"), skein.WordList{})
		f.administer(skein.Deed{}, func(ctx context.Context, t store.AdminTx) error {
			before, err := t.WordList(ctx, "shop")
			equal(f, "the list before", before, list)
			return errors.Join(err, t.RemoveWordList(ctx, "shop"), t.RemoveWordList(ctx, "other"), t.PutWordList(ctx, "other", list))
		})
		equal(f, "after it was removed", wordList("shop"), skein.WordList{})
		f.must(f.DeleteApp(f.Context(), "other"))
		equal(f, "a deleted app's", wordList("other"), skein.WordList{})
		for more := true; more; {
			var err error
			more, err = f.Purge(f.Context(), 0)
			f.must(err)
		}
		f.app("other")
		equal(f, "of a new app with the id", wordList("other"), skein.WordList{})
	}},
	{"a deed that fails changes nothing and has no entry", func(f *fixture) {
		no := errors.New("no")
		_, err := f.Administer(f.Context(), func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
			return skein.Deed{}, errors.Join(t.PutOperator(ctx, ann), t.CreateApp(ctx, skein.App{ID: "shop"}), no)
		})
		f.wantErr(err, no)
		equal(f, "operators", len(f.operators()), 0)
		_, err = f.App(f.Context(), "shop")
		f.wantErr(err, skein.ErrUnknownApp)
		equal(f, "entries", len(f.whole()), 0)
		_, err = f.Administer(f.Context(), func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
			_, err := t.App(ctx, "shop")
			return skein.Deed{}, err
		})
		f.wantErr(err, skein.ErrUnknownApp)
	}},
	{"an entry is kept as it was given, with its number, time and hash", func(f *fixture) {
		d := skein.Deed{
			Operator: "ann", Token: "laptop", Addr: "10.0.0.7", RequestID: "7f3e", Op: "app.update", App: "shop", Target: "商店",
			Before: []byte(`{"a":1}`), After: []byte(`{"a":"两"}`),
		}
		first := f.administer(d, onlyEntry)
		f.pass(time.Second)
		second := f.administer(skein.Deed{Operator: "bob"}, onlyEntry)
		all := f.whole()
		equal(f, "entries", all, []skein.Deed{first, second})
		f.wantChain(all)
		equal(f, "times", fmt.Sprint(first.At, second.At), fmt.Sprint(start, start.Add(time.Second)))
		d.Seq, d.At, d.Hash = first.Seq, first.At, first.Hash
		equal(f, "the first entry", first, d)
		equal(f, "before of an entry without one", second.Before == nil, true)
	}},
	{"deeds at the same time follow each other without a gap", func(f *fixture) {
		f.together(40, func(i int) error {
			_, err := f.Administer(f.Context(), func(ctx context.Context, t store.AdminTx) (skein.Deed, error) {
				all, err := t.Operators(ctx)
				if err != nil {
					return skein.Deed{}, err
				}
				o := skein.OperatorAccount{Name: fmt.Sprintf("op%02d", len(all))} // each must see all before it
				return skein.Deed{Operator: fmt.Sprint(i)}, t.PutOperator(ctx, o)
			})
			return err
		})
		equal(f, "operators", len(f.operators()), 40)
		all := f.whole()
		equal(f, "entries", len(all), 40)
		f.wantChain(all)
	}},
	{"the audit log is read in pages, newest first, by what an entry tells", func(f *fixture) {
		for i := range 10 {
			f.administer(skein.Deed{Operator: fmt.Sprint("op", i%2), Op: fmt.Sprint("do", i%3), App: []string{"", "shop"}[i%2], Target: fmt.Sprint("t", i)}, onlyEntry)
			f.pass(time.Second)
		}
		for name, tt := range map[string]struct {
			q    skein.AuditQuery
			want []int64
		}{
			"a page":                {skein.AuditQuery{Limit: 3}, []int64{10, 9, 8}},
			"the next page":         {skein.AuditQuery{Before: 8, Limit: 3}, []int64{7, 6, 5}},
			"the end":               {skein.AuditQuery{Before: 3, Limit: 3}, []int64{2, 1}},
			"before the beginning":  {skein.AuditQuery{Before: 1, Limit: 3}, nil},
			"of an app":             {skein.AuditQuery{App: "shop", Limit: 2}, []int64{10, 8}},
			"of an operator":        {skein.AuditQuery{Operator: "op0", Before: 9, Limit: 2}, []int64{7, 5}},
			"of an op":              {skein.AuditQuery{Op: "do1", Limit: 10}, []int64{8, 5, 2}},
			"of a target":           {skein.AuditQuery{Target: "t3", Limit: 10}, []int64{4}},
			"since, and until":      {skein.AuditQuery{From: start.Add(2 * time.Second), Until: start.Add(4 * time.Second), Limit: 10}, []int64{4, 3}},
			"of an unknown app":     {skein.AuditQuery{App: "other", Limit: 10}, nil},
			"by several of these":   {skein.AuditQuery{App: "shop", Operator: "op1", Op: "do0", Limit: 10}, []int64{10, 4}},
			"of what nobody can do": {skein.AuditQuery{Op: `' OR 1=1 --`, Limit: 10}, nil},
		} {
			deeds, err := f.Audit(f.Context(), tt.q)
			f.must(err)
			var got []int64
			for _, d := range deeds {
				got = append(got, d.Seq)
			}
			equal(f, name, got, tt.want)
		}
		after, err := f.AuditAfter(f.Context(), 7, 2)
		f.must(err)
		equal(f, "after 7", fmt.Sprint(after[0].Seq, after[1].Seq), "8 9")
	}},
	{"the entries about an app outlive it", func(f *fixture) {
		f.app("shop")
		f.administer(skein.Deed{App: "shop"}, func(ctx context.Context, t store.AdminTx) error { return t.DeleteApp(ctx, "shop") })
		f.purge()
		equal(f, "entries", len(f.whole()), 1)
	}},
}
