package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"

	"github.com/skein-im/skein/internal/testclient"
)

// socket is one WebSocket of the generator.
type socket struct{ *testclient.Conn }

// dial opens a socket.
func (h *host) dial(ctx context.Context) (*socket, error) {
	c, err := testclient.Dial(ctx, testclient.URL(h.addr), testclient.Options{NetDial: h.from.dial, Timeout: dialTimeout})
	return &socket{c}, err
}

// until closes the socket when ctx ends, so that nothing blocks on it any longer.
func (s *socket) until(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, s.Close)
}

const (
	codeUnauthenticated = 4003
	codeTooMany         = 4290
)

// ask sends a command and waits for its answer, which is valid until the next read.
func (s *socket) ask(name, command string) ([]byte, error) {
	return s.Ask(name, []byte(command), maxPatience)
}

// askFor is ask with the data of the answer decoded.
func (s *socket) askFor(name, command string, into any) error {
	frame, err := s.ask(name, command)
	if err != nil {
		return err
	}
	answer := struct {
		Data any `json:"data"`
	}{Data: into}
	if err := json.Unmarshal(frame, &answer); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// login logs the client in; the token is empty where none is needed.
func (s *socket) login(app, client, device, token string) error {
	command := `{"type":"login","data":{"app_id":"` + app + `","client_id":"` + client + `","device_id":"` + device + `"`
	if token != "" {
		command += `,"token":"` + token + `"`
	}
	_, err := s.ask("login", command+`}}`)
	return err
}

// device is the one that clients of the bench log in on.
const device = "bench"

// join opens a socket of a client and logs it in.
func (h *host) join(ctx context.Context, client string) (*socket, error) {
	return h.joinOn(ctx, client, device)
}

func (h *host) joinOn(ctx context.Context, client, device string) (*socket, error) {
	token, err := h.tokenOf(ctx, client)
	if err != nil {
		return nil, err
	}
	s, err := h.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("dial for %s: %w", client, err)
	}
	if err := s.login(h.app, client, device, token); err != nil {
		s.Close()
		return nil, fmt.Errorf("client %s: %w", client, err)
	}
	return s, nil
}

// joinAll opens a socket for each of the clients. On an error none is left open.
func (h *host) joinAll(ctx context.Context, clients []string) ([]*socket, error) {
	sockets := make([]*socket, len(clients))
	err := parallel(ctx, len(clients), setupConnections, func(ctx context.Context, i int) error {
		var err error
		sockets[i], err = h.join(ctx, clients[i])
		return err
	})
	if err != nil {
		closeAll(sockets)
		return nil, err
	}
	return sockets, nil
}

func closeAll(sockets []*socket) {
	for _, s := range sockets {
		if s != nil {
			s.Close()
		}
	}
}

// closedByUs reports whether a read ended because this side closed the socket.
func closedByUs(err error) bool { return errors.Is(err, net.ErrClosed) }
