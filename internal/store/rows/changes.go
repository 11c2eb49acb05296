package rows

import "github.com/skein-im/skein"

// Decided is the change that a decision of ChangeMessage allows; other fields of the decision
// are ignored.
func Decided(d skein.Change, by, emoji string) skein.Change {
	c := skein.Change{Kind: d.Kind, By: by, At: d.At, Message: d.Message}
	switch c.Kind {
	case skein.ChangeReact:
		c.Emoji, c.On = emoji, d.On
	case skein.ChangePin:
		c.On = d.On
	}
	return c
}
