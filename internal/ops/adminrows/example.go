package adminrows

import (
	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/wire/adminapi"
)

// then is the moment of the examples.
const then skein.Millis = 1790000000000

// exampleLife is how long the tokens of the examples live.
const exampleLife = adminapi.DefaultTokenLife

func exampleOwner() adminapi.Account {
	return adminapi.AccountOf(skein.OperatorAccount{
		Name: "ann", Roles: []skein.OperatorIn{{Role: skein.OperatorOwner}}, Created: then,
		Tokens: []skein.OperatorToken{{Name: "laptop", Created: then, Expires: then.Add(exampleLife)}},
	}, then)
}

func exampleBob() adminapi.Account {
	return adminapi.AccountOf(skein.OperatorAccount{
		Name: "bob", Roles: []skein.OperatorIn{{Role: skein.OperatorReadOnly}, {App: "shop", Role: skein.OperatorAdmin}}, Created: then,
		Tokens: []skein.OperatorToken{{Name: "ci", Created: then, Expires: then.Add(exampleLife)}},
	}, then)
}

func exampleToken(operator, name string) adminapi.IssuedToken {
	return adminapi.IssuedToken{Name: operator, TokenName: name, Token: "sko_EXAMPLEEXAMPLEEXAMPLEEXAMPLEEX", Expires: int64(then.Add(exampleLife))} //nolint:gosec // an example
}

func exampleDeed() skein.Deed {
	d := skein.Deed{
		Seq: 2, At: then, Operator: "ann", Token: "laptop", Addr: "10.0.0.7", RequestID: "7f3e", Op: "operator.create", Target: "bob",
		After: []byte(`{"roles":[{"app_id":"","role":"read-only"}],"tokens":[{"token_name":"ci","expires":1797776000000}]}`),
	}
	d.Hash = d.Sum([32]byte{})
	return d
}
