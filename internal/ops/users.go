package ops

import (
	"context"

	"github.com/skein-im/skein"
	"github.com/skein-im/skein/internal/access"
	"github.com/skein-im/skein/internal/chat"
	"github.com/skein-im/skein/internal/wire"
	"github.com/skein-im/skein/internal/wire/request"
	"github.com/skein-im/skein/internal/wire/strict"
)

func userOps(d Deps) []*Op {
	return []*Op{
		row(Op{
			Name: "user.create", Method: "POST", Path: "/im/users", Need: skein.NeedServer,
			Doc: Doc{
				"Registers a user. If the user exists with the same ext, the call answers that user; with another ext it is a conflict (4013).",
				"注册用户。以相同 ext 重复注册返回原用户；ext 不同则冲突。",
			},
			Answer: wire.User{},
		}, func(ctx context.Context, by skein.Actor, in request.CreateUser) (any, error) {
			if err := checkID(by, "client_id", in.ClientID); err != nil {
				return nil, err
			}
			ext, err := request.Extension("ext", in.Ext)
			if err != nil {
				return nil, err
			}
			c, err := d.Chat.CreateUser(ctx, by, string(in.ClientID), ext)
			return d.user(by, c), err
		}),
		row(Op{
			Name: "user.import", Method: "POST", Path: "/im/users/import", Need: skein.NeedServer,
			Doc: Doc{
				"Registers up to 500 users, each as user.create does. The answer says of each whether it was created, existed or was refused, and why; one that is refused keeps no other from being registered. After an error of the whole call some may have been registered: the same call may be made again.",
				"批量注册最多 500 个用户，每个用户的规则同 user.create。返回每个用户的结果：已注册、已存在或被拒及原因；某个用户被拒不影响其他用户。整个调用出错时部分用户可能已注册，可用相同参数重试。",
			},
			Answer: wire.ImportAnswer{},
		}, func(ctx context.Context, by skein.Actor, in request.ImportUsers) (any, error) {
			return importUsers(ctx, by, in, d)
		}),
		row(Op{
			Name: "user.list", Method: "GET", Path: "/im/users", Need: skein.NeedServer,
			Doc:    Doc{"The users of the app in order of creation.", "按注册顺序列出用户。"},
			Answer: wire.Page[wire.User]{},
		}, func(ctx context.Context, by skein.Actor, in request.ListUsers) (any, error) {
			return listUsers(ctx, by, in, d)
		}),
		row(Op{
			Name: "user.get", Method: "GET", Path: "/im/users/{client_id}", Need: skein.NeedClient,
			Doc:    Doc{"One user.", "查询单个用户。"},
			Answer: wire.User{},
		}, func(ctx context.Context, by skein.Actor, in request.User) (any, error) {
			if err := checkID(by, "client_id", in.ClientID); err != nil {
				return nil, err
			}
			c, err := d.Chat.User(ctx, by, string(in.ClientID))
			return d.user(by, c), err
		}),
		row(Op{
			Name: "user.get_many", Method: "POST", Path: "/im/users/get_many", Need: skein.NeedClient,
			Doc: Doc{
				"Many users in one call, such as those of a list of conversations: what user.get answers of each. One that is not there is named in unknown.",
				"一次查询多个用户，例如会话列表中的对方：每个用户的内容同 user.get，不存在的列在 unknown 中。",
			},
			Answer: wire.Users{},
		}, func(ctx context.Context, by skein.Actor, in request.ManyUsers) (any, error) {
			ids, err := in.Clients(by.App.Settings.RelaxedClientIDs)
			if err != nil {
				return nil, err
			}
			if err := charge(d, by, len(ids), usersAMessage); err != nil {
				return nil, err
			}
			found, unknown, err := d.Chat.UsersNamed(ctx, by, ids)
			users := each(found, func(c skein.Client) wire.User { return d.user(by, c) })
			return wire.Users{Data: users, Unknown: unknown}, err
		}),
		row(Op{
			Name: "user.update", Method: "PUT", Path: "/im/users/{client_id}", Need: skein.NeedSelf, CountsAsSend: true,
			Doc: Doc{
				"Changes a user: ext, which is replaced as a whole, or add_by, which says which clients may add it to groups, temporary conversations and chat rooms. Two clients know each other when both have sent a message to their private conversation, which anyone may begin. The backend may always add. Clients who chose nothing follow the app's setting.",
				"更新用户：ext 整体替换；add_by 指定哪些用户可将其加入群、临时会话与聊天室。双方都在彼此的私聊中发过消息即为认识；任何人都可发起私聊。服务端不受限制。未选择者按应用设置。",
			},
			Answer: wire.User{},
		}, func(ctx context.Context, by skein.Actor, in request.UpdateUser) (any, error) {
			id, err := oneself(by, "client_id", in.ClientID)
			if err != nil {
				return nil, err
			}
			update, err := userUpdate(in)
			if err != nil {
				return nil, err
			}
			c, err := d.Chat.UpdateUser(ctx, by, id, update)
			return d.user(by, c), err
		}),
		row(Op{
			Name: "user.ban", Method: "POST", Path: "/im/users/{client_id}/ban", Need: skein.NeedServer,
			Doc: Doc{"Bans a user and ends its sessions.", "封禁用户并断开其连接。"},
		}, func(ctx context.Context, by skein.Actor, in request.BanUser) (any, error) {
			until, err := in.Term(d.Chat.Now())
			if err != nil {
				return nil, err
			}
			return withUser(by, in.ClientID, func(id string) error { return d.Chat.Ban(ctx, by, id, until, in.Reason) })
		}),
		row(Op{
			Name: "user.unban", Method: "DELETE", Path: "/im/users/{client_id}/ban", Need: skein.NeedServer,
			Doc: Doc{"Ends a ban.", "解除封禁。"},
		}, func(ctx context.Context, by skein.Actor, in request.User) (any, error) {
			return withUser(by, in.ClientID, func(id string) error { return d.Chat.Unban(ctx, by, id) })
		}),
		row(Op{
			Name: "user.logout", Method: "POST", Path: "/im/users/{client_id}/logout", Need: skein.NeedServer,
			Doc: Doc{
				"Ends a user's sessions, on one device or all, and refuses the tokens issued until now. A token whose iat is a whole second counts as issued at the beginning of that second, so a token issued in the second of the logout stays refused. With device_id: tokens for that device (dev) are refused everywhere; tokens without dev are refused on that device and by REST, which names no device, and still log in on other devices. To log out one device alone, give each device its own token.",
				"强制下线：断开一个或全部设备，此前签发的 token 失效。iat 为整秒的 token 视为该秒开始时签发：与下线同一秒签发的仍失效。仅下线一个设备时：绑定该设备（dev）的 token 全部失效；未绑定设备的 token 在该设备上以及 REST 调用中失效，在其他设备上仍可登录。需要精确控制时请为每个设备签发各自的 token。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.LogoutUser) (any, error) {
			device, err := in.Device()
			if err != nil {
				return nil, err
			}
			return withUser(by, in.ClientID, func(id string) error { return d.Chat.Logout(ctx, by, id, device) })
		}),
		row(Op{
			Name: "user.token", Method: "POST", Path: "/im/users/{client_id}/token", Need: skein.NeedServer,
			Doc:    Doc{"Signs a token for a user.", "为用户签发 token。"},
			Answer: wire.Token{},
		}, func(ctx context.Context, by skein.Actor, in request.IssueToken) (any, error) {
			return issueToken(ctx, by, in, d)
		}),
		row(Op{
			Name: "user.delete", Method: "DELETE", Path: "/im/users/{client_id}", Need: skein.NeedServer,
			Doc: Doc{
				"Deletes a user: it leaves its conversations and its sessions end. messages=erase also erases the content of its messages and takes back its reactions to other messages; members who were offline learn of this from changes. Mentions of the user in messages of others stay.",
				"删除用户：退出所有会话并断开连接。messages=erase 同时擦除其消息内容，并撤销其对他人消息的表情回应（离线设备可由 changes 得知）；他人消息中对其的 @ 提及属于他人的内容，予以保留。",
			},
		}, func(ctx context.Context, by skein.Actor, in request.DeleteUser) (any, error) {
			erase, err := in.Erase()
			if err != nil {
				return nil, err
			}
			return withUser(by, in.ClientID, func(id string) error { return d.Chat.DeleteUser(ctx, by, id, erase) })
		}),
	}
}

func (d Deps) user(by skein.Actor, c skein.Client) wire.User {
	return wire.UserOf(c, d.Chat.Now(), d.Zone, by)
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

// withUser runs what needs a user's id alone.
func withUser(by skein.Actor, id strict.ID, do func(string) error) (any, error) {
	if err := checkID(by, "client_id", id); err != nil {
		return nil, err
	}
	return done(do(string(id)))
}

func listUsers(ctx context.Context, by skein.Actor, in request.ListUsers, d Deps) (any, error) {
	place, err := in.Place(request.ConvPageSize, d.seal(by, "user.list"))
	if err != nil {
		return nil, err
	}
	ids, err := in.IDs()
	if err != nil {
		return nil, err
	}
	page, err := d.Chat.Users(ctx, by, skein.ClientQuery{
		IDs: ids, Offset: place.Offset(), Limit: place.Size, After: place.After,
	})
	if err != nil {
		return nil, err
	}
	items := each(page.Clients, func(c skein.Client) wire.User { return d.user(by, c) })
	return wire.NewPage(place, items, page.Total, page.Next), nil
}

// importUsers registers those users that can be read, and says what became of each.
func importUsers(ctx context.Context, by skein.Actor, in request.ImportUsers, d Deps) (any, error) {
	if len(in.Users) == 0 {
		return nil, skein.Malformed("users", "must not be empty")
	}
	if len(in.Users) > request.MaxImported {
		return nil, skein.Malformed("users", "at most 500")
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
		return nil, err
	}
	lang := wire.Chinese
	if by.English {
		lang = wire.English
	}
	var answer wire.ImportAnswer
	for i, u := range in.Users {
		if refused[i] != nil {
			answer.Add(u.ClientID, false, refused[i], lang)
			continue
		}
		answer.Add(u.ClientID, results[0].Created, results[0].Err, lang)
		results = results[1:]
	}
	return answer, nil
}

func issueToken(ctx context.Context, by skein.Actor, in request.IssueToken, d Deps) (any, error) {
	if err := checkID(by, "client_id", in.ClientID); err != nil {
		return nil, err
	}
	grant, err := in.Terms()
	if err != nil {
		return nil, err
	}
	holder, err := d.Chat.TokenHolder(ctx, by, string(in.ClientID))
	if err != nil {
		return nil, err
	}
	token, expires, err := access.Mint(*by.App, access.Grant{
		Client: holder.ID, Device: grant.Device, Actions: grant.Actions, TTL: grant.TTL,
	}, d.Chat.Now().Time(), holder.LastCut())
	return wire.Token{Token: token, Expires: int64(expires)}, err
}
