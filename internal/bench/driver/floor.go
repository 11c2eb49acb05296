package driver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// FloorName in place of a scenario makes skein-bench the floor. Only skein-bench itself uses it.
const FloorName = "floor"

// Floor runs a bare relay until ctx ends. It reads frames, answers them and copies them to the
// members of the conversation, in the form and size of the server's frames, and does nothing
// else: no store, no checks, no bounds. It costs what the sockets cost, on the same machine and in
// the same run; the server is compared with it. It writes its address to out.
func Floor(ctx context.Context, out io.Writer) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, l.Addr()); err != nil {
		return err
	}
	r := &relay{convs: map[string]*relayConv{}, conns: map[net.Conn]struct{}{}}
	defer context.AfterFunc(ctx, func() { _ = l.Close(); r.closeAll() })()
	var serving sync.WaitGroup
	defer serving.Wait()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		r.keep(conn)
		serving.Go(func() { r.serve(conn) })
	}
}

type relay struct {
	mu    sync.Mutex
	convs map[string]*relayConv // by conv_id; guarded by mu
	conns map[net.Conn]struct{} // guarded by mu
}

// relayConv is a conversation.
type relayConv struct {
	mu      sync.Mutex
	seq     int64          // guarded by mu, which is held while a message is pushed
	members []*relaySocket // guarded by mu
}

type relaySocket struct {
	conn net.Conn
	mu   sync.Mutex // one frame at a time
}

func (s *relaySocket) write(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.conn.Write(frame) // the reader of the socket notices an error
}

func (r *relay) keep(conn net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[conn] = struct{}{}
}

func (r *relay) closeAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for conn := range r.conns {
		_ = conn.Close()
	}
}

func (r *relay) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	if _, err := ws.Upgrade(conn); err != nil {
		return
	}
	s := &relaySocket{conn: conn}
	rw := struct {
		io.Reader
		io.Writer
	}{bufio.NewReaderSize(conn, 4<<10), conn}
	for {
		frame, err := wsutil.ReadClientText(rw)
		if err != nil {
			r.leave(s)
			return
		}
		r.handle(s, frame)
	}
}

// leave removes the socket from the relay and its conversations.
func (r *relay) leave(s *relaySocket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, s.conn)
	for id, conv := range r.convs {
		if conv.leave(s) {
			delete(r.convs, id)
		}
	}
}

func (m *relayConv) enter(s *relaySocket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.members = append(m.members, s)
}

func (m *relayConv) leave(s *relaySocket) (empty bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, member := range m.members {
		if member == s {
			m.members = append(m.members[:i], m.members[i+1:]...)
			break
		}
	}
	return len(m.members) == 0
}

func (r *relay) conv(id string) *relayConv {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.convs[id] == nil {
		r.convs[id] = &relayConv{}
	}
	return r.convs[id]
}

func (r *relay) handle(s *relaySocket, frame []byte) {
	switch conv := string(Text(frame, `"conv_id":"`)); {
	case bytes.HasPrefix(frame, []byte(`{"type":"login"`)):
		s.write(serverFrame([]byte(`{"type":"login.success","msg":"success","data":{},"id":null}`)))
	case bytes.HasPrefix(frame, []byte(`{"type":"enter"`)):
		r.conv(conv).enter(s)
		s.write(serverFrame([]byte(`{"type":"enter.success","msg":"success","data":true,"id":null}`)))
	default:
		r.conv(conv).say(s, conv, frame)
	}
}

// relayID stands in for a msg_id.
const relayID = "01766bc91fc67b3e8d1f4a6b9c2d3e4f"

// say answers a message and pushes it to the others.
func (m *relayConv) say(from *relaySocket, conv string, frame []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seq++
	seq := strconv.FormatInt(m.seq, 10)
	from.write(serverFrame([]byte(`{"type":"msg.send.success","msg":"success","data":{"msg_id":"` + relayID +
		`","time":1608126111686,"seq":` + seq + `},"id":"` + string(Text(frame, `"id":"`)) + `"}`)))
	push := serverFrame([]byte(`{"type":"msg.new","data":{"from_client":"b1","conv_id":"` + conv + `","msg_id":"` + relayID +
		`","ctime":1608126118817,"type":-1,"text":"` + string(Text(frame, `"text":"`)) +
		`","attr":null,"url":null,"transient":0,"mention_all":0,"mention_client_ids":null,"seq":` + seq +
		`,"conv_type":1,"client_msg_id":"` + string(Text(frame, `"client_msg_id":"`)) + `","reply_to":null}}`))
	for _, member := range m.members {
		if member != from {
			member.write(push)
		}
	}
}

// serverFrame is a text frame as a server sends it.
func serverFrame(payload []byte) []byte {
	frame, err := ws.CompileFrame(ws.NewTextFrame(payload))
	if err != nil {
		panic(err) // a buffer in memory takes everything
	}
	return frame
}
