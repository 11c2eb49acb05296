package neighbours

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/skein-im/skein/internal/bench/driver"
	"github.com/skein-im/skein/internal/bench/load"
)

// attacks are all attacks, in the order in which they run.
var attacks = []attack{
	{name: "where", about: "a client asks for its 5,000 groups by 20 conditions on 4 KB extends, 12 queries at a time", prepare: prepareWhere},
	{name: "listings", about: "a client lists its 5,000 conversations and deep pages of them, 12 calls at a time", prepare: prepareListings},
	{name: "large groups", about: "a client makes groups of 500 members, 8 at a time", prepare: prepareGroups},
	{name: "updates", about: "the backend rewrites 1,000 groups by 16 KB each, 4 calls at a time", prepare: prepareUpdates},
	{name: "erase", about: "the backend erases clients with 10,000 messages each, one after the other", prepare: prepareErase},
	{name: "members", about: "a client asks for all of 10,000 members in detail, 8 calls at a time", prepare: prepareMembers},
	{name: "nicknames", about: "10 clients rename themselves in a group of 1,000 online, 100 times a second each", prepare: prepareNicknames},
	{name: "talk", about: "10 clients send to a group of 1,000 online at the rate that is allowed", prepare: prepareTalk},
	{name: "presence", about: "1,100 sessions watch 500 clients each", prepare: preparePresence},
	{name: "uploads", about: "4,096 uploads of a byte every 5 seconds", prepare: prepareUploads},
	{name: "garbage", about: "20 sockets send garbage instead of a login", prepare: prepareGarbage},
	{name: "garbage after login", about: "20 sockets send garbage after their login", prepare: prepareLoggedInGarbage},
	{name: "fragments", about: "1,000 sockets begin a message of 250 KiB and do not end it", prepare: prepareFragments},
	{name: "requests", about: "500 connections send calls for things that do not exist, 100 at once", prepare: prepareRequests},
	{name: "commands", about: "1,000 sessions send 90 commands a second each", prepare: prepareCommands},
	{name: "idle connections", about: "3,000 connections that send nothing, to a server with 2,048 handles", handles: 2048, prepare: prepareConnections},
}

// asOne registers a client of the attacker and returns a host for its calls.
func (l *loud) asOne(ctx context.Context, prefix string) (client string, h *driver.Host, err error) {
	clients, err := l.Users(ctx, prefix, 1)
	if err != nil {
		return "", nil, err
	}
	h, err = l.Host.As(clients[0])
	return clients[0], h, err
}

// groups creates n groups of a client, each with a conv_extend of about extend bytes.
func (l *loud) groups(ctx context.Context, client string, n, extend int) error {
	return driver.Parallel(ctx, n, driver.SetupConnections, func(ctx context.Context, i int) error {
		return l.Host.Call(ctx, http.MethodPost, "/im/conversations", map[string]any{
			"client_id": client, "to_client_ids": []string{client}, "conv_type": load.TypeGroup,
			"conv_extend": map[string]any{"n": i, "pad": strings.Repeat("x", extend)},
		}, nil)
	})
}

func prepareWhere(ctx context.Context, l *loud) (flood, error) {
	client, h, err := l.asOne(ctx, "w")
	if err != nil {
		return nil, err
	}
	if err := l.groups(ctx, client, l.size(5000), 4<<10); err != nil {
		return nil, err
	}
	conditions := make([]string, 20)
	for i := range conditions {
		conditions[i] = fmt.Sprintf(`["conv_extend.k%d","!=","v"]`, i)
	}
	path := "/im/conversations?where=" + url.QueryEscape("["+strings.Join(conditions, ",")+"]")
	return l.repeat(12, func(ctx context.Context, _ int64) error {
		return h.CallOnce(ctx, http.MethodGet, path, nil, nil)
	}), nil
}

func prepareListings(ctx context.Context, l *loud) (flood, error) {
	client, h, err := l.asOne(ctx, "w")
	if err != nil {
		return nil, err
	}
	n := l.size(5000)
	if err := l.groups(ctx, client, n, 64); err != nil {
		return nil, err
	}
	return l.repeat(12, func(ctx context.Context, k int64) error {
		path := "/im/users/" + client + "/conversations?size=100"
		if k%2 == 1 {
			path = fmt.Sprintf("/im/conversations?size=100&page=%d", max(1, n/100))
		}
		return h.CallOnce(ctx, http.MethodGet, path, nil, nil)
	}), nil
}

func prepareGroups(ctx context.Context, l *loud) (flood, error) {
	clients, err := l.Users(ctx, "g", l.size(load.PerCall))
	if err != nil {
		return nil, err
	}
	h, err := l.Host.As(clients[0])
	if err != nil {
		return nil, err
	}
	group := map[string]any{"to_client_ids": clients[1:], "conv_type": load.TypeGroup}
	return l.repeat(8, func(ctx context.Context, _ int64) error {
		return h.CallOnce(ctx, http.MethodPost, "/im/conversations", group, nil)
	}), nil
}

func prepareUpdates(ctx context.Context, l *loud) (flood, error) {
	client, _, err := l.asOne(ctx, "u")
	if err != nil {
		return nil, err
	}
	if err := l.groups(ctx, client, l.size(1000), 64); err != nil {
		return nil, err
	}
	return l.repeat(4, func(ctx context.Context, k int64) error {
		return l.Host.CallOnce(ctx, http.MethodPut, "/im/conversations", map[string]any{
			"where":  [][]any{{"client_id", "=", client}},
			"update": map[string]any{"conv_extend": map[string]any{"n": k, "pad": strings.Repeat("y", 16<<10-64)}},
		}, nil)
	}), nil
}

// prepareErase lifts the rate limits of the app while the clients send their messages.
func prepareErase(ctx context.Context, l *loud) (flood, error) {
	const talkers = 20
	clients, err := l.Users(ctx, "e", talkers)
	if err != nil {
		return nil, err
	}
	if err := l.Host.Configure(ctx, l.Program, l.data, "--send-rate=-1", "--command-rate=-1"); err != nil {
		return nil, err
	}
	if err := l.talk(ctx, clients, l.size(10_000)); err != nil {
		return nil, err
	}
	if err := l.Host.Configure(ctx, l.Program, l.data, "--send-rate=0", "--command-rate=0"); err != nil {
		return nil, err
	}
	return l.repeat(1, func(ctx context.Context, k int64) error {
		if k >= talkers {
			<-ctx.Done() // all are erased
			return nil
		}
		return l.Host.CallOnce(ctx, http.MethodDelete, "/im/users/"+clients[k]+"?messages=erase", nil, nil)
	}), nil
}

func prepareMembers(ctx context.Context, l *loud) (flood, error) {
	conv, clients, err := l.bigGroup(ctx, 10_000)
	if err != nil {
		return nil, err
	}
	h, err := l.Host.As(clients[0])
	if err != nil {
		return nil, err
	}
	return l.repeat(8, func(ctx context.Context, _ int64) error {
		return h.CallOnce(ctx, http.MethodGet, "/im/conversations/"+conv+"/members?detail=1", nil, nil)
	}), nil
}

// bigGroup creates a group of clients that are online. The logins register the clients, which is
// faster than REST calls within the rate.
func (l *loud) bigGroup(ctx context.Context, usual int) (conv string, clients []string, err error) {
	clients = make([]string, l.size(usual))
	for i := range clients {
		clients[i] = fmt.Sprintf("%sm%d", l.Tag, i)
	}
	l.crowd = load.NewQuiet()
	if err := l.crowd.JoinAll(ctx, l.Host, clients, driver.SetupConnections, nil); err != nil {
		return "", nil, err
	}
	conv, err = l.Conversation(ctx, load.TypeGroup, clients)
	return conv, clients, err
}

// chatter is a flood of commands: up to 10 clients send at a rate, each on its own socket.
func (l *loud) chatter(clients []string, interval time.Duration, command func(client string, k int) string) flood {
	return l.hold(min(10, len(clients)), func(ctx context.Context, i int) error {
		s, err := l.Host.JoinOn(ctx, clients[i], "attack")
		if err != nil {
			return err
		}
		defer s.Until(ctx)()
		var reader sync.WaitGroup
		defer reader.Wait()
		defer s.Close()
		reader.Go(func() { l.hear(s) })
		for k := 0; driver.Wait(ctx, interval) == nil; k++ {
			if err := s.Send([]byte(command(clients[i], k))); err != nil {
				return err
			}
		}
		return nil
	})
}

func prepareNicknames(ctx context.Context, l *loud) (flood, error) {
	conv, clients, err := l.bigGroup(ctx, 1000)
	if err != nil {
		return nil, err
	}
	return l.chatter(clients, 10*time.Millisecond, func(client string, k int) string {
		return fmt.Sprintf(`{"type":"conv.members.update","data":{"conv_id":%q,"client_id":%q,"nickname":"name %d"}}`, conv, client, k)
	}), nil
}

func prepareTalk(ctx context.Context, l *loud) (flood, error) {
	conv, clients, err := l.bigGroup(ctx, 1000)
	if err != nil {
		return nil, err
	}
	text := strings.Repeat("z", driver.TextBytes)
	return l.chatter(clients, 50*time.Millisecond, func(string, int) string {
		return fmt.Sprintf(`{"type":"msg.send","data":{"conv_id":%q,"type":-1,"text":%q}}`, conv, text)
	}), nil
}
