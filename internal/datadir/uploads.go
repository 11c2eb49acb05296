package datadir

import (
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skein-im/skein/internal/config"
	"github.com/skein-im/skein/internal/files"
	"github.com/skein-im/skein/internal/files/s3"
)

// Bucket is the bucket of the uploads; ok is false if they are in a directory.
func Bucket(cfg config.Store) (b config.Bucket, ok bool) {
	b, ok, err := config.BucketOf(cfg.Uploads)
	return b, ok && err == nil
}

// UploadsOf is the directory in which uploads are kept, or from which they go to the bucket
// when they are complete.
func UploadsOf(cfg config.Store) string {
	if _, ok := Bucket(cfg); cfg.Uploads != "" && !ok {
		return cfg.Uploads
	}
	return Uploads(cfg.Data)
}

// DescribeUploads is where the uploads are, for messages. It names no credentials.
func DescribeUploads(cfg config.Store) string {
	if b, ok := Bucket(cfg); ok {
		return b.String()
	}
	return UploadsOf(cfg)
}

// OpenUploads opens what keeps the uploads. It calls no other machine. r may be nil.
func OpenUploads(cfg config.Store, r prometheus.Registerer) (files.Storage, error) {
	b, ok := Bucket(cfg)
	if !ok {
		return files.Folder(UploadsOf(cfg)), nil
	}
	return s3.Open(s3.Options{
		Bucket: b.Name, Prefix: b.Prefix, Endpoint: b.Endpoint, Plain: b.Plain, Region: b.Region, PathStyle: b.PathStyle, Registerer: r,
	})
}

// SharedUploads reports whether other nodes write to UploadsOf too.
func SharedUploads(cfg config.Store) bool {
	_, ok := Bucket(cfg)
	return cfg.Uploads != "" && !ok
}

// sameUploads reports whether two stores keep their uploads in one place.
func sameUploads(a, b config.Store) bool {
	one, inBucket := Bucket(a)
	other, alsoInBucket := Bucket(b)
	if inBucket || alsoInBucket {
		return inBucket && alsoInBucket && one.Endpoint == other.Endpoint && one.Name == other.Name && one.Prefix == other.Prefix
	}
	x, err := os.Stat(UploadsOf(a))
	if err != nil {
		return false
	}
	y, err := os.Stat(UploadsOf(b))
	return err == nil && os.SameFile(x, y)
}
