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
	"github.com/skein-im/skein/internal/portable/convert/sorter"
)

// Options are the settings of one conversion.
type Options struct {
	Out    string            // the folder to make
	App    string            // app_id of the folder
	Source string            // the name of the source in the manifest
	Name   string            // a client_id for the source; the creator of conversations without one
	Time   time.Time         // when the source was read; the time of the folder
	Facts  []string          // what is true of each conversion of this source; the report ends with it
	Rename map[string]string // from client ids of the source to the ids that replace them

	// MarkRead marks all messages as read by all members. Otherwise members have read
	// only up to their own last message.
	MarkRead bool

	Memory   int                           // bytes of records that each of a few sorters holds; default 64 MiB
	Progress func(stage string, now int64) // records so far in "read", then in "written"; may be nil
}

// workDir is where records are sorted, in the folder.
const workDir = ".convert"

// Run makes a portable folder of the records that read hands over. Equal records give
// equal bytes. The memory needed does not grow with the number of messages. While it
// sorts, files in Out take about twice the size of the source.
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
	sort := func(name string, share int) *sorter.Sorter { return sorter.New(work, name, o.Memory/share) }
	return &Input{
		ctx: ctx, folder: w, files: map[string]bool{}, report: r, people: newClients(sort("clients", 8), o.Rename), source: o.Name,
		conversations: sort("conversations", 2), standings: sort("standings", 8), ready: sort("ready", 2),
		messages: sort("messages", 1), strays: sort("strays", 4), ids: sort("ids", 2),
		skipped: map[skein.ID]Line{}, progress: o.Progress,
	}
}

// write writes all records to the folder.
func (in *Input) write(ctx context.Context, o Options, w *portable.Writer) error {
	if in.index == nil {
		if err := in.closeConversations(); err != nil {
			return err
		}
	}
	if err := in.adoptStrays(); err != nil {
		return err
	}
	again, err := in.idsUsedAgain()
	if err != nil {
		return err
	}
	from, err := in.messages.Sorted()
	if err != nil {
		return err
	}
	p := &pass{in: in, w: w, o: o, again: again, messages: ahead[kept]{from: from}, pairs: map[[16]byte]bool{}}
	if err := p.messages.advance(); err != nil {
		return errors.Join(err, from.Close())
	}
	err = in.ready.Each(ctx, func(_, value []byte) error {
		g := &gathered{}
		if err := decode(value, g); err != nil {
			return err
		}
		return p.conversation(g)
	})
	if err = errors.Join(err, from.Close()); err != nil {
		return err
	}
	if p.messages.next != nil {
		return errors.New("convert: messages are left over: please report this")
	}
	return in.people.each(ctx, sorter.New(filepath.Join(o.Out, workDir), "byage", o.Memory/8), o.Time.UnixMilli(), func(c portable.Client) error {
		in.report.out[OfClient]++
		return w.Client(c)
	})
}

// adoptStrays makes a conversation for messages whose conversation the source lacks.
func (in *Input) adoptStrays() error {
	var conv skein.ID
	var created int64
	return in.strays.Each(in.ctx, func(key, value []byte) error {
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
			if err := in.store(g); err != nil {
				return err
			}
		}
		moved := bytes.Clone(key)
		binary.BigEndian.PutUint64(moved, uint64(created))
		return in.messages.Add(moved, value)
	})
}

// maxAgain is how many messages at most may have an id that another message has. A sound
// source has none.
const maxAgain = 1_000_000

// idsUsedAgain finds the messages that have the id of an older message. The map has their
// keys as placeOf and reKey return them.
func (in *Input) idsUsedAgain() (map[string]bool, error) {
	again := map[string]bool{}
	var last []byte
	err := in.ids.Each(in.ctx, func(key, _ []byte) error {
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

// placeOf returns where a message is: the part of a key of ids that follows the id.
func placeOf(idKey []byte) string { return string(idKey[16:]) }

// finish counts, and writes app.json and the last line of the report.
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

// Texts of the report about clients.
const (
	clientMade   = "appears only in conversations or messages"
	clientMerged = "the same as another client"
)
