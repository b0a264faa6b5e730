package search_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/vecctl/vecctl/pkg/fault"
	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt/boltfile"
	"github.com/vecctl/vecctl/pkg/store/bolt/search"
	"github.com/vecctl/vecctl/pkg/vault"
)

// many is two full segments and a part of a third.
const many = 2*search.SegmentSize + 1500

// file is a database with the index in it, and the certificates in order.
type file struct {
	*testing.T
	db  *bbolt.DB
	all []vault.Certificate // by ID
}

func newFile(t *testing.T) *file {
	t.Helper()
	db, err := bbolt.Open(filepath.Join(t.TempDir(), "index.db"), 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	f := &file{T: t, db: db, all: make([]vault.Certificate, 1)}
	f.update(func(tx *bbolt.Tx) error {
		for _, name := range search.Buckets() {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return nil
	})
	return f
}

func (f *file) update(fn func(*bbolt.Tx) error) {
	f.Helper()
	if err := f.db.Update(fn); err != nil {
		f.Fatal(err)
	}
}

func plain([]byte) bool { return false }

// write gathers changes and writes them.
func (f *file) write(gather func(*search.Delta)) {
	f.Helper()
	var changes search.Delta
	gather(&changes)
	f.update(func(tx *bbolt.Tx) error { return changes.Write(boltfile.NewTx(tx, plain)) })
}

func (f *file) add(changes *search.Delta, c vault.Certificate) {
	c.ID = uint64(len(f.all))
	// Homes have segments from before there were external IDs.
	if c.ID > search.SegmentSize && c.ID%3 == 0 {
		c.ExternalID = fmt.Sprintf("S-%d/Ä", 100_000+c.ID)
	}
	f.all = append(f.all, c)
	changes.Add(c)
}

func (f *file) find(filter store.Filter, page, perPage int) (ids []uint64, total int, err error) {
	err = f.db.View(func(tx *bbolt.Tx) error {
		ids, total, err = new(search.Index).Find(f.Context(), boltfile.NewTx(tx, plain), filter, page, perPage)
		return err
	})
	return ids, total, err
}

var (
	names  = []string{"Łukasz Żółw", "Ada Lovelace", "Grace Hopper", "রহিমা খাতুন", "Jan Nowak"}
	titles = []string{"Certificate of Science in Computer Science", "Diploma", "Certificate of Achievement"}
	states = []vault.Status{vault.Processing, vault.Approved, vault.Failed, vault.Revoked}
)

func certificate(random *rand.Rand) vault.Certificate {
	n := random.IntN(many)
	c := vault.Certificate{Source: vault.FromVault,
		Institution: 1 + uint32(random.IntN(8)/7), Content: vault.Content{Name: fmt.Sprint(names[random.IntN(len(names))], " ", n), Email: fmt.Sprintf("Student%d@uni.example", n), Title: titles[random.IntN(len(titles))], IssueDate: vault.Date(fmt.Sprintf("2026-05-%02d", 1+random.IntN(28)))}, Identity: vault.Identity{Reference: fmt.Sprintf("VEC-IC-2026%013X", random.Uint64N(1<<52))}, Status: vault.Processing, Batch: []string{"", "a", "b"}[random.IntN(3)],
	}
	if random.IntN(5) == 0 {
		c.Source, c.Status = vault.FromCustomer, vault.Pending
	}
	return c
}

// filled is a file of many certificates, most of which changed their state, and
// a hundred of which were forgotten.
func filled(t *testing.T, random *rand.Rand, many int) *file {
	t.Helper()
	f := newFile(t)
	for len(f.all) <= many {
		f.write(func(g *search.Delta) {
			for range min(1+random.IntN(3000), many+1-len(f.all)) {
				f.add(g, certificate(random))
			}
			for range random.IntN(1000) {
				id := 1 + random.IntN(len(f.all)-1)
				old := f.all[id]
				f.all[id].Status = states[random.IntN(len(states))]
				if old.Open() && random.IntN(2) == 0 {
					f.all[id].IssueDate = vault.Date(fmt.Sprintf("2026-05-%02d", 1+random.IntN(28)))
				}
				if f.all[id].Status != old.Status {
					g.Move(old, f.all[id])
				}
			}
		})
	}
	f.write(func(g *search.Delta) {
		for _, id := range random.Perm(many)[:100] {
			old := f.all[id+1]
			f.all[id+1].Content = vault.Content{IssueDate: old.IssueDate}
			g.Erase(old, f.all[id+1].SearchText())
		}
	})
	return f
}

// matches is a filter in its plainest form.
func matches(c vault.Certificate, text string, f store.Filter) bool {
	return c.Institution == f.Institution && (f.Status == "" || c.Status == f.Status) && (f.Batch == "" || c.Batch == f.Batch) &&
		(f.Email == "" || vault.FoldEmail(c.Email) == vault.FoldEmail(f.Email)) &&
		(f.From == "" || c.IssueDate >= f.From) && (f.To == "" || c.IssueDate <= f.To) &&
		(f.Source == "" || c.Source == f.Source) && (!f.Open || c.Open()) && strings.Contains(text, vault.Fold(f.Search))
}

// TestFind compares with a look at every certificate, over full segments and one
// that is being filled.
func TestFind(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	f := filled(t, random, many)
	folded := make([]string, len(f.all))
	for id, c := range f.all {
		folded[id] = c.SearchText()
	}
	terms := []string{
		"", "", "a", "zo", "ada", "łuk", "lukasz zolw 1", "student", "@uni.example", "ce 1", "computer science", "science sci", "77", "student77",
		"certificate of", "vec-ic-2026", "2026ab", "tificate", "রহি", "hopper 9", "nowhere to be found", "grace lovelace", "xyz", "s-1", "s-1100/a", "/A",
	}
	for range 150 {
		filter := store.Filter{Institution: 1 + uint32(random.IntN(3)), Search: terms[random.IntN(len(terms))], Open: random.IntN(6) == 0}
		if random.IntN(3) == 0 {
			filter.Source = []vault.Source{vault.FromVault, vault.FromCustomer, "another"}[random.IntN(3)]
		}
		if random.IntN(3) == 0 {
			filter.Status = states[random.IntN(len(states))]
		}
		if random.IntN(4) == 0 {
			filter.Batch = []string{"a", "b", "c"}[random.IntN(3)]
		}
		if random.IntN(4) == 0 {
			filter.Email = " " + strings.ToUpper(f.all[1+random.IntN(many)].Email)
		}
		if random.IntN(4) == 0 {
			filter.From = "2026-05-11"
		}
		if random.IntN(4) == 0 {
			filter.To = "2026-05-20"
		}
		var want []uint64
		for id := len(f.all) - 1; id > 0; id-- {
			if matches(f.all[id], folded[id], filter) {
				want = append(want, uint64(id))
			}
		}
		perPage := []int{1, 15, 100, 9000}[random.IntN(4)]
		page := 1 + random.IntN(len(want)/perPage+2)
		ids, total, err := f.find(filter, page, perPage)
		from := min((page-1)*perPage, len(want))
		if err != nil || total != len(want) || !slices.Equal(ids, want[from:min(from+perPage, len(want))]) {
			t.Fatalf("%+v, page %d of %d each: %d of %d, want %d (%v)", filter, page, perPage, len(ids), total, len(want), err)
		}
	}
}

// TestAnyTermIsFound looks for what is cut out of the texts, short and long, common
// and rare, and for what is nearly that.
func TestAnyTermIsFound(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	f := filled(t, random, search.SegmentSize+700)
	folded := make([]string, len(f.all))
	for id, c := range f.all {
		folded[id] = c.SearchText()
	}
	rounds := 100
	if os.Getenv("VECCTL_LONG") != "" {
		rounds = 20_000
	}
	for range rounds {
		term := cut(random, folded[1+random.IntN(len(folded)-1)])
		filter := store.Filter{Institution: 1 + uint32(random.IntN(2)), Search: term}
		want, sought := 0, vault.Fold(vault.Clean(term))
		for id := 1; id < len(folded); id++ {
			if f.all[id].Institution == filter.Institution && strings.Contains(folded[id], sought) {
				want++
			}
		}
		if _, total, err := f.find(filter, 1, 15); err != nil || total != want {
			t.Fatalf("%q of %d: %d, want %d (%v)", term, filter.Institution, total, want, err)
		}
	}
}

// TestAFileWithoutSummaries is one of an older program: it is searched without them, and
// with those that are made when it is opened.
func TestAFileWithoutSummaries(t *testing.T) {
	t.Parallel()
	f := filled(t, rand.New(rand.NewPCG(7, 8)), search.SegmentSize+50)
	terms := []string{"lukasz zolw", "lovelace 77", "student", "vec-ic-2026", "nowhere to be found"}
	totals := func() (all []int) {
		for _, term := range terms {
			_, total, err := f.find(store.Filter{Institution: 1, Search: term}, 1, 15)
			if err != nil {
				t.Fatalf("%s: %v", term, err)
			}
			all = append(all, total)
		}
		return all
	}
	before, found := f.summaries(), totals()
	f.update(func(tx *bbolt.Tx) error {
		if err := tx.DeleteBucket([]byte("summaries")); err != nil {
			return err
		}
		_, err := tx.CreateBucket([]byte("summaries"))
		return err
	})
	if without := totals(); !slices.Equal(found, without) {
		t.Errorf("with summaries %v of %v, without them %v", found, terms, without)
	}
	f.update(func(tx *bbolt.Tx) error {
		if !search.LacksSummaries(boltfile.NewTx(tx, plain)) {
			t.Error("the lack of summaries is not seen")
		}
		return search.WriteSummaries(boltfile.NewTx(tx, plain))
	})
	if anew := totals(); !slices.Equal(found, anew) {
		t.Errorf("with summaries %v of %v, with new ones %v", found, terms, anew)
	}
	if anew := f.summaries(); anew < before-5 { // what was forgotten since is no longer common
		t.Errorf("%d records of summaries, before %d", anew, before)
	}
}

// summaries counts their records.
func (f *file) summaries() (n int) {
	_ = f.db.View(func(tx *bbolt.Tx) error {
		n = tx.Bucket([]byte("summaries")).Inspect().KeyN
		return nil
	})
	return n
}

// cut cuts a term out of a line, and sometimes changes it.
func cut(random *rand.Rand, text string) string {
	lines := strings.Split(text, "\n")
	line := []rune(lines[random.IntN(len(lines))])
	from := random.IntN(len(line) + 1)
	term := slices.Clone(line[from:min(len(line), from+1+random.IntN(30))])
	if len(term) > 0 && random.IntN(5) == 0 {
		term[random.IntN(len(term))] = rune("aeo 1"[random.IntN(5)])
	}
	return string(term)
}

// TestErasedTextIsGone erases a certificate of a full segment, of which fewer lines are
// left than it had.
func TestErasedTextIsGone(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	random := rand.New(rand.NewPCG(9, 10))
	f.write(func(g *search.Delta) {
		for range search.SegmentSize + 100 {
			c := certificate(random)
			c.Title += fmt.Sprintf(" of person number %d!", len(f.all))
			f.add(g, c)
		}
	})
	const id = 77
	term := []byte(fmt.Sprintf("person number %d!", id))
	holds := func() (found bool) {
		_ = f.db.View(func(tx *bbolt.Tx) error {
			return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
				return b.ForEach(func(_, v []byte) error {
					found = found || bytes.Contains(v, term)
					return nil
				})
			})
		})
		return found
	}
	if !holds() {
		t.Fatal("the text is nowhere before it is erased")
	}
	f.write(func(g *search.Delta) { g.Erase(f.all[id], "") })
	if holds() {
		t.Error("the text is still in the file")
	}
}

// TestADamagedIndexIsFound flips a bit in every value of a bucket.
func TestADamagedIndexIsFound(t *testing.T) {
	t.Parallel()
	f := filled(t, rand.New(rand.NewPCG(3, 4)), search.SegmentSize+100)
	for bucket, filter := range map[string]store.Filter{
		"columns": {Search: "student77"}, "summaries": {Search: "lukasz"}, "pieces": {Search: "ada"}, "texts": {Search: "ada"}, "by_status": {Status: vault.Approved},
	} {
		broken := func() error {
			filter.Institution = 1
			_, _, err := f.find(filter, 1, 15)
			return err
		}
		if err := broken(); err != nil {
			t.Fatalf("%s: %v", bucket, err)
		}
		f.flip(bucket)
		if err := broken(); !fault.Is(err, fault.Damaged) {
			t.Errorf("%s: %v, want one that tells of damage", bucket, err)
		}
		f.flip(bucket)
	}
}

func (f *file) flip(bucket string) {
	f.update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(bucket))
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			v = bytes.Clone(v)
			v[len(v)-1] ^= 4
			if err := b.Put(k, v); err != nil {
				return err
			}
		}
		return nil
	})
}
