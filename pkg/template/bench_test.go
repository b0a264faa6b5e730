package template_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/vecctl/vecctl/pkg/template"
)

// BenchmarkPrint makes certificates of different people.
func BenchmarkPrint(b *testing.B) {
	files, err := template.BundledFiles("degree")
	if err != nil {
		b.Fatal(err)
	}
	shelf := template.Dir{Path: b.TempDir()}
	if err := shelf.Add("degree", files); err != nil {
		b.Fatal(err)
	}
	degree, err := shelf.Load("degree")
	if err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			row := degree.SampleRow()
			row["full_name"] = fmt.Sprintf("Person Number %d Ångström", n.Add(1))
			if _, err := degree.Render(row); err != nil {
				b.Fatal(err)
			}
		}
	})
}
