// The AWS SDK for Go: N goroutines over one client, each reading one body after another. It honours the contract of docs/contenders.md.
package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// row is what is known of one object; times since the start of the fetches.
type row struct {
	size, counted     int64
	start, first, end time.Duration
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	bucket, mode := os.Getenv("BUCKET_NAME"), os.Getenv("MODE")
	workers, err := strconv.Atoi(os.Getenv("CONCURRENCY"))
	if err != nil || workers < 1 {
		return fmt.Errorf("CONCURRENCY is %q", os.Getenv("CONCURRENCY"))
	}
	if mode != "async" {
		return fmt.Errorf("MODE is %s, and this program has async alone: --contender NAME:async='…'", mode)
	}
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	client := s3.NewFromConfig(loaded, func(options *s3.Options) {
		options.UsePathStyle = os.Getenv("AWS_ENDPOINT_URL") != ""
	})
	keys, err := list(ctx, client, bucket)
	if err != nil {
		return err
	}
	begun := time.Now()
	rows, err := fetchAll(ctx, client, bucket, keys, workers, begun)
	seconds := time.Since(begun).Seconds()
	if err != nil {
		return err
	}
	return store(ctx, client, mode, workers, seconds, keys, rows)
}

func list(ctx context.Context, client *s3.Client, bucket string) ([]string, error) {
	var keys []string
	pages := s3.NewListObjectsV2Paginator(client, &s3.ListObjectsV2Input{Bucket: &bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, object := range page.Contents {
			keys = append(keys, *object.Key)
		}
	}
	return keys, nil
}

func fetchAll(ctx context.Context, client *s3.Client, bucket string, keys []string, workers int, begun time.Time) ([]row, error) {
	rows := make([]row, len(keys))
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for failed.Load() == nil {
				place := next.Add(1) - 1
				if place >= int64(len(keys)) {
					return
				}
				found, err := fetch(ctx, client, bucket, keys[place], begun)
				if err != nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
				rows[place] = found
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return rows, nil
}

// fetch reads one object to its end.
func fetch(ctx context.Context, client *s3.Client, bucket, key string, begun time.Time) (row, error) {
	found := row{start: time.Since(begun)}
	answer, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return found, err
	}
	defer answer.Body.Close()
	found.size = aws.ToInt64(answer.ContentLength)
	piece := make([]byte, 1<<16)
	for {
		count, err := answer.Body.Read(piece)
		if count > 0 && found.counted == 0 {
			found.first = time.Since(begun)
		}
		found.counted += int64(count)
		if err == io.EOF {
			break
		}
		if err != nil {
			return found, err
		}
	}
	found.end = time.Since(begun)
	return found, nil
}

// store writes the CSV to the file that PARFETCH_OUT names, or stores it in the results bucket.
func store(ctx context.Context, client *s3.Client, mode string, workers int, seconds float64, keys []string, rows []row) error {
	var text bytes.Buffer
	out := csv.NewWriter(&text)
	out.UseCRLF = true
	head := fmt.Sprintf("Key (time = %v) sec", seconds)
	_ = out.Write([]string{head, "Size", "CalcSize", "StartNs", "FirstByteNs", "EndNs", "Pid"})
	pid := strconv.Itoa(os.Getpid())
	for place, one := range rows {
		number := func(number int64) string { return strconv.FormatInt(number, 10) }
		_ = out.Write([]string{keys[place], number(one.size), number(one.counted), number(one.start.Nanoseconds()), number(one.first.Nanoseconds()), number(one.end.Nanoseconds()), pid})
	}
	out.Flush()
	if path := os.Getenv("PARFETCH_OUT"); path != "" {
		return os.WriteFile(path, text.Bytes(), 0o644)
	}
	bucket := os.Getenv("RESULT_BUCKET_NAME")
	name := strings.Join([]string{"result", os.Getenv("TAG"), mode, strconv.Itoa(workers)}, "_") + ".csv"
	_, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &name, Body: bytes.NewReader(text.Bytes())})
	return err
}
