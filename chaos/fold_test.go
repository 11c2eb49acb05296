package chaos

import (
	"reflect"
	"slices"
)

// maxNamed is how many clients a reaction names.
const maxNamed = 10

// fold is what a log of changes makes of a message.
type fold struct {
	version int
	change  int64
	status  int
	pin     int
	reacted map[string][]string
}

func foldOf(id string, changes []change) fold {
	f := fold{version: 1, status: statusNormal, reacted: map[string][]string{}}
	for _, ch := range changes {
		if ch.MsgID != id || ch.Kind == "delete" {
			continue
		}
		f.change = ch.Seq
		switch ch.Kind {
		case "edit":
			f.version++
		case "pin":
			f.pin = ch.On
		case "recall":
			f.status, f.pin, f.reacted = statusRecalled, 0, map[string][]string{}
		case "react":
			f.react(ch)
		}
	}
	return f
}

func (f *fold) react(ch change) {
	have := f.reacted[ch.Emoji]
	if ch.On == 1 {
		f.reacted[ch.Emoji] = append(have, ch.Client)
		return
	}
	have = slices.DeleteFunc(slices.Clone(have), func(c string) bool { return c == ch.Client })
	if f.reacted[ch.Emoji] = have; len(have) == 0 {
		delete(f.reacted, ch.Emoji)
	}
}

// checkFold holds each message against what its changes made of it.
func (c *checker) checkFold(conv string, truth *event) {
	byMessage := map[string][]change{}
	for _, ch := range truth.Changes {
		byMessage[ch.MsgID] = append(byMessage[ch.MsgID], ch)
	}
	for _, m := range truth.Messages {
		want := foldOf(m.ID, byMessage[m.ID])
		if m.Status == statusRecalled && m.Text != "" {
			c.breach(recalled, "%s: seq %d is recalled and reads %q", conv, m.Seq, m.Text)
		}
		reacted := map[string][]string{}
		counted := true
		for _, r := range m.Reactions {
			reacted[r.Emoji] = r.Clients
			counted = counted && r.Count == len(want.reacted[r.Emoji])
		}
		for emoji, clients := range want.reacted {
			want.reacted[emoji] = clients[:min(len(clients), maxNamed)]
		}
		got := fold{version: m.Version, change: m.Change, status: m.Status, pin: m.Pin, reacted: reacted}
		if !counted || !reflect.DeepEqual(got, want) {
			c.breach(logged, "%s: seq %d is %+v, its changes make it %+v", conv, m.Seq, got, want)
		}
	}
}
