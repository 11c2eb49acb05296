package chaos

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// user is who sits at a device and does one thing after the other.
type user struct {
	device *device
	rng    *rand.Rand
	others []string // clients of the app, to be mentioned
	said   int
}

// deed is one thing a user may do with a conversation; false: there is nothing to
// do it with.
type deed struct {
	weight int
	do     func(u *user, conv string, t convView) (op string, in args, ok bool)
}

var deeds = []deed{
	{45, (*user).send},
	{10, (*user).edit},
	{4, (*user).recall},
	{10, (*user).react},
	{4, (*user).pin},
	{4, (*user).remove},
	{13, (*user).read},
	{4, (*user).received},
	{2, (*user).clear},
	{3, (*user).archive},
}

// emojis are few, so that users meet under the same.
var emojis = []string{"👍", "❤️", "thumbs_up"}

// act goes on until over ends; patience bounds what is under way then.
func (u *user) act(over, patience context.Context) error {
	for {
		if !pause(over, time.Duration(150+u.rng.IntN(700))*time.Millisecond) {
			return nil
		}
		op, in, ok := u.choose()
		if !ok {
			continue
		}
		doubled := 0
		if u.rng.IntN(10) == 0 {
			doubled = 1
		}
		if _, err := u.device.do(patience, op, in, doubled); err != nil {
			return err
		}
	}
}

// convView is a conversation as a user looks at it.
type convView struct {
	last int64
	all  []message // not blank
	mine []message // of those
	role string
}

func (u *user) choose() (op string, in args, ok bool) {
	conv, t, ok := u.look()
	if !ok {
		return "", args{}, false
	}
	total := 0
	for _, d := range deeds {
		total += d.weight
	}
	n := u.rng.IntN(total)
	for _, d := range deeds {
		if n -= d.weight; n < 0 {
			op, in, ok = d.do(u, conv, t)
			in.ConvID = conv
			return op, in, ok
		}
	}
	return "", args{}, false
}

// look picks a conversation.
func (u *user) look() (conv string, t convView, ok bool) {
	d := u.device
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.talks) == 0 {
		return "", t, false
	}
	convs := slices.Sorted(maps.Keys(d.talks))
	conv = convs[u.rng.IntN(len(convs))]
	k := d.talks[conv]
	t.last, t.role = k.last, k.role
	for _, m := range k.held() {
		if m.blank() {
			continue
		}
		t.all = append(t.all, m)
		if m.Sender == d.client {
			t.mine = append(t.mine, m)
		}
	}
	return conv, t, true
}

// one is any of the newest of a list.
func (u *user) one(list []message) (message, bool) {
	if len(list) == 0 {
		return message{}, false
	}
	newest := list[max(0, len(list)-12):]
	return newest[u.rng.IntN(len(newest))], true
}

// words are text that nobody has said before: what is seen can be told from it.
func (u *user) words() string {
	u.said++
	return fmt.Sprintf("%s/%s#%d", u.device.client, u.device.id, u.said)
}

func (u *user) send(_ string, t convView) (string, args, bool) {
	text := u.words()
	in := args{Type: -1, Text: text, ClientMsgID: text}
	switch n := u.rng.IntN(20); {
	case n == 0:
		in.MentionAll = 1
	case n < 6:
		in.Mentions = []string{u.others[u.rng.IntN(len(u.others))]}
	}
	if m, ok := u.one(t.all); ok && u.rng.IntN(5) == 0 {
		in.ReplyTo = m.ID
	}
	return "msg.send", in, true
}

func (u *user) edit(_ string, t convView) (string, args, bool) {
	m, ok := u.one(t.mine)
	in := args{MsgID: m.ID, Text: u.words()}
	if u.rng.IntN(4) == 0 {
		in.Expected = m.Version
	}
	return "msg.edit", in, ok
}

func (u *user) recall(_ string, t convView) (string, args, bool) {
	m, ok := u.one(t.mine)
	return "msg.recall", args{MsgID: m.ID}, ok
}

func (u *user) react(_ string, t convView) (string, args, bool) {
	m, ok := u.one(t.all)
	return "msg.react", args{MsgID: m.ID, Emoji: emojis[u.rng.IntN(len(emojis))], On: u.mostly()}, ok
}

func (u *user) pin(_ string, t convView) (string, args, bool) {
	m, ok := u.one(t.all)
	return "msg.pin", args{MsgID: m.ID, On: u.mostly()}, ok
}

func (u *user) remove(_ string, t convView) (string, args, bool) {
	m, ok := u.one(t.all)
	return "msg.delete", args{MsgID: m.ID}, ok
}

func (u *user) read(_ string, t convView) (string, args, bool) {
	seq := max(0, t.last-int64(u.rng.IntN(4)))
	return "conv.read", args{Seq: &seq}, t.last > 0
}

func (u *user) received(_ string, t convView) (string, args, bool) {
	return "conv.received", args{Seq: &t.last}, t.last > 0
}

func (u *user) clear(_ string, t convView) (string, args, bool) {
	seq := max(0, t.last-int64(u.rng.IntN(6)))
	return "conv.mark", args{ClearToSeq: &seq}, t.last > 0
}

func (u *user) archive(string, convView) (string, args, bool) {
	return "conv.mark", args{Archive: u.mostly()}, true
}

// mostly is 1, and 0 in one of four.
func (u *user) mostly() *int {
	on := 1
	if u.rng.IntN(4) == 0 {
		on = 0
	}
	return &on
}
