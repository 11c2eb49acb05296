// Package config has the settings of the server, reads them from flags, environment
// and file, and checks them. It imports nothing else of the server.
//
// A setting has one name in three places: the flag --public-url, the environment
// variable SKEIN_PUBLIC_URL and the key public-url of the file that --config
// names. Flag beats environment beats file; an empty variable is none.
package config

import (
	"log/slog"
	"net/netip"
	"strings"
	"time"
	_ "time/tzdata" // --timezone works on machines without a zone database
)

// Store says where apps, clients and messages are kept. Every command that works on
// them embeds it, and thereby reads environment and file.
type Store struct {
	Config        string `group:"settings" placeholder:"FILE" help:"Read these settings from a YAML file; the keys are the flag names without the dashes."`
	Data          string `group:"settings" default:"./data" placeholder:"DIR" help:"Directory that holds the store and the uploads. It is created with mode 0700."`
	Database      string `group:"settings" default:"sqlite" placeholder:"URL" help:"Database that holds everything but the uploads: sqlite, in --data, or postgres://user:password@host/database. Pass a password in SKEIN_DATABASE or the file, where other users of the machine do not see it."`
	SecretKeyFile string `group:"settings" placeholder:"FILE" help:"File with the keys that encrypt secrets in the store: one a line, 32 bytes in base64, the newest last (skein secrets key prints one). Every node and every command needs it. Default: secrets are stored as they are."`

	Uploads string `group:"settings" placeholder:"DIR|URL" help:"Directory of the uploads, or s3://bucket/prefix?endpoint=https://host&region=REGION. Default: uploads in --data. Several nodes need one that all of them reach; the embedded store keeps its uploads in --data. The credentials of S3 come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, from AWS_SHARED_CREDENTIALS_FILE, or from the role of the machine."`
}

// Calls configures calls to addresses that apps gave, by servers and by commands.
type Calls struct {
	OutboundAllow []string `group:"settings" sep:"," placeholder:"CIDR,…" help:"Networks outside the public internet that webhooks and other calls to addresses of an app may reach, such as 10.1.0.0/16. Default: none."`
}

// Serve is the configuration of a server.
type Serve struct {
	Store
	Limits
	Edge
	TLS
	Traces
	OIDC
	Calls

	Dev            bool          `group:"settings" help:"Create the demo app 666666 (app key master) and its clients. It needs no token, so --dev works on loopback addresses only."`
	Addr           string        `group:"settings" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address that serves REST, sockets, files and the chat page."`
	AdminAddr      string        `group:"settings" default:"127.0.0.1:9090" placeholder:"HOST:PORT" help:"Address that serves /metrics and /debug/pprof. Keep it private."`
	Bus            string        `group:"settings" default:"in-process" placeholder:"URL" help:"Bus that carries events between nodes: in-process for a single node, nats://USER:PASSWORD@HOST:4222,… or tls://…, or nats://embedded?listen=HOST:6222&peers=HOST:6222,…&token=TEXT for a NATS server in this process. Several nodes need --database."`
	Node           string        `group:"settings" placeholder:"NAME" help:"Name of this node, such as n1: login.success tells it to clients, and every line of the log has it. If unset: none."`
	PublicURL      string        `group:"settings" name:"public-url" placeholder:"URL" help:"URL under which clients reach the server, with the proxy's path if it has one. File links begin with it. If unset: the URL that a trusted proxy sends, or the listen address."`
	TrustedProxies []string      `group:"settings" sep:"," placeholder:"CIDR,…" help:"Addresses of the proxies whose X-Forwarded-For, -Proto, -Host and -Prefix headers the server believes. Default: none."`
	ProxyProtocol  bool          `group:"settings" help:"Expect a PROXY protocol header, version 2, at the start of each connection from a trusted proxy."`
	Drain          time.Duration `group:"settings" default:"10s" placeholder:"TIME" help:"Time over which the server closes its sockets after SIGTERM; 0s closes them at once."`
	Patience       time.Duration `group:"settings" default:"30s" placeholder:"TIME" help:"Time for which the server keeps its sockets after it lost the database. Then it closes them with 1012, so that clients go to another node."`
	CacheMiB       int           `group:"settings" name:"cache-mib" default:"128" placeholder:"MIB" help:"Memory, in MiB, for the cache of members, newest messages and clients; 0 turns the cache off."`
	UnnamedFiles   time.Duration `group:"settings" default:"24h" placeholder:"TIME" help:"Time after which the server deletes an upload that no message, conversation or user refers to."`
	Timezone       string        `group:"settings" default:"UTC" placeholder:"ZONE" help:"Time zone of ctime and mtime of conversations, such as Asia/Shanghai."`
	AllowOpenApps  bool          `group:"settings" help:"Serve apps without token authentication also on public addresses, behind proxies and under any host name."`
	Language       string        `group:"settings" default:"zh" enum:"zh,en" placeholder:"zh|en" help:"Language of error texts for callers that ask for none (Accept-Language, or lang at login): zh or en."`
	LogLevel       string        `group:"settings" default:"info" enum:"debug,info,warn,error" placeholder:"LEVEL" help:"Lowest level to log: debug, info, warn or error."`
	LogFormat      string        `group:"settings" default:"text" enum:"text,json" placeholder:"FORMAT" help:"Format of the log: text or json."`
}

// Limits hold for all apps. Where an app has a setting of its own, that one wins.
type Limits struct {
	MaxBodyKiB        int `group:"settings" name:"max-body-kib" default:"256" placeholder:"KIB" help:"Largest socket message and REST body, in KiB; uploads are not counted."`
	MaxMembers        int `group:"settings" default:"10000" placeholder:"N" help:"Most members of a group."`
	MaxConversations  int `group:"settings" default:"10000" placeholder:"N" help:"Most conversations of a client."`
	SendRate          int `group:"settings" default:"20" placeholder:"N" help:"Messages that a client may send a second; -1 is no limit."`
	SendBurst         int `group:"settings" default:"60" placeholder:"N" help:"Messages that a client may send at once before --send-rate holds."`
	RESTRate          int `group:"settings" name:"rest-rate" default:"500" placeholder:"N" help:"REST calls a second, for each app key and for each client; -1 is no limit."`
	LoginRate         int `group:"settings" default:"10" placeholder:"N" help:"Failed logins a minute, for each client from one address; -1 is no limit."`
	SocketsPerAddress int `group:"settings" default:"0" placeholder:"N" help:"Open sockets of one address (IPv6: of one /64); 0 is 1,000, and no limit with --dev; -1 is no limit."`
}

// Level is LogLevel as a slog.Level.
func (s Serve) Level() slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return slog.LevelInfo
	}
	return level
}

// Location is Timezone as a time.Location; UTC if Validate would refuse it.
func (s Serve) Location() *time.Location {
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Proxies are TrustedProxies as prefixes, without those that Validate would refuse.
func (s Serve) Proxies() []netip.Prefix { return networks(s.TrustedProxies) }

// Outbound are OutboundAllow as prefixes, without those that Validate would refuse.
func (c Calls) Outbound() []netip.Prefix { return networks(c.OutboundAllow) }

// networks are the texts that parseNetwork can read.
func networks(texts []string) (all []netip.Prefix) {
	for _, text := range texts {
		if p, err := parseNetwork(text); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// parseNetwork reads a CIDR or a single address.
func parseNetwork(text string) (netip.Prefix, error) {
	text = strings.TrimSpace(text)
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(a.Unmap().WithZone(""), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, err
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}
