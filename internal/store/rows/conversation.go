package rows

import (
	"reflect"

	"github.com/skein-im/skein"
)

// AlteredConversation is a conversation after change, of which UpdateConversation takes
// Extend, MuteAll, Updated and Active alone; Active never runs back. changed reports whether
// there is anything to write. Errors: those of change.
func AlteredConversation(c skein.Conversation, change func(*skein.Conversation) error) (after skein.Conversation, changed bool, err error) {
	asked := c
	if err := change(&asked); err != nil {
		return skein.Conversation{}, false, err
	}
	after = c
	after.Extend, after.MuteAll, after.Updated = asked.Extend, asked.MuteAll, asked.Updated
	after.Active = max(after.Active, asked.Active)
	return after, !reflect.DeepEqual(after, c), nil
}
