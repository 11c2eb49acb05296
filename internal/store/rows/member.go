package rows

import "github.com/skein-im/skein"

// HoldMember is after with the fields that a change may not touch taken from before.
// Positions do not run back and do not pass lastSeq.
func HoldMember(before, after skein.Member, lastSeq int64) skein.Member {
	after.Client, after.Joined, after.JoinSeq, after.SentSeq = before.Client, before.Joined, before.JoinSeq, before.SentSeq
	after.ReadSeq = forward(before.ReadSeq, after.ReadSeq, lastSeq)
	after.ReceivedSeq = forward(before.ReceivedSeq, after.ReceivedSeq, lastSeq)
	after.ClearedSeq = forward(before.ClearedSeq, after.ClearedSeq, lastSeq)
	return after
}

// forward is the position to, but neither before from nor past the end.
func forward(from, to, end int64) int64 { return max(from, min(to, end)) }

// SeenByAll reports whether the other members can see the change of a member: its role,
// nickname or mute.
func SeenByAll(before, after skein.Member) bool {
	return after.Role != before.Role || after.Nickname != before.Nickname || after.MutedUntil != before.MutedUntil
}

// Distinct is members without repeated clients; the first of each stays.
func Distinct(members []skein.Member) (once []skein.Member) {
	seen := make(map[string]bool, len(members))
	for _, m := range members {
		if !seen[m.Client] {
			seen[m.Client] = true
			once = append(once, m)
		}
	}
	return once
}

// Pair is the two clients of a private conversation in the order in which they are stored.
func Pair(a, b string) (first, second string) { return min(a, b), max(a, b) }
