package config

import "testing"

func TestABucketIsRead(t *testing.T) {
	for given, want := range map[string]Bucket{
		"s3://files?region=eu-central-1": {Name: "files", Endpoint: "s3.amazonaws.com", Region: "eu-central-1"},
		"s3://files/im/prod/?endpoint=https://minio:9000": {
			Name: "files", Prefix: "im/prod/", Endpoint: "minio:9000", Region: "us-east-1", PathStyle: true,
		},
		"s3://f.iles/im?endpoint=http%3A%2F%2F127.0.0.1%3A80%2F&style=host&region=x": {
			Name: "f.iles", Prefix: "im/", Endpoint: "127.0.0.1:80", Plain: true, Region: "x",
		},
	} {
		got, ok, err := BucketOf(given)
		if err != nil || !ok || got != want {
			t.Errorf("%s: got %+v, %v, %v; want %+v", given, got, ok, err, want)
		}
	}
	if b, ok, err := BucketOf("/srv/uploads"); ok || err != nil {
		t.Errorf("a directory: got %+v, %v, %v; want no bucket", b, ok, err)
	}
}
