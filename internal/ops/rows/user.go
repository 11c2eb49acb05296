package rows

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/ops"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
)

// The ops on users.
const (
	UserCreate  ops.Call[request.CreateUser, wire.User]           = "user.create"
	UserImport  ops.Call[request.ImportUsers, wire.ImportAnswer]  = "user.import"
	UserList    ops.Call[request.ListUsers, wire.Page[wire.User]] = "user.list"
	UserGet     ops.Call[request.User, wire.User]                 = "user.get"
	UserGetMany ops.Call[request.ManyUsers, wire.Users]           = "user.get_many"
	UserUpdate  ops.Call[request.UpdateUser, wire.User]           = "user.update"
	UserBan     ops.Call[request.BanUser, ops.Done]               = "user.ban"
	UserUnban   ops.Call[request.User, ops.Done]                  = "user.unban"
	UserLogout  ops.Call[request.LogoutUser, ops.Done]            = "user.logout"
	UserToken   ops.Call[request.IssueToken, wire.Token]          = "user.token"
	UserDelete  ops.Call[request.DeleteUser, ops.Done]            = "user.delete"
)

const (
	usersPath = "/im/users"
	userPath  = usersPath + "/{client_id}"
)

func userOps(d Deps) []*ops.Op {
	return []*ops.Op{
		ops.Row(UserCreate, ops.Op{
			Method: "POST", Path: usersPath, Need: skein.NeedServer, Codes: []int{212, 4001, 4013, 4406},
			Doc: ops.Doc{
				EN: "Registers a user. If the user exists with the same ext, the call returns that user; with a different ext it fails with 4013.",
				ZH: "注册用户。用户已存在且 ext 相同时，返回该用户；ext 不同时返回 4013。",
			},
		}, d.createUser, func() (string, wire.User) {
			return `{"client_id":"Mary","ext":{"nickname":"May"}}`, mary("May", 0)
		}),
		ops.Row(UserImport, ops.Op{
			Method: "POST", Path: usersPath + "/import", Need: skein.NeedServer, Codes: []int{4001, 4130, 4406},
			Doc: ops.Doc{
				EN: "Registers up to 500 users; the rules for each are those of user.create. The answer says for each user whether it was created, existed already or was refused, and why. A refused user does not stop the others. If the whole call fails, some users may have been registered; repeat the same call.",
				ZH: "批量注册用户，一次最多 500 个，每个用户的规则同 user.create。返回每个用户的结果：已注册、已存在，或被拒绝及原因；某个用户被拒绝不影响其他用户。整个调用失败时，部分用户可能已经注册，请用相同参数重试。",
			},
		}, d.importUsers, func() (string, wire.ImportAnswer) {
			var a wire.ImportAnswer
			a.Add("Ann", true, nil, wire.English)
			a.Add("Bob", true, nil, wire.English)
			a.Add("no spaces", false, skein.About(skein.ErrInvalidClientID, "client_id"), wire.English)
			return `{"users":[{"client_id":"Ann","ext":{"nickname":"A"}},{"client_id":"Bob"},{"client_id":"no spaces"}]}`, a
		}),
		ops.Row(UserList, ops.Op{
			Method: "GET", Path: usersPath, Need: skein.NeedServer, Codes: []int{4406},
			Doc: ops.Doc{
				EN: "Lists the users of the app in the order in which they were registered.",
				ZH: "按注册顺序列出应用的用户。",
			},
		}, d.listUsers, func() (string, wire.Page[wire.User]) {
			return `{"where":[["client_id","in",["Mary","Nobody"]]],"page":1,"size":20}`,
				wire.NewPage(firstPage(20), []wire.User{mary("May", 0)}, 1, skein.Cursor{})
		}),
		ops.Row(UserGet, ops.Op{
			Method: "GET", Path: userPath, Need: skein.NeedClient, Codes: []int{211, 212},
			Doc: ops.Doc{EN: "Returns one user.", ZH: "查询单个用户。"},
		}, func(ctx context.Context, by skein.Actor, in request.User) (wire.User, error) {
			if err := checkID(by, "client_id", in.ClientID); err != nil {
				return wire.User{}, err
			}
			c, err := d.Chat.User(ctx, by, string(in.ClientID))
			return d.user(by, c), err
		}, func() (string, wire.User) { return `{"client_id":"Mary"}`, mary("May", 0) }),
		ops.Row(UserGetMany, ops.Op{
			Method: "POST", Path: usersPath + "/get_many", Need: skein.NeedClient, Codes: []int{212, 4001, 4406},
			Doc: ops.Doc{
				EN: "Returns many users in one call, for example those that a list of conversations shows. Each is as user.get returns it. Ids of users that do not exist are listed in unknown.",
				ZH: "一次查询多个用户，例如会话列表中显示的用户。每个用户的内容同 user.get；不存在的用户 id 列在 unknown 中。",
			},
		}, d.manyUsers, func() (string, wire.Users) {
			return `{"client_ids":["Tom","Nobody","Jerry"]}`, wire.Users{
				Data:    []wire.User{exampleUser(userCalled("Tom")), exampleUser(userCalled("Jerry"))},
				Unknown: []string{"Nobody"},
			}
		}),
		ops.Row(UserUpdate, ops.Op{
			Method: "PUT", Path: userPath, Need: skein.NeedSelf, Policy: ops.Policy{Messages: 1}, Codes: []int{211, 212, 4001, 4406},
			Doc: ops.Doc{
				EN: "Updates a user: ext, which is replaced as a whole, and add_by, which says which clients may add the user to groups, temporary conversations and chat rooms. Two clients know each other once both have sent a message in their private conversation; anyone may start a private conversation. add_by does not limit the backend. While a user has not set add_by, the setting of the app applies.",
				ZH: "更新用户。ext 整体替换；add_by 指定哪些用户可以将其加入群、临时会话和聊天室。双方都在彼此的私聊中发过消息，即视为互相认识；任何人都可以发起私聊。add_by 不限制服务端。用户未设置 add_by 时按应用设置。",
			},
		}, d.updateUser, func() (string, wire.User) {
			return `{"client_id":"Mary","ext":{"nickname":"Mary"}}`, mary("Mary", changed)
		}),
		ops.Row(UserBan, ops.Op{
			Method: "POST", Path: userPath + "/ban", Need: skein.NeedServer, Codes: []int{211, 212, 4406},
			Doc: ops.Doc{EN: "Bans a user and closes all its connections.", ZH: "封禁用户，并断开其全部连接。"},
		}, func(ctx context.Context, by skein.Actor, in request.BanUser) (ops.Done, error) {
			until, err := in.Term(d.Chat.Now())
			if err != nil {
				return ops.Done{}, err
			}
			return withUser(by, in.ClientID, func(id string) error { return d.Chat.Ban(ctx, by, id, until, in.Reason) })
		}, func() (string, ops.Done) {
			return `{"client_id":"Mary","until":` + untilThen + `,"reason":"spam"}`, ops.Done{}
		}),
		ops.Row(UserUnban, ops.Op{
			Method: "DELETE", Path: userPath + "/ban", Need: skein.NeedServer, Codes: []int{211, 212},
			Doc: ops.Doc{EN: "Lifts the ban of a user.", ZH: "解除对用户的封禁。"},
		}, func(ctx context.Context, by skein.Actor, in request.User) (ops.Done, error) {
			return withUser(by, in.ClientID, func(id string) error { return d.Chat.Unban(ctx, by, id) })
		}, func() (string, ops.Done) { return `{"client_id":"Mary"}`, ops.Done{} }),
		ops.Row(UserLogout, ops.Op{
			Method: "POST", Path: userPath + "/logout", Need: skein.NeedServer, Codes: []int{211, 212, 4406},
			Doc: ops.Doc{
				EN: "Closes the connections of a user, on one device or on all, and revokes the tokens that were issued until now. A token whose iat is a whole second counts as issued at the start of that second, so a token issued in the second of the logout is revoked too. With device_id: a token bound to that device (dev) is refused everywhere; a token without dev is refused on that device and by REST, where no device is named, and still logs in on other devices. To log out a single device, issue each device a token of its own.",
				ZH: "强制用户下线：断开其一个或全部设备的连接，并使此前签发的 token 失效。iat 为整秒的 token 视为在该秒开始时签发，因此与下线操作同一秒签发的 token 也会失效。指定 device_id 时：绑定该设备（dev）的 token 在任何地方都失效；未绑定设备的 token 在该设备上以及 REST 调用（不带设备）中失效，在其他设备上仍可登录。需要只下线单个设备时，请为每个设备签发各自的 token。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.LogoutUser) (ops.Done, error) {
			device, err := in.Device()
			if err != nil {
				return ops.Done{}, err
			}
			return withUser(by, in.ClientID, func(id string) error { return d.Chat.Logout(ctx, by, id, device) })
		}, func() (string, ops.Done) { return `{"client_id":"Tom","device_id":"phone1"}`, ops.Done{} }),
		ops.Row(UserToken, ops.Op{
			Method: "POST", Path: userPath + "/token", Need: skein.NeedServer, Codes: []int{211, 212, 4001, 4406},
			Doc: ops.Doc{EN: "Issues a signed token for a user.", ZH: "为用户签发 token。"},
		}, d.issueToken, func() (string, wire.Token) {
			return `{"client_id":"Tom","ttl":86400}`, wire.Token{
				Token: "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." +
					"eyJzdWIiOiJUb20iLCJhcHAiOiI2NjY2NjYiLCJleHAiOjE2MDgyMTI1MTEuNjg2LCJpYXQiOjE2MDgxMjYxMTEuNjg2fQ." +
					"0gm2lAgFxTHN0hp_YkQN-23oiPis_0xfOc1N_-OFoMc",
				Expires: 1608212511686,
			}
		}),
		ops.Row(UserDelete, ops.Op{
			Method: "DELETE", Path: userPath, Need: skein.NeedServer, Codes: []int{211, 212, 4406},
			Doc: ops.Doc{
				EN: "Deletes a user. The user leaves all its conversations, and the server closes its connections. With messages=erase the server also erases the content of the user's messages and removes the user's reactions to messages of others; devices that were offline learn of this from changes. Mentions of the user in messages of others stay.",
				ZH: "删除用户：该用户退出所有会话，连接被断开。messages=erase 时，同时擦除其消息内容，并移除其对他人消息的表情回应；当时离线的设备可通过 changes 得知。他人消息中对该用户的 @ 予以保留。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.DeleteUser) (ops.Done, error) {
			erase, err := in.Erase()
			if err != nil {
				return ops.Done{}, err
			}
			return withUser(by, in.ClientID, func(id string) error {
				_, err := d.Chat.DeleteUser(ctx, by, id, erase)
				return err
			})
		}, func() (string, ops.Done) { return `{"client_id":"Mary","messages":"erase"}`, ops.Done{} }),
	}
}

// user is a user as answered to the caller.
func (d Deps) user(by skein.Actor, c skein.Client) wire.User {
	return wire.UserOf(c, d.Chat.Now(), d.Zone, by)
}

func (d Deps) createUser(ctx context.Context, by skein.Actor, in request.CreateUser) (wire.User, error) {
	if err := checkID(by, "client_id", in.ClientID); err != nil {
		return wire.User{}, err
	}
	ext, err := request.Extension("ext", in.Ext)
	if err != nil {
		return wire.User{}, err
	}
	c, err := d.Chat.CreateUser(ctx, by, string(in.ClientID), ext)
	return d.user(by, c), err
}

func (d Deps) updateUser(ctx context.Context, by skein.Actor, in request.UpdateUser) (wire.User, error) {
	id, err := oneself(by, "client_id", in.ClientID)
	if err != nil {
		return wire.User{}, err
	}
	update, err := userUpdate(in)
	if err != nil {
		return wire.User{}, err
	}
	c, err := d.Chat.UpdateUser(ctx, by, id, update)
	return d.user(by, c), err
}

func userUpdate(in request.UpdateUser) (update chat.UserUpdate, err error) {
	if in.Ext == nil && !in.AddBy.Given {
		return update, skein.Missing("ext")
	}
	if in.Ext != nil {
		ext, err := request.Extension("ext", in.Ext)
		if err != nil {
			return update, err
		}
		update.Ext = new([]byte(ext))
	}
	if in.AddBy.Given {
		choice, err := request.AddBy("add_by", in.AddBy)
		update.AddBy = &choice
		return update, err
	}
	return update, nil
}

func (d Deps) manyUsers(ctx context.Context, by skein.Actor, in request.ManyUsers) (wire.Users, error) {
	ids, err := in.Clients(by.App.Settings.RelaxedClientIDs)
	if err != nil {
		return wire.Users{}, err
	}
	if err := charge(d, by, len(ids), usersAMessage); err != nil {
		return wire.Users{}, err
	}
	found, unknown, err := d.Chat.UsersNamed(ctx, by, ids)
	users := each(found, func(c skein.Client) wire.User { return d.user(by, c) })
	return wire.Users{Data: users, Unknown: unknown}, err
}

func (d Deps) listUsers(ctx context.Context, by skein.Actor, in request.ListUsers) (wire.Page[wire.User], error) {
	paging, err := in.Parse(request.ConvPageSize, d.seal(by, string(UserList)))
	if err != nil {
		return wire.Page[wire.User]{}, err
	}
	ids, err := in.IDs()
	if err != nil {
		return wire.Page[wire.User]{}, err
	}
	page, err := d.Chat.Users(ctx, by, skein.ClientQuery{
		IDs: ids, Offset: paging.Offset(), Limit: paging.Size, After: paging.After,
	})
	items := each(page.Clients, func(c skein.Client) wire.User { return d.user(by, c) })
	return wire.NewPage(paging, items, page.Total, page.Next), err
}

// importUsers registers the users that can be read, and reports on each.
func (d Deps) importUsers(ctx context.Context, by skein.Actor, in request.ImportUsers) (answer wire.ImportAnswer, err error) {
	if err := in.Check(); err != nil {
		return answer, err
	}
	refused := make([]error, len(in.Users))
	var clients []skein.Client
	for i, u := range in.Users {
		ext, err := u.Check(by.App.Settings.RelaxedClientIDs)
		if refused[i] = err; err == nil {
			clients = append(clients, skein.Client{ID: string(u.ClientID), Ext: ext})
		}
	}
	results, err := d.Chat.ImportUsers(ctx, by, clients)
	if err != nil {
		return answer, err
	}
	for i, u := range in.Users {
		if refused[i] != nil {
			answer.Add(u.ClientID, false, refused[i], langOf(by))
			continue
		}
		answer.Add(u.ClientID, results[0].Created, results[0].Err, langOf(by))
		results = results[1:]
	}
	return answer, nil
}

func (d Deps) issueToken(ctx context.Context, by skein.Actor, in request.IssueToken) (wire.Token, error) {
	if err := checkID(by, "client_id", in.ClientID); err != nil {
		return wire.Token{}, err
	}
	terms, err := in.Terms()
	if err != nil {
		return wire.Token{}, err
	}
	holder, err := d.Chat.TokenHolder(ctx, by, string(in.ClientID))
	if err != nil {
		return wire.Token{}, err
	}
	token, expires, err := access.Mint(*by.App, access.Grant{
		Client: holder.ID, Device: terms.Device, Actions: terms.Actions, TTL: terms.TTL,
	}, d.Chat.Now().Time(), holder.LastCut())
	return wire.Token{Token: token, Expires: int64(expires)}, err
}
