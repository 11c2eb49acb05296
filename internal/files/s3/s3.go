// Package s3 is a files.Storage in a bucket of an S3-compatible server. It knows no kinds of
// files and no links.
package s3

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein"
)

// Options say where the bucket is.
type Options struct {
	Bucket    string
	Prefix    string // of all keys; empty, or it ends in a slash
	Endpoint  string // host or host:port
	Plain     bool   // http instead of https
	Region    string // empty: the server is asked
	PathStyle bool   // the bucket is in the path of a request, not in the host name

	Stall      time.Duration         // how long the server may keep silent; default 15 s
	Attempts   int                   // of each request, as far as an error is worth another one; default 3
	Registerer prometheus.Registerer // nil: no metrics
}

const (
	stall     = 15 * time.Second
	shortCall = 30 * time.Second // bounds a call that carries no file, with its retries
	attempts  = 3
)

// Storage is a bucket.
type Storage struct {
	core    minio.Core
	bucket  string
	prefix  string
	metrics metrics
}

// Open makes a Storage. It does not call the server. The credentials come from
// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, from the profile AWS_PROFILE of
// AWS_SHARED_CREDENTIALS_FILE (default ~/.aws/credentials), or from the role of the machine
// or pod, in this order; they are read again before they expire.
func Open(o Options) (*Storage, error) {
	o.Stall, o.Attempts = cmp.Or(o.Stall, stall), cmp.Or(o.Attempts, attempts)
	lookup := minio.BucketLookupAuto
	if o.PathStyle {
		lookup = minio.BucketLookupPath
	}
	transport := transport(o.Stall)
	client, err := minio.New(o.Endpoint, &minio.Options{
		Creds: credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{Client: &http.Client{Transport: transport, Timeout: o.Stall}},
		}),
		Secure: !o.Plain, Transport: transport, Region: o.Region, BucketLookup: lookup, MaxRetries: o.Attempts,
	})
	if err != nil {
		return nil, fmt.Errorf("open the bucket %s: %w", o.Bucket, err)
	}
	return &Storage{core: minio.Core{Client: client}, bucket: o.Bucket, prefix: o.Prefix, metrics: newMetrics(o.Registerer)}, nil
}

// Refused reports whether an error of Check says that the server answered and refused: the
// bucket is missing, or the credentials are wrong or not allowed to use it. Waiting does not help.
func Refused(err error) bool {
	answer, ok := errors.AsType[minio.ErrorResponse](err)
	return ok && (answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusUnauthorized || answer.Code == minio.NoSuchBucket)
}

// Check implements files.Storage: it lists at most one file.
func (s *Storage) Check(ctx context.Context) (err error) {
	defer s.metrics.observe("check", time.Now(), &err)
	ctx, cancel := context.WithTimeout(ctx, shortCall)
	defer cancel()
	for o := range s.core.Client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix, MaxKeys: 1}) {
		return s.fault(ctx, "list uploads", o.Err)
	}
	return nil
}

// fault wraps an error of the server in skein.ErrUnavailable; nil stays nil. Callers see only
// that; the log has the rest. Neither names a key of the credentials.
func (s *Storage) fault(ctx context.Context, attempt string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), context.Canceled):
		return fmt.Errorf("%s: %w", attempt, context.Cause(ctx))
	}
	return fmt.Errorf("%s in the bucket %s: %w: %w", attempt, s.bucket, skein.ErrUnavailable, err)
}

// missing turns the error of a request for one file into fs.ErrNotExist if the bucket is there
// and the file is not. The answer to a HEAD request has no body that would tell which is missing.
func (s *Storage) missing(ctx context.Context, err error) error {
	answer, ok := errors.AsType[minio.ErrorResponse](err)
	if !ok || answer.StatusCode != http.StatusNotFound || answer.Code == minio.NoSuchBucket {
		return err
	}
	there, e := s.core.BucketExists(ctx, s.bucket)
	switch {
	case e != nil:
		return e
	case !there:
		return minio.ErrorResponse{Code: minio.NoSuchBucket, Message: "the bucket does not exist", StatusCode: http.StatusNotFound}
	}
	return fs.ErrNotExist
}
