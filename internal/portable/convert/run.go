package convert

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/portable"
)

// Options are of one conversion.
type Options struct {
	Out    string            // the folder to make
	App    string            // app_id of the folder
	Source string            // what it came from, as the manifest names it
	Name   string            // the source as a client_id: creator of conversations that have none
	Time   time.Time         // the moment that the folder shows
	Facts  []string          // what is true of every conversion of this source
	Rename map[string]string // client ids to replace, by what they are in the source

	// MarkRead: every member has read everything. Otherwise nobody has read anything
	// beyond their own messages.
	MarkRead bool

	Memory   int                           // bytes of records that each of a few sorters holds; default 64 MiB
	Progress func(stage string, now int64) // records so far in "read", then in "written"; may be nil
}

// workDir is where records are sorted, in the folder.
const workDir = ".convert"

// Run makes a portable folder of what read hands over. The same records make the same
// bytes. Memory does not grow with the number of messages; the disk below Out holds
// what is sorted, about twice the size of the source.
func Run(ctx context.Context, o Options, read func(context.Context, *Input) error) (sum Summary, err error) {
	if o.Memory == 0 {
		o.Memory = 64 << 20
	}
	work := filepath.Join(o.Out, workDir)
	if err := begin(o.Out, work); err != nil {
		return sum, err
	}
	w, err := portable.Create(o.Out, portable.Manifest{Source: o.Source, AppID: o.App})
	if err != nil {
		return sum, err
	}
	done := false
	defer func() {
		if !done {
			err = errors.Join(err, w.Abandon())
		}
		err = errors.Join(err, os.RemoveAll(work))
	}()
	if err := os.Mkdir(work, 0o700); err != nil {
		return sum, err
	}
	r, err := createReport(o.Out)
	if err != nil {
		return sum, err
	}
	in := newInput(ctx, o, work, w, r)
	if err = read(ctx, in); err == nil {
		err = in.write(ctx, o, w)
	}
	if err == nil {
		sum, err = in.finish(o, w)
	}
	if err = errors.Join(err, r.close()); err != nil {
		return sum, err
	}
	done = true
	return sum, w.Close(o.Time)
}

// begin removes what an earlier conversion left unfinished.
func begin(out, work string) error {
	if _, err := os.Stat(filepath.Join(out, portable.ManifestFile)); err == nil {
		return fmt.Errorf("%s holds a whole folder already", out)
	}
	err := os.RemoveAll(work)
	if gone := os.Remove(filepath.Join(out, ReportFile)); gone != nil && !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

func newInput(ctx context.Context, o Options, work string, w *portable.Writer, r *report) *Input {
	sorter := func(name string, share int) *sorter { return newSorter(work, name, o.Memory/share) }
	return &Input{
		ctx: ctx, folder: w, files: map[string]bool{}, report: r, people: newClients(sorter("clients", 8), o.Rename), source: o.Name,
		conversations: sorter("conversations", 2), standings: sorter("standings", 8), ready: sorter("ready", 2),
		messages: sorter("messages", 1), strays: sorter("strays", 4), ids: sorter("ids", 2),
		skipped: map[skein.ID]Line{}, progress: o.Progress,
	}
}

// Words of the report about the order of messages.
const (
	copySame     = "read more than once"
	copyDiffers  = "read more than once, with another content; the newest counts"
	idTwice      = "msg_id: another message has it; a new one was made"
	notMember    = "its sender is no member"
	beforeConv   = "is older than its conversation"
	groupReceipt = "was received, but the source does not say by whom"
	writerNo     = "refused by the folder"
)

// write puts everything into the folder.
func (in *Input) write(ctx context.Context, o Options, w *portable.Writer) error {
	if in.index == nil {
		if err := in.closeConversations(); err != nil {
			return err
		}
	}
	if err := in.placeStrays(); err != nil {
		return err
	}
	again, err := in.idsUsedAgain()
	if err != nil {
		return err
	}
	from, err := in.messages.sorted()
	if err != nil {
		return err
	}
	p := &pass{in: in, w: w, o: o, again: again, messages: ahead[kept]{from: from}, pairs: map[[16]byte]bool{}}
	if err := p.messages.advance(); err != nil {
		return errors.Join(err, from.close())
	}
	err = in.ready.each(ctx, func(_, value []byte) error {
		g := &gathered{}
		if err := decode(value, g); err != nil {
			return err
		}
		return p.conversation(g)
	})
	if err = errors.Join(err, from.close()); err != nil {
		return err
	}
	if p.messages.next != nil {
		return errors.New("convert: messages are left over: please report this")
	}
	return in.people.each(ctx, newSorter(filepath.Join(o.Out, workDir), "byage", o.Memory/8), o.Time.UnixMilli(), func(c portable.Client) error {
		in.report.out[OfClient]++
		return w.Client(c)
	})
}

// placeStrays makes the conversations that only messages name.
func (in *Input) placeStrays() error {
	var conv skein.ID
	var created int64
	return in.strays.each(in.ctx, func(key, value []byte) error {
		id := skein.ID(key[8:24])
		if id != conv {
			conv, created = id, int64(binary.BigEndian.Uint64(key[24:32]))
			var m kept
			if err := decode(value, &m); err != nil {
				return err
			}
			g := &gathered{At: m.At, C: portable.Conversation{ID: conv, Type: int(skein.Group), Creator: in.source, Created: created}}
			if m.Room {
				g.C.Type = int(skein.Room)
			}
			if err := in.report.add(Line{Kind: OfConversation, Outcome: Made, Why: strayMade, Conv: conv.String(), At: m.At}); err != nil {
				return err
			}
			if err := in.place(g); err != nil {
				return err
			}
		}
		moved := bytes.Clone(key)
		binary.BigEndian.PutUint64(moved, uint64(created))
		return in.messages.add(moved, value)
	})
}

// maxAgain bounds the messages whose id another one has; none has in a sound source.
const maxAgain = 1_000_000

// idsUsedAgain are the messages, by their keys without the creation of their
// conversation, whose id an older one has.
func (in *Input) idsUsedAgain() (map[string]bool, error) {
	again := map[string]bool{}
	var last []byte
	err := in.ids.each(in.ctx, func(key, _ []byte) error {
		same := len(last) >= 16 && bytes.Equal(last[:16], key[:16])
		if same && !bytes.Equal(last, key) {
			again[placeOf(key)] = true
		}
		if !same || again[placeOf(key)] {
			last = append(last[:0], key...)
		}
		if len(again) > maxAgain {
			return fmt.Errorf("more than %d messages have an id that another message has: the source is damaged", maxAgain)
		}
		return nil
	})
	return again, err
}

// placeOf is where a message is: of a key of ids what follows the id.
func placeOf(idKey []byte) string { return string(idKey[16:]) }

// pass is the last one: conversations in order of creation, each with its messages.
type pass struct {
	in       *Input
	w        *portable.Writer
	o        Options
	again    map[string]bool
	messages ahead[kept]
	pairs    map[[16]byte]bool // that have their private conversation; 16 bytes each
	written  int64
}

// conversation writes one, its messages and its members.
func (p *pass) conversation(g *gathered) error {
	if err := p.kind(g); err != nil {
		return err
	}
	if err := p.w.Conversation(g.C); err != nil {
		return fmt.Errorf("conversation %v: %w", g.C.ID, err)
	}
	p.in.report.out[OfConversation]++
	t := talk{pass: p, conv: g.C.ID, created: g.C.Created, members: map[string]*portable.Member{}}
	for i := range g.Members {
		m := &g.Members[i]
		m.Joined, m.JoinSeq = g.C.Created, 1
		t.members[m.Client] = m
	}
	if err := t.messages(); err != nil {
		return err
	}
	people := p.in.people
	if err := people.saw(g.C.Creator, g.C.Created); err != nil {
		return err
	}
	for _, s := range g.C.Sanctions {
		if err := people.saw(s.Client, g.C.Created); err != nil {
			return err
		}
	}
	for _, m := range g.Members {
		if p.o.MarkRead {
			m.ReadSeq = t.seq
		}
		if err := p.w.Member(m); err != nil {
			return fmt.Errorf("member %s of %v: %w", m.Client, g.C.ID, err)
		}
		p.in.report.out[OfMember]++
		if err := people.saw(m.Client, g.C.Created); err != nil {
			return err
		}
	}
	return nil
}

// kind decides between a private conversation and a group.
func (p *pass) kind(g *gathered) error {
	if !g.Pair {
		return nil
	}
	pair := pairOf(g.Members)
	if !p.pairs[pair] {
		p.pairs[pair] = true
		g.C.Type = int(skein.Private)
		return nil
	}
	g.C.Type = int(skein.Group)
	for i := range g.Members {
		if g.Owned && g.Members[i].Client == g.C.Creator {
			g.Members[i].Role = skein.RoleOwner.String()
		}
	}
	return p.in.report.add(Line{Kind: OfConversation, Outcome: Changed, Why: pairTwice, Conv: g.C.ID.String(), At: g.At})
}

// talk is the messages of one conversation as they are numbered.
type talk struct {
	*pass
	conv    skein.ID
	created int64
	members map[string]*portable.Member
	seq     int64
}

func (t *talk) messages() error {
	for r := &t.pass.messages; r.next != nil && r.next.M.Conv == t.conv; {
		m, key := r.next, r.key
		for {
			if err := r.advance(); err != nil {
				return err
			}
			if r.next == nil || !bytes.Equal(key, r.key) {
				break
			}
			newest, err := t.copies(m, r.next)
			if err != nil {
				return err
			}
			m = newest
		}
		if err := t.message(m, key); err != nil {
			return err
		}
	}
	return nil
}

// copies decides between two records of one message.
func (t *talk) copies(a, b *kept) (newest *kept, err error) {
	older, newer := a, b
	if a.Newest > b.Newest {
		older, newer = b, a
	}
	newer.Received = a.Received || b.Received
	was, err := encode(older.M)
	if err != nil {
		return nil, err
	}
	is, err := encode(newer.M)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(was, is) {
		t.in.report.count(OfMessage, Merged, copySame, 1)
		return newer, nil
	}
	return newer, t.in.report.add(Line{Kind: OfMessage, Outcome: Merged, Why: copyDiffers, Conv: t.conv.String(), ID: older.M.ID.String(), Client: older.M.Sender, At: older.At, Raw: was})
}

// message numbers and writes one.
func (t *talk) message(k *kept, key []byte) error {
	m, report := &k.M, t.in.report
	if t.again[reKey(key)] {
		was := m.ID
		m.ID = skein.NamedID(t.o.Name, t.conv.String(), was.String()+string(key[24:]))
		if err := report.add(Line{Kind: OfMessage, Outcome: Changed, Why: idTwice, Detail: "now " + m.ID.String(), Conv: t.conv.String(), ID: was.String(), Client: m.Sender, At: k.At}); err != nil {
			return err
		}
	}
	m.Seq = t.seq + 1
	if err := t.w.Message(*m); err != nil {
		if _, ok := errors.AsType[*skein.Fault](err); !ok {
			return err
		}
		raw, _ := encode(*m)
		return report.add(Line{Kind: OfMessage, Outcome: Refused, Why: writerNo, Detail: err.Error(), Conv: t.conv.String(), ID: m.ID.String(), Client: m.Sender, At: k.At, Raw: raw})
	}
	t.seq++
	report.out[OfMessage]++
	if t.written++; t.o.Progress != nil && t.written%4096 == 0 {
		t.o.Progress("written", t.written)
	}
	if m.Created < t.created {
		report.count(OfMessage, Noted, beforeConv, 1)
	}
	t.positions(k)
	for _, id := range m.Mentions {
		if err := t.in.people.saw(id, m.Created); err != nil {
			return err
		}
	}
	return t.in.people.saw(m.Sender, m.Created)
}

// positions notes what a message tells of its sender and its receiver.
func (t *talk) positions(k *kept) {
	sender := t.members[k.M.Sender]
	if sender != nil {
		sender.SentSeq = t.seq
	} else {
		t.in.report.count(OfMessage, Noted, notMember, 1)
	}
	if !k.Received {
		return
	}
	if len(t.members) != 2 || sender == nil {
		t.in.report.count(OfMessage, Noted, groupReceipt, 1)
		return
	}
	for _, m := range t.members {
		if m != sender {
			m.ReceivedSeq = t.seq
		}
	}
}

// reKey is the place of a message, of its key in messages: as placeOf has it.
func reKey(key []byte) string {
	return string(key[24:32]) + string(key[8:24]) + string(key[32:])
}

// finish adds up, and writes app.json and the last line of the report.
func (in *Input) finish(o Options, w *portable.Writer) (Summary, error) {
	for _, id := range sortedIDs(in.skipped) {
		if err := in.report.line(in.skipped[id]); err != nil {
			return Summary{}, err
		}
	}
	r := in.report
	if extra := r.out[OfClient] - (r.in[OfClient] - r.left(OfClient, Refused)); extra > 0 {
		r.count(OfClient, Made, clientMade, extra)
	} else if extra < 0 {
		r.count(OfClient, Merged, clientMerged, -extra)
	}
	sum, err := r.summary()
	if err != nil {
		return sum, err
	}
	sum.Facts, sum.Refused, sum.Relaxed = o.Facts, in.people.refused(), in.people.relaxed
	sum.Renamed = int64(len(in.people.renamed))
	if err := r.write(sum); err != nil {
		return sum, err
	}
	return sum, w.App(portable.App{ID: o.App, Settings: portable.Settings{RelaxedClientIDs: sum.Relaxed}})
}

// What the report says of clients.
const (
	clientMade   = "appears in conversations or messages alone"
	clientMerged = "the same as another client"
)
