package sqlite

import "github.com/skein-im/skein"

// everyone is the client_id of a mention of all.
const everyone = ""

// noteMentions writes down who is mentioned by a message that was just stored.
// Whether they are members is asked when they look.
func (g *group) noteMentions(conv, seq int64, all bool, clients []string) error {
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

func (g *group) mention(conv, seq int64, client string) error {
	return g.exec(`INSERT INTO mentions (conv_key, client_id, seq) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING`,
		conv, client, seq)
}

// renewMentions writes down who is mentioned by a message that was edited.
func (g *group) renewMentions(conv, seq int64, b skein.Body) error {
	if err := g.forgetMentions(conv, seq); err != nil {
		return err
	}
	return g.noteMentions(conv, seq, b.MentionAll, b.Mentions)
}

// forgetMentions takes back what a message mentions: it says nothing any more.
func (g *group) forgetMentions(conv, seq int64) error {
	return g.exec(`DELETE FROM mentions WHERE conv_key = ?1 AND seq = ?2`, conv, seq)
}
