package blob

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/chatkit-rest/chatkit-rest/internal/chat"
)

const (
	amazon = "https://s3.amazonaws.com"
	// s3Tries is the maximum number of tries of a request.
	s3Tries = 3
)

// bucket stores contents in a bucket of an S3-compatible store.
type bucket struct {
	client *minio.Client
	http   *http.Transport
	name   string
	prefix string
}

func openBucket(o Options) (*bucket, error) {
	endpoint := o.Endpoint
	if endpoint == "" {
		endpoint = amazon
	}
	at, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("read the endpoint: %w", err)
	}
	transport, err := minio.DefaultTransport(at.Scheme == "https")
	if err != nil {
		return nil, fmt.Errorf("create the transport: %w", err)
	}
	keys := credentials.NewStaticV4(o.AccessKey, o.SecretKey, "")
	if o.AccessKey == "" {
		keys = credentials.NewIAM("")
	}
	client, err := minio.New(at.Host, &minio.Options{
		Creds: keys, Secure: at.Scheme == "https", Region: o.Region, Transport: transport, MaxRetries: s3Tries,
	})
	if err != nil {
		return nil, fmt.Errorf("create the client: %w", err)
	}
	return &bucket{client: client, http: transport, name: o.Bucket, prefix: o.Prefix}, nil
}

func (b *bucket) key(key string) string { return path.Join(b.prefix, key) }

// Put implements [chat.Blobs].
func (b *bucket) Put(ctx context.Context, key string, size int64, mimeType string, content io.Reader) error {
	_, err := b.client.PutObject(ctx, b.name, b.key(key), content, size, minio.PutObjectOptions{
		ContentType: mimeType, DisableMultipart: true, // One request stores the whole content or nothing.
	})
	if err != nil {
		return fmt.Errorf("put object: %w", err)
	}
	return nil
}

// Open implements [chat.Blobs].
func (b *bucket) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	object, err := b.client.GetObject(ctx, b.name, b.key(key), minio.GetObjectOptions{})
	if err != nil {
		return nil, fmt.Errorf("get object: %w", err)
	}
	if _, err := object.Stat(); err != nil { // GetObject itself makes no request.
		_ = object.Close()
		if minio.ToErrorResponse(err).Code == minio.NoSuchKey {
			return nil, chat.ErrNoBlob
		}
		return nil, fmt.Errorf("get object: %w", err)
	}
	return object, nil
}

// Delete implements [chat.Blobs].
func (b *bucket) Delete(ctx context.Context, key string) error {
	if err := b.client.RemoveObject(ctx, b.name, b.key(key), minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("remove object: %w", err)
	}
	return nil
}

func (b *bucket) Close() error {
	b.http.CloseIdleConnections()
	return nil
}
