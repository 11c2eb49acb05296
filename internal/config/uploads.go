package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// Bucket is where an S3-compatible server keeps the uploads, read from --uploads.
type Bucket struct {
	Name      string
	Prefix    string // of all keys; empty, or it ends in a slash
	Endpoint  string // host or host:port
	Plain     bool   // http instead of https
	Region    string
	PathStyle bool // the bucket is in the path of a request, not in the host name
}

// String is the bucket for logs and messages.
func (b Bucket) String() string { return "s3://" + b.Name + "/" + b.Prefix }

var (
	bucketName   = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	bucketPrefix = regexp.MustCompile(`^[A-Za-z0-9._/-]{0,200}$`)
	bucketRegion = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)
)

// usualRegion is the region of servers that have no regions.
const usualRegion = "us-east-1"

// BucketOf reads an --uploads that begins with s3://; ok is false for a directory. Its errors
// show no part of the URL that may hold a password.
func BucketOf(uploads string) (b Bucket, ok bool, err error) {
	rest, ok := strings.CutPrefix(uploads, "s3://")
	if !ok {
		return b, false, nil
	}
	rest, query, _ := strings.Cut(rest, "?")
	if strings.ContainsAny(rest, "@:#") {
		return b, true, errors.New("--uploads: s3://bucket/prefix holds no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE")
	}
	name, prefix, _ := strings.Cut(rest, "/")
	if !bucketName.MatchString(name) {
		return b, true, fmt.Errorf("--uploads: %q is not the name of a bucket, in s3://bucket/prefix", name)
	}
	prefix = strings.TrimSuffix(prefix, "/")
	if !bucketPrefix.MatchString(prefix) || strings.HasPrefix(prefix, "/") || strings.Contains(prefix, "//") {
		return b, true, errors.New("--uploads: the prefix of keys: at most 200 of A-Z a-z 0-9 . _ - /")
	}
	if prefix != "" {
		prefix += "/"
	}
	b = Bucket{Name: name, Prefix: prefix}
	return b, true, b.options(query)
}

// options reads what follows the question mark.
func (b *Bucket) options(query string) error {
	options, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("--uploads: what follows the question mark cannot be read")
	}
	b.Region = options.Get("region")
	if given := options.Get("endpoint"); given != "" {
		u, err := url.Parse(given)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			return errors.New("--uploads: endpoint: not https://host:port or http://host:port")
		}
		b.Endpoint, b.Plain, b.PathStyle = u.Host, u.Scheme == "http", true
		if b.Region == "" {
			b.Region = usualRegion
		}
	} else {
		b.Endpoint = "s3.amazonaws.com"
	}
	if !bucketRegion.MatchString(b.Region) {
		return errors.New("--uploads: region: the region of the bucket at AWS, such as eu-central-1, or an endpoint")
	}
	switch style := options.Get("style"); style {
	case "":
	case "path", "host":
		b.PathStyle = style == "path"
	default:
		return errors.New("--uploads: style: neither path nor host")
	}
	for name := range options {
		if name != "endpoint" && name != "region" && name != "style" {
			return fmt.Errorf("--uploads: unknown option %q; there are endpoint, region, style", name)
		}
	}
	return nil
}
