package driver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"

	"github.com/skein-im/skein/internal/testclient"
)

// Socket is one WebSocket of the generator.
type Socket struct{ *testclient.Conn }

// Dial opens a socket.
func (h *Host) Dial(ctx context.Context) (*Socket, error) {
	c, err := testclient.Dial(ctx, testclient.URL(h.Addr), testclient.Options{NetDial: h.From.Dial, Timeout: dialTimeout})
	return &Socket{c}, err
}

// Until closes the socket when ctx ends, so that nothing blocks on it any longer.
func (s *Socket) Until(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, s.Close)
}

const (
	codeUnauthenticated = 4003
	codeTooMany         = 4290
	codeUnavailable     = 5030
)

// Call sends a command and waits for its answer, which is valid until the next read.
func (s *Socket) Call(name, command string) ([]byte, error) {
	return s.Ask(name, []byte(command), MaxPatience)
}

// CallFor is Call with the data of the answer decoded.
func (s *Socket) CallFor(name, command string, into any) error {
	frame, err := s.Call(name, command)
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
func (s *Socket) login(app, client, device, token string) error {
	command := `{"type":"login","data":{"app_id":"` + app + `","client_id":"` + client + `","device_id":"` + device + `"`
	if token != "" {
		command += `,"token":"` + token + `"`
	}
	_, err := s.Call("login", command+`}}`)
	return err
}

// device is the one that clients of the bench log in on.
const device = "bench"

// Join opens a socket of a client and logs it in.
func (h *Host) Join(ctx context.Context, client string) (*Socket, error) {
	return h.JoinOn(ctx, client, device)
}

// JoinOn is Join on a device.
func (h *Host) JoinOn(ctx context.Context, client, device string) (*Socket, error) {
	token, err := h.tokenOf(ctx, client)
	if err != nil {
		return nil, err
	}
	s, err := h.Dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("dial for %s: %w", client, err)
	}
	if err := s.login(h.App, client, device, token); err != nil {
		s.Close()
		return nil, fmt.Errorf("client %s: %w", client, err)
	}
	return s, nil
}

// JoinAll opens a socket for each of the clients. On an error none is left open.
func (h *Host) JoinAll(ctx context.Context, clients []string) ([]*Socket, error) {
	sockets := make([]*Socket, len(clients))
	err := Parallel(ctx, len(clients), SetupConnections, func(ctx context.Context, i int) error {
		var err error
		sockets[i], err = h.At(i).Join(ctx, clients[i])
		return err
	})
	if err != nil {
		CloseAll(sockets)
		return nil, err
	}
	return sockets, nil
}

// CloseAll closes the sockets; nil ones are left out.
func CloseAll(sockets []*Socket) {
	for _, s := range sockets {
		if s != nil {
			s.Close()
		}
	}
}

// ClosedByUs reports whether a read ended because this side closed the socket.
func ClosedByUs(err error) bool { return errors.Is(err, net.ErrClosed) }
