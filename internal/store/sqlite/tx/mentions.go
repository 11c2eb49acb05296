package tx

import (
	"github.com/skein-im/skein"
)

// everyone is the client_id of a mention of all.
const everyone = ""

// NoteMentions records the mentions of a new message. Whether the clients are members is
// checked when they read.
func (g *Group) NoteMentions(conv, seq int64, all bool, clients []string) error {
	if all {
		if err := g.mention(conv, seq, everyone); err != nil {
			return err
		}
	}
	for _, client := range clients {
		if client == everyone {
			continue
		}
		if err := g.mention(conv, seq, client); err != nil {
			return err
		}
	}
	return nil
}

func (g *Group) mention(conv, seq int64, client string) error {
	return g.Exec(`INSERT INTO mentions (conv_key, client_id, seq) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`,
		conv, client, seq)
}

// RenewMentions replaces the mentions of an edited message.
func (g *Group) RenewMentions(conv, seq int64, b skein.Body) error {
	if err := g.ForgetMentions(conv, seq); err != nil {
		return err
	}
	return g.NoteMentions(conv, seq, b.MentionAll, b.Mentions)
}

// ForgetMentions removes the mentions of a message.
func (g *Group) ForgetMentions(conv, seq int64) error {
	return g.Exec(`DELETE FROM mentions WHERE conv_key = ?1 AND seq = ?2`, conv, seq)
}
