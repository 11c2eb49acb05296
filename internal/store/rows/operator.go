package rows

import (
	"encoding/json"
	"fmt"

	"github.com/skein-im/skein"
)

// Operator holds the columns of an operator that are JSON.
type Operator struct{ Roles, Tokens []byte }

// roleRecord is one role of an operator as stored.
type roleRecord struct {
	App  string             `json:"app"`
	Role skein.OperatorRole `json:"role"`
}

// tokenRecord is one token of an operator as stored.
type tokenRecord struct {
	Name    string       `json:"name"`
	Hash    []byte       `json:"sha256"`
	Created skein.Millis `json:"created"`
	Expires skein.Millis `json:"expires"`
}

// EncodeOperator makes the columns that are JSON.
func EncodeOperator(o skein.OperatorAccount) (row Operator, err error) {
	roles, tokens := make([]roleRecord, 0, len(o.Roles)), make([]tokenRecord, 0, len(o.Tokens))
	for _, r := range o.Roles {
		roles = append(roles, roleRecord{r.App, r.Role})
	}
	for _, t := range o.Tokens {
		tokens = append(tokens, tokenRecord{t.Name, t.Hash[:], t.Created, t.Expires})
	}
	if row.Roles, err = json.Marshal(roles); err != nil {
		return row, fmt.Errorf("encode roles: %w", err)
	}
	if row.Tokens, err = json.Marshal(tokens); err != nil {
		return row, fmt.Errorf("encode tokens: %w", err)
	}
	return row, nil
}

// Decode fills the roles and the tokens of an operator.
func (row Operator) Decode(o *skein.OperatorAccount) error {
	var roles []roleRecord
	if err := json.Unmarshal(row.Roles, &roles); err != nil {
		return fmt.Errorf("decode roles of operator %s: %w", o.Name, err)
	}
	for _, r := range roles {
		o.Roles = append(o.Roles, skein.OperatorIn(r))
	}
	var tokens []tokenRecord
	if err := json.Unmarshal(row.Tokens, &tokens); err != nil {
		return fmt.Errorf("decode tokens of operator %s: %w", o.Name, err)
	}
	for _, t := range tokens {
		token := skein.OperatorToken{Name: t.Name, Created: t.Created, Expires: t.Expires}
		copy(token.Hash[:], t.Hash)
		o.Tokens = append(o.Tokens, token)
	}
	return nil
}
