package bolt_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
)

// group is how many certificates are accepted, claimed and settled at a time.
const group = 256

var benchNow = time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)

// tail is as long as a verified PDF's tail is.
var tail = bytes.Repeat([]byte("0123456789abcdef"), 512)

var (
	firstNames = []string{"Anna", "Łukasz", "Işıl", "Mohammed", "রহিমা", "Grace", "Zofia", "Ødegård", "Nguyễn", "Ada"}
	lastNames  = []string{"Kowalska", "Żółw", "İnan", "Al-Farsi", "খাতুন", "Hopper", "Nowak", "Lovelace", "Murphy", "Schmidt"}
	titles     = []string{"Bachelor of Science in Computer Science", "Master of Arts in History", "Diploma in Nursing"}
)

func benchRow(b *testing.B, random *rand.ChaCha8, n int) store.NewCertificate {
	b.Helper()
	id, err := vault.NewIdentity(random, benchNow, 2026)
	if err != nil {
		b.Fatal(err)
	}
	d := vault.Draft{
		Content: vault.Content{Title: titles[n%3], Name: firstNames[n%10] + " " + lastNames[n/10%10] + fmt.Sprint(" ", n/100),
			Email: fmt.Sprintf("student%06d@uni.example.edu", n), IssueDate: vault.Date(fmt.Sprintf("2026-05-%02d", 1+n/1000%28))},
		Batch: fmt.Sprintf("batch-%d", n/1000), Trigger: vault.BulkUpload,
		File: vault.File{Name: "diploma.pdf", Format: "pdf", Size: 50_000, SHA256: fmt.Sprintf("%016x%048x", random.Uint64(), n), HashState: tail[:108]},
	}
	c, fx := vault.Accept(d, 1, id, benchNow)
	return store.NewCertificate{Certificate: c, Effects: fx}
}

func pass(b *testing.B, s *bolt.Store, random *rand.ChaCha8, first, n int) {
	b.Helper()
	rows := make([]store.NewCertificate, n)
	for i := range rows {
		rows[i] = benchRow(b, random, first+i)
	}
	if _, err := s.Insert(context.Background(), rows); err != nil {
		b.Fatal(err)
	}
	jobs, err := s.Claim(context.Background(), store.Lane{Kind: vault.JobSign}, "worker", n, benchNow)
	if err != nil || len(jobs) != n {
		b.Fatal(len(jobs), err)
	}
	settlements := make([]store.JobResult, n)
	for i, j := range jobs {
		settlements[i] = store.JobResult{Job: j.Job, Change: func(c vault.Certificate) (vault.Certificate, vault.Effects, error) {
			v := vault.Verified{Document: vault.Document{SHA256: c.File.SHA256, Size: c.File.Size}, TailSize: int64(len(tail)), SHA256: c.File.SHA256}
			return c.Approve(v, tail, benchNow)
		}}
	}
	outcomes, err := s.Complete(context.Background(), settlements)
	if err != nil {
		b.Fatal(err)
	}
	for _, err := range outcomes {
		if err != nil {
			b.Fatal(err)
		}
	}
}

func fill(b *testing.B, s *bolt.Store, n, group int) {
	b.Helper()
	random := rand.NewChaCha8([32]byte{9})
	for first := 0; first < n; first += group {
		pass(b, s, random, first, min(group, n-first))
	}
}

// BenchmarkPipeline takes certificates through Accept, Claim and Settle and
// reports the time of one; it must not grow with their number.
func BenchmarkPipeline(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				s := open(b, filepath.Join(b.TempDir(), "vault.db"))
				fill(b, s, n, group)
				b.ReportMetric(float64(s.Size())/float64(n), "file-B/certificate")
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/certificate")
		})
	}
}

// BenchmarkList asks for the first page of 100,000 certificates.
func BenchmarkList(b *testing.B) {
	const n = 100_000
	s := open(b, filepath.Join(b.TempDir(), "vault.db"))
	fill(b, s, n, 2000)
	for _, q := range []struct {
		name string
		f    store.Filter
		page int
	}{
		{"all", store.Filter{}, 1},
		{"all, last page", store.Filter{}, n / 15},
		{"status", store.Filter{Status: vault.Approved}, 1},
		{"email", store.Filter{Email: "student050000@uni.example.edu"}, 1},
		{"batch", store.Filter{Batch: "batch-50"}, 1},
		{"batch and status", store.Filter{Batch: "batch-50", Status: vault.Approved}, 1},
		{"one day", store.Filter{From: "2026-05-07", To: "2026-05-07"}, 1},
		{"all days", store.Filter{From: "2026-05-01"}, 1},
		{"status and days", store.Filter{Status: vault.Approved, From: "2026-05-07"}, 1},
		{"search, one hit", store.Filter{Search: "050000@uni"}, 1},
		{"search, a tenth", store.Filter{Search: "lukasz"}, 1},
		{"search, a hundredth", store.Filter{Search: "lukasz zolw"}, 1},
		{"search, all", store.Filter{Search: "@uni.example"}, 1},
		{"search, none", store.Filter{Search: "computer nursing"}, 1},
		{"search, two letters", store.Filter{Search: "zo"}, 1},
		{"search, reference", store.Filter{Search: "vec-ic-2026a"}, 1},
	} {
		b.Run(q.name, func(b *testing.B) {
			q.f.Institution = 1
			total := 0
			for b.Loop() {
				p, err := s.List(context.Background(), q.f, q.page, 15)
				if err != nil {
					b.Fatal(err)
				}
				total = p.Total
			}
			b.ReportMetric(float64(total), "hits")
			b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms/op")
		})
	}
}
