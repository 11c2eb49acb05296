package socket

import (
	"strconv"
	"strings"
	"testing"

	"github.com/skein-im/skein/internal/wire"
)

// conformance is one exchange of RFC 6455 on a logged-in socket: what the peer
// sends, each piece with its own write, and what it gets until the stream ends.
type conformance struct {
	send [][]byte
	want []string
}

// exchange is a conformance whose peer closes with 1000 at the end.
func exchange(send [][]byte, want ...string) conformance {
	return conformance{append(send, closeCode(1000)), append(want, "close 1000")}
}

// fails is a conformance that the server ends with the code. What the client sends after
// the violation must change nothing.
func fails(code string, send [][]byte, want ...string) conformance {
	return conformance{send, append(want, "close "+code)}
}

func run(t *testing.T, f *fixture, cases map[string]conformance) {
	t.Helper()
	for name, tt := range cases {
		t.Run(name, func(t *testing.T) {
			p := f.login(t, "Tom", "phone")
			for _, piece := range tt.send {
				if _, err := p.nc.Write(piece); err != nil {
					break // the server closed the connection after the violation; the frames before are checked below
				}
			}
			p.want(append(tt.want, "end")...)
		})
	}
}

func in(pieces ...[]byte) [][]byte { return pieces }

// glued is the pieces in one write.
func glued(pieces ...[]byte) [][]byte {
	var all []byte
	for _, p := range pieces {
		all = append(all, p...)
	}
	return [][]byte{all}
}

// chopped is b in writes of n bytes.
func chopped(n int, b []byte) (pieces [][]byte) {
	for len(b) > n {
		pieces = append(pieces, b[:n])
		b = b[n:]
	}
	return append(pieces, b)
}

// echoOfSize is an echo whose command is n bytes long.
func echoOfSize(n int) (command, want string) {
	frame, _ := echo("")
	return echo(strings.Repeat("*", n-len(frame)))
}

func TestFraming(t *testing.T) { // Autobahn 1 and 9
	cases := map[string]conformance{
		"an empty text is a malformed command":           exchange(in(text("")), unreadable),
		"a binary message is refused":                    fails("1003", in(frameOf(0x82, "x"))),
		"an empty binary message is refused":             fails("1003", in(frameOf(0x82, ""))),
		"a binary fragment is refused at once":           fails("1003", in(frameOf(0x02, "x"))),
		"a text over the limit is refused by its header": fails("1009", in(text(strings.Repeat("*", wire.MaxBody+1))[:14])),
		"fragments over the limit are refused by the last header": fails("1009",
			in(opening(strings.Repeat("*", wire.MaxBody)), last("*"))),
		"a length with the highest bit set is malformed": fails("1002",
			in([]byte{0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4})),
		"a huge length is too big": fails("1009",
			in([]byte{0x81, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4})),
		"a fragment of a huge length is too big": fails("1009",
			in(opening("{"), []byte{0x80, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4})),
		"an unmasked frame is refused": fails("1002", in(unmasked(0x81, "hello"))),
	}
	for _, size := range []int{125, 126, 127, 128, 65535, 65536, 65537, wire.MaxBody - 1, wire.MaxBody} {
		command, want := echoOfSize(size)
		cases["a text of "+strconv.Itoa(size)+" bytes passes"] = exchange(in(text(command)), want)
		cases["a text of "+strconv.Itoa(size)+" bytes in small writes passes"] = exchange(chopped(997, text(command)), want)
	}
	command, want := echoOfSize(126)
	cases["a text that comes octet by octet passes"] = exchange(chopped(1, text(command)), want)
	run(t, start(t, nil), cases)
}

// unreadable is the answer to a text that is no command.
var unreadable = func() string {
	_, err := wire.ParseFrame(nil)
	return "text " + string(wire.AppendFailure(nil, "", nil, err, wire.English))
}()

func TestPings(t *testing.T) { // Autobahn 2
	long := strings.Repeat("\xfe", 125)
	run(t, start(t, nil), map[string]conformance{
		"an empty ping is answered":              exchange(in(pingOf("")), "pong "),
		"a ping's payload comes back":            exchange(in(pingOf("hello")), "pong hello"),
		"a payload need not be text":             exchange(in(pingOf("\x00\xff\xfe\xfd")), "pong \x00\xff\xfe\xfd"),
		"125 bytes come back":                    exchange(in(pingOf(long)), "pong "+long),
		"126 bytes are too many":                 fails("1002", in(pingOf(long+"x"))),
		"octet by octet is the same":             exchange(chopped(1, pingOf(long)), "pong "+long),
		"a pong unasked for is ignored":          exchange(in(pongOf(""))),
		"a pong with a payload is ignored":       exchange(in(pongOf("x"), pingOf("y")), "pong y"),
		"ten pings have ten pongs in order":      exchange(glued(pingOf("0"), pingOf("1"), pingOf("2"), pingOf("3"), pingOf("4")), "pong 0", "pong 1", "pong 2", "pong 3", "pong 4"),
		"a fragmented ping is refused":           fails("1002", in(frameOf(0x09, "x"), last("y"))),
		"a ping of 126 bytes is known at header": fails("1002", in(pingOf(strings.Repeat("x", 126))[:8])),
	})
}

func TestReservedBits(t *testing.T) { // Autobahn 3
	command, want := echo("hi")
	cases := map[string]conformance{}
	for bits := byte(1); bits < 8; bits++ {
		name := "reserved bits " + strconv.Itoa(int(bits))
		cases[name+" on a text are refused"] = fails("1002", in(frameOf(0x81|bits<<4, "x"), pingOf("")))
		cases[name+" on a ping are refused after a good text"] = fails("1002", glued(text(command), frameOf(0x89|bits<<4, "x"), pingOf("")), want)
		cases[name+" on a close are refused"] = fails("1002", in(frameOf(0x88|bits<<4, "")))
	}
	run(t, start(t, nil), cases)
}

func TestOpcodes(t *testing.T) { // Autobahn 4
	command, want := echo("hi")
	cases := map[string]conformance{}
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		name := "opcode " + strconv.Itoa(int(op))
		cases[name+" is refused"] = fails("1002", in(frameOf(0x80|op, "")))
		cases[name+" is refused after a good text"] = fails("1002", glued(text(command), frameOf(0x80|op, "x"), pingOf("")), want)
	}
	run(t, start(t, nil), cases)
}

func TestFragmentation(t *testing.T) { // Autobahn 5
	command, want := echo("fragments")
	a, b, c := command[:5], command[5:20], command[20:]
	run(t, start(t, nil), map[string]conformance{
		"two fragments make a message":                  exchange(in(opening(a), last(b+c)), want),
		"three in one write do too":                     exchange(glued(opening(a), more(b), last(c)), want),
		"octet by octet is the same":                    exchange(chopped(1, append(opening(a), last(b+c)...)), want),
		"a ping between fragments is answered at once":  exchange(in(opening(a), pingOf("?"), last(b+c)), "pong ?", want),
		"pings between all of them":                     exchange(glued(opening(a), pingOf("1"), more(b), pingOf("2"), last(c)), "pong 1", "pong 2", want),
		"empty fragments are fine":                      exchange(in(opening(""), more(""), more(command), last("")), want),
		"only empty fragments are an empty text":        exchange(in(opening(""), more(""), last("")), unreadable),
		"a continuation of nothing is refused":          fails("1002", in(last("x"), text(command))),
		"an unfinished continuation of nothing is too":  fails("1002", in(more("x"), last("y"))),
		"a continuation after a whole message is too":   fails("1002", glued(text(command), last("x")), want),
		"a new text inside a fragmented one is refused": fails("1002", in(opening(a), text(command))),
		"a new fragment inside a fragmented one is too": fails("1002", in(opening(a), opening(b), last(c))),
		"two fragmented messages in a row are two":      exchange(glued(opening(a), last(b+c), opening(a+b), last(c)), want, want),
		"a close between fragments closes":              fails("1000", in(opening(a), closeCode(1000))),
		"a fragmented pong is refused":                  fails("1002", in(frameOf(0x0a, "x"))),
	})
}

func TestUTF8(t *testing.T) { // Autobahn 6
	command, want := echo("κόσμε 日本 𝄞 \U0010ffff \uffff")
	cases := map[string]conformance{
		"good text passes":                                 exchange(in(text(command)), want),
		"good text octet by octet passes":                  exchange(chopped(1, text(command)), want),
		"bad text in the second fragment is refused":       fails("1007", in(opening("good"), last("\xc0\xaf"))),
		"a message that ends within a rune is refused":     fails("1007", in(opening("\xe6"), last("\x97"))),
		"a whole frame that ends within a rune is refused": fails("1007", in(text("\xe6\x97"))),
		"bad text is refused before its frame is whole":    fails("1007", in(text("good\xffgood")[:12])),
		"bad text is refused before its message is whole":  fails("1007", in(opening("\xf4\x90"))),
		"a rune that cannot become one is refused at once": fails("1007", in(opening("\xf4"), more("\x90"))),
	}
	var octets []byte
	for i := range len(command) {
		first := byte(0x00)
		if i == 0 {
			first = 0x01
		}
		octets = append(octets, frameOf(first, command[i:i+1])...)
	}
	cases["good text in fragments of an octet passes"] = exchange(in(octets, last("")), want)
	for name, bad := range map[string]string{
		"a lone continuation":   "\x80",
		"an overlong slash":     "\xc0\xaf",
		"an overlong of three":  "\xe0\x80\xaf",
		"an overlong of four":   "\xf0\x80\x80\xaf",
		"a surrogate":           "\xed\xa0\x80",
		"beyond the last rune":  "\xf4\x90\x80\x80",
		"five bytes":            "\xf8\x88\x80\x80\x80",
		"fe":                    "\xfe",
		"a cut rune in between": "a\xce" + "b",
	} {
		cases[name+" is refused"] = fails("1007", in(text(bad)))
		cases[name+" octet by octet is refused"] = fails("1007", chopped(1, text(bad)))
	}
	run(t, start(t, nil), cases)
}

func TestClosing(t *testing.T) { // Autobahn 7
	command, want := echo("hi")
	reason := strings.Repeat("x", 123)
	cases := map[string]conformance{
		"a close of one byte is refused":        fails("1002", in(closing("\x03"))),
		"what follows a close is ignored":       fails("1000", glued(closeCode(1000), text(command), pingOf("x"), closeCode(1001))),
		"what came before it is answered":       fails("1000", glued(text(command), closeCode(1000)), want),
		"a reason is taken":                     fails("1000", in(closing(codeBytes(1000)+"bye"))),
		"a reason of 123 bytes is taken":        fails("1000", in(closing(codeBytes(1000)+reason))),
		"a reason of 124 bytes is refused":      fails("1002", in(closing(codeBytes(1000)+reason+"x"))),
		"a reason that is not UTF-8 is refused": fails("1007", in(closing(codeBytes(1000)+"\xce\xba\xed\xa0\x80"))),
		"a fragmented close is refused":         fails("1002", in(frameOf(0x08, codeBytes(1000)))),
	}
	cases["a close without a code is answered so"] = conformance{in(closing("")), []string{"close"}}
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999} {
		cases["code "+strconv.Itoa(code)+" is echoed"] = fails(strconv.Itoa(code), in(closeCode(code)))
	}
	for _, code := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535} {
		cases["code "+strconv.Itoa(code)+" is refused"] = fails("1002", in(closeCode(code)))
	}
	run(t, start(t, nil), cases)
}
