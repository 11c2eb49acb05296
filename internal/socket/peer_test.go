package socket

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

// peer is a client that speaks raw frames.
type peer struct {
	t  testing.TB
	nc net.Conn
	r  *bufio.Reader

	count atomic.Int64 // events read, where a test counts them
}

const handshake = "GET /im/socket HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAccept-Language: en\r\n" +
	"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"

// dial shakes hands. early is sent in the same packet.
func (f *fixture) dial(t testing.TB, early ...[]byte) *peer {
	t.Helper()
	nc, err := net.Dial("tcp", f.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	p := &peer{t: t, nc: nc, r: bufio.NewReaderSize(nc, 4096)}
	_ = nc.SetDeadline(time.Now().Add(mostWait)) // a test that hangs fails here
	p.send(append([][]byte{[]byte(handshake)}, early...)...)
	res, err := http.ReadResponse(p.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusSwitchingProtocols || res.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("handshake: %v %v", res.Status, res.Header)
	}
	if ext := res.Header.Get("Sec-WebSocket-Extensions"); ext != "" {
		t.Fatalf("extensions negotiated: %q", ext)
	}
	return p
}

func loginData(client, device string) string {
	return fmt.Sprintf(`{"app_id":"shop","client_id":%q,"device_id":%q,"token":"good"}`, client, device)
}

// login is a peer that is logged in.
func (f *fixture) login(t testing.TB, client, device string) *peer {
	t.Helper()
	p := f.dial(t)
	p.say("login", loginData(client, device))
	p.wantType("login.success")
	return p
}

// send writes pieces with one write.
func (p *peer) send(pieces ...[]byte) {
	p.t.Helper()
	var all []byte
	for _, piece := range pieces {
		all = append(all, piece...)
	}
	if _, err := p.nc.Write(all); err != nil {
		p.t.Fatalf("send: %v", err)
	}
}

// say sends a command.
func (p *peer) say(typ, data string) {
	p.t.Helper()
	p.send(text(`{"type":"` + typ + `","data":` + data + `}`))
}

// frameOf is a masked frame.
func frameOf(first byte, payload string) []byte {
	mask := [4]byte{0x12, 0xf4, 0x56, 0x9a}
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n <= 0xffff:
		b = append(b, 0x80|126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = append(b, 0x80|127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	b = append(b, mask[:]...)
	body := []byte(payload)
	ws.Cipher(body, mask, 0)
	return append(b, body...)
}

func text(payload string) []byte        { return frameOf(0x81, payload) }
func opening(payload string) []byte     { return frameOf(0x01, payload) }
func more(payload string) []byte        { return frameOf(0x00, payload) }
func last(payload string) []byte        { return frameOf(0x80, payload) }
func pingOf(payload string) []byte      { return frameOf(0x89, payload) }
func pongOf(payload string) []byte      { return frameOf(0x8a, payload) }
func closing(payload string) []byte     { return frameOf(0x88, payload) }
func closeCode(code int) []byte         { return closing(codeBytes(code)) }
func codeBytes(code int) string         { return string(binary.BigEndian.AppendUint16(nil, uint16(code))) }
func unmasked(op byte, s string) []byte { return append([]byte{op, byte(len(s))}, s...) }

// read reads the next frame and describes it: "text …", "ping …", "pong …", "close 1002", or
// "end" when the socket ends without a close frame, "reset" when it is cut.
func (p *peer) read() string {
	h, err := ws.ReadHeader(p.r)
	if err != nil {
		return ending(err)
	}
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(p.r, payload); err != nil {
		return ending(err)
	}
	if !h.Fin || h.Rsv != 0 || h.Masked {
		return fmt.Sprintf("bad header %+v", h)
	}
	switch h.OpCode {
	case ws.OpText:
		return "text " + string(payload)
	case ws.OpPing:
		return "ping " + string(payload)
	case ws.OpPong:
		return "pong " + string(payload)
	case ws.OpClose:
		if len(payload) < 2 {
			return "close"
		}
		return fmt.Sprint("close ", binary.BigEndian.Uint16(payload))
	default:
		return fmt.Sprintf("opcode %x", h.OpCode)
	}
}

func ending(err error) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "nothing"
	case errors.Is(err, io.EOF):
		return "end"
	default:
		return "reset"
	}
}

// want fails unless the next frames are these.
func (p *peer) want(frames ...string) {
	p.t.Helper()
	for _, want := range frames {
		if got := p.read(); got != want {
			p.t.Fatalf("got  %s\nwant %s", brief(got), brief(want))
		}
	}
}

// wantEnd fails unless the server closes with the code and then ends the stream.
func (p *peer) wantEnd(code int) {
	p.t.Helper()
	p.want(fmt.Sprint("close ", code), "end")
}

// answer is what a frame of the server holds.
type answer struct {
	Type string          `json:"type"`
	Msg  string          `json:"msg"`
	Code int             `json:"code"`
	Data json.RawMessage `json:"data"`
	ID   *string         `json:"id"`
}

// wantType fails unless the next frame has the type, and is it.
func (p *peer) wantType(typ string) answer {
	p.t.Helper()
	got := p.read()
	var a answer
	body, isText := strings.CutPrefix(got, "text ")
	if err := json.Unmarshal([]byte(body), &a); !isText || err != nil || a.Type != typ {
		p.t.Fatalf("got  %s\nwant type %s", brief(got), typ)
	}
	return a
}

// wantError fails unless the next frame is this error.
func (p *peer) wantError(typ string, code int) answer {
	p.t.Helper()
	a := p.wantType(typ)
	if a.Code != code || string(a.Data) != "null" {
		p.t.Fatalf("got %+v, want code %d and data null", a, code)
	}
	return a
}

// brief shortens a text for a failure message.
func brief(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("%.200q… (%d bytes)", s, len(s))
	}
	return fmt.Sprintf("%q", s)
}

// echo is a command that is answered with its text, and that answer.
func echo(s string) (command, want string) {
	data := `{"s":"` + s + `"}`
	return `{"type":"echo","data":` + data + `}`, `text {"type":"echo.success","msg":"success","data":` + data + `}`
}
