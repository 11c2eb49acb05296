package rows

import (
	"encoding/json"
	"fmt"

	"github.com/skein-im/skein"
)

// Bits of a message's column flags.
const (
	FlagMentionAll = 1 << iota
	FlagNoSync
	FlagServer   // sent with the server role
	_            // no longer used: a former holder of the sender's id sent it
	FlagImported // not in the feed
)

// FlagsOf is the value of column flags for a draft.
func FlagsOf(d skein.Draft) int {
	flags := MentionAllFlag(d.Body)
	if d.NoSync {
		flags |= FlagNoSync
	}
	if d.Need == skein.NeedServer {
		flags |= FlagServer
	}
	return flags
}

// MentionAllFlag is the only flag that an edit may change.
func MentionAllFlag(b skein.Body) int {
	if b.MentionAll {
		return FlagMentionAll
	}
	return 0
}

// MentionsJSON is a list of client ids as it is stored; nil: none.
func MentionsJSON(ids []string) []byte {
	if len(ids) == 0 {
		return nil
	}
	list, _ := json.Marshal(ids) //nolint:errchkjson // a list of texts
	return list
}

// DecodeMentions reads the list that MentionsJSON wrote. A list that cannot be decoded is
// dropped, so that the message stays readable.
func DecodeMentions(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	var ids []string
	if err := json.Unmarshal(text, &ids); err != nil {
		return nil
	}
	return ids
}

// EncodeReactions is the column of the summary; nil: none.
func EncodeReactions(list []skein.Reaction) ([]byte, error) {
	if len(list) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(list) //nolint:musttag // the domain has no tags; TestStoredReactions holds the names
	if err != nil {
		return nil, fmt.Errorf("encode reactions: %w", err)
	}
	return text, nil
}

// DecodeReactions reads the summary of a message's reactions. A summary that cannot be decoded
// is dropped, so that the message stays readable.
func DecodeReactions(text []byte) []skein.Reaction {
	if len(text) == 0 {
		return nil
	}
	var list []skein.Reaction
	if err := json.Unmarshal(text, &list); err != nil { //nolint:musttag // as above
		return nil
	}
	return list
}

// PeriodOf is the period of 1,024 ms that a time falls in. The index of conversations by
// activity holds only the period, so most messages to a busy conversation do not move its
// entry. A listing sorts the conversations within a period.
func PeriodOf(at skein.Millis) int64 { return int64(at) >> 10 }

// MaySend reports whether a client meets need and is not muted. A client that is no member
// has member false.
func MaySend(member bool, role skein.Role, mutedUntil skein.Millis, need skein.Need, muteAll bool, now skein.Millis) bool {
	if !member {
		return need.Met(false, skein.RoleMember) && !muteAll
	}
	return need.Met(true, role) && !skein.Silenced(role, mutedUntil, muteAll, now)
}

// ArrivalDays is how long a conversation waits for the rest of its import.
const ArrivalDays = 7

// DepartureDays is how long a store remembers that a client left a conversation. A sync cursor
// that is older begins anew.
const DepartureDays = 90
