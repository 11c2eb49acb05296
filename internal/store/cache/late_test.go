package cache

import (
	"context"
	"testing"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/store"
	"github.com/skein-im/skein/internal/store/storetest"
)

// paused is an engine whose reads, once asked to, answer late: they have read, and
// wait.
type paused struct {
	store.Store

	read, release chan struct{} // nil: they do not wait
}

func (p *paused) wait() {
	if p.read != nil {
		p.read <- struct{}{}
		<-p.release
	}
}

func (p *paused) Conversation(ctx context.Context, app string, id skein.ID, client string) (skein.Conversation, *skein.Member, error) {
	defer p.wait()
	return p.Store.Conversation(ctx, app, id, client)
}

func (p *paused) Audience(ctx context.Context, app string, id skein.ID, atLeast int64) ([]skein.Listener, int64, error) {
	defer p.wait()
	return p.Store.Audience(ctx, app, id, atLeast)
}

func (p *paused) Messages(ctx context.Context, app string, conv skein.ID, r skein.SeqRange) ([]skein.Message, error) {
	defer p.wait()
	return p.Store.Messages(ctx, app, conv, r)
}

func (p *paused) Client(ctx context.Context, app, id string) (skein.Client, error) {
	defer p.wait()
	return p.Store.Client(ctx, app, id)
}

// What was read before a write and comes after it is not kept.
func TestLateReadIsNotKept(t *testing.T) {
	newest := skein.SeqRange{Limit: 5, Newest: true}
	for name, tt := range map[string]struct {
		read  func(*Store, skein.ID) (any, error)
		write func(*Store, skein.ID) error
	}{
		"a conversation before a message": {
			func(s *Store, conv skein.ID) (any, error) {
				c, _, err := s.Conversation(t.Context(), "app", conv, "ann")
				return c.LastSeq, err
			},
			func(s *Store, conv skein.ID) error { return say(t.Context(), s, conv) },
		},
		"the audience before somebody left": {
			func(s *Store, conv skein.ID) (any, error) {
				all, _, err := s.Audience(t.Context(), "app", conv, 0)
				return len(all), err
			},
			func(s *Store, conv skein.ID) error {
				_, err := s.RemoveMembers(t.Context(), "app", conv, store.Authority{}, []string{"ann"}, 1, 0)
				return err
			},
		},
		"the audience before a client was deleted": {
			func(s *Store, conv skein.ID) (any, error) {
				all, _, err := s.Audience(t.Context(), "app", conv, 0)
				return len(all), err
			},
			func(s *Store, _ skein.ID) error {
				_, _, err := s.DeleteClient(t.Context(), "app", "ann", 1, false)
				return err
			},
		},
		"the newest page before a message": {
			func(s *Store, conv skein.ID) (any, error) {
				page, err := s.Messages(t.Context(), "app", conv, newest)
				return len(page), err
			},
			func(s *Store, conv skein.ID) error { return say(t.Context(), s, conv) },
		},
		"a client before it was banned": {
			func(s *Store, _ skein.ID) (any, error) {
				c, err := s.Client(t.Context(), "app", "ann")
				return c.BannedUntil, err
			},
			func(s *Store, _ skein.ID) error {
				_, err := s.UpdateClient(t.Context(), "app", "ann", func(c *skein.Client) error {
					c.BannedUntil = 9
					return nil
				})
				return err
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, storetest.Options{}, DefaultBytes)
			engine := &paused{Store: s.Store}
			s.Store = engine
			conv := newID()
			begin(t, s, conv)
			_, _, err := s.Conversation(t.Context(), "app", conv, "") // so that the entry knows its conversation
			if err != nil {
				t.Fatal(err)
			}

			engine.read, engine.release = make(chan struct{}), make(chan struct{})
			done := make(chan error)
			go func() {
				_, err := tt.read(s, conv)
				done <- err
			}()
			<-engine.read
			if err := tt.write(s, conv); err != nil {
				t.Error(err)
			}
			close(engine.release)
			for waiting := true; waiting; {
				select {
				case <-engine.read:
				case err := <-done:
					waiting = false
					if err != nil {
						t.Error(err)
					}
				}
			}
			engine.read = nil
			got, err := tt.read(s, conv)
			s.forgetApp("app")
			want, wantErr := tt.read(s, conv)
			if err != nil || wantErr != nil || got != want {
				t.Errorf("kept %v, %v, while the engine has %v, %v", got, err, want, wantErr)
			}
		})
	}
}

func say(ctx context.Context, s *Store, conv skein.ID) error {
	_, _, err := s.Append(ctx, skein.Draft{App: "app", Message: skein.Message{
		ID: newID(), Conv: conv, Sender: "ann", Body: skein.Body{Type: skein.TypeText, Text: "hi"},
	}})
	return err
}
