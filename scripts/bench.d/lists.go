package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vecctl/vecctl/pkg/store"
	"github.com/vecctl/vecctl/pkg/store/bolt"
	"github.com/vecctl/vecctl/pkg/vault"
)

const (
	listGroup   = 20_000
	listRepeats = 1000             // questions of each kind
	listBudget  = 20 * time.Second // for a peer that is slow
	listGoal    = 0.010            // seconds, 99th percentile
)

var (
	givenNames  = []string{"Anna", "Łukasz", "Işıl", "Mohammed", "রহিমা", "Grace", "Zofia", "Ødegård", "Nguyễn", "Ada"}
	familyNames = []string{"Kowalska", "Żółw", "İnan", "Al-Farsi", "খাতুন", "Hopper", "Nowak", "Lovelace", "Murphy", "Schmidt"}
	titleNames  = []string{"Bachelor of Science in Computer Science", "Master of Arts in History", "Diploma in Nursing", "Certificate of Achievement"}
)

// question is a kind of list that is asked for.
type question struct {
	name  string
	ask   func(n int) url.Values // a question of the kind
	where string                 // the same for PostgreSQL
}

func questions(certificates int) []question {
	random := rand.New(rand.NewPCG(7, 7))
	search := func(term func() string) func(int) url.Values {
		return func(int) url.Values { return url.Values{"search": {term()}} }
	}
	const contains = "searched LIKE '%' || $1 || '%'"
	return []question{
		{"by status", func(n int) url.Values {
			return url.Values{"status": {string(vaultStates[n%len(vaultStates)])}}
		}, "status = $1"},
		{"by e-mail", func(int) url.Values {
			return url.Values{"applicant_email": {emailOf(random.IntN(certificates))}}
		}, "email = $1"},
		{"search, a full name", search(func() string { return nameOf(random.IntN(certificates)) }), contains},
		{"search, of a reference", search(func() string { return fmt.Sprintf("%05x", random.IntN(1<<20)) }), contains},
		{"search, one in a hundred", search(func() string {
			return givenNames[random.IntN(10)] + " " + familyNames[random.IntN(10)]
		}), contains},
		{"search, one in ten", search(func() string { return familyNames[random.IntN(10)] }), contains},
		{"search, one in four", search(func() string { return titleNames[random.IntN(4)] }), contains},
		{"search, all", search(func() string { return "@uni.example" }), contains},
		{"search, two letters", search(func() string { return "zo" }), contains},
		{"search, none", search(func() string { return "computer nursing" }), contains},
	}
}

// benchLists asks a running agent for the first pages of lists, and PostgreSQL
// for the same.
func benchLists(s setup, t *table) error {
	ctx := context.Background()
	home := filepath.Join(s.dir, fmt.Sprintf("lists-%d", s.certificates))
	if err := fillLists(ctx, s, home); err != nil {
		return err
	}
	agent, err := newCaller(s, home)
	if err != nil {
		return err
	}
	defer agent.close()
	peer, err := startPostgres(ctx)
	if peer != nil {
		defer peer.close()
	}
	if err != nil {
		return err
	}
	if err := peer.load(ctx, listed(s.certificates)); err != nil {
		return err
	}
	fmt.Fprintf(t.w, "lists: first page and total of %d certificates, 99th percentiles; both over TCP\n", s.certificates)
	for _, q := range questions(s.certificates) {
		if err := compareLists(ctx, t, q, agent, peer); err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
	}
	return nil
}

// answered is how long the answers to a kind of question took, in seconds.
type answered struct{ ours, page, theirs []float64 }

// compareLists asks both the same in turn, so that what else the machine does falls
// on both; they must count the same. The agent is asked on when the peer's time is up.
func compareLists(ctx context.Context, t *table, q question, agent *caller, peer *postgres) error {
	line, err := agent.line()
	if err != nil {
		return err
	}
	defer line.conn.Close()
	before, err := processorTime(agent.process.Process.Pid)
	if err != nil {
		return err
	}
	var all answered
	for n, begun := 0, time.Now(); n < listRepeats; n++ {
		asked := q.ask(n)
		var total int
		took, err := timed(func() (err error) { total, err = line.total(asked); return err })
		if err != nil {
			return err
		}
		all.ours = append(all.ours, took)
		if n >= 3 && time.Since(begun) > listBudget {
			continue
		}
		if err := all.ask(ctx, peer, q, asked, total); err != nil {
			return err
		}
	}
	after, err := processorTime(agent.process.Process.Pid)
	if err != nil {
		return err
	}
	t.below("list "+q.name, once(percentile(all.ours, 99)), listGoal, millis)
	t.atMost("  against PostgreSQL's page and total", once(percentile(all.ours, 99)), once(percentile(all.theirs, 99)), 1, millis)
	t.atMost("  the same, median", all.ours, all.theirs, 1, millis)
	t.told("  the agent's processor time", once((after-before)/listRepeats), millis)
	t.told("  PostgreSQL's page without the total", once(percentile(all.page, 99)), millis)
	return nil
}

// ask asks the peer, who must count as many as the agent did.
func (all *answered) ask(ctx context.Context, peer *postgres, q question, asked url.Values, total int) error {
	var counted int
	value := vault.Fold(asked.Get("search") + asked.Get("status") + asked.Get("applicant_email"))
	page, err := timed(func() error { return peer.page(ctx, q.where, value) })
	if err != nil {
		return err
	}
	count, err := timed(func() (err error) { counted, err = peer.total(ctx, q.where, value); return err })
	if err != nil {
		return err
	}
	if counted != total {
		return fmt.Errorf("%v: the agent counts %d, PostgreSQL %d", asked, total, counted)
	}
	all.page, all.theirs = append(all.page, page), append(all.theirs, page+count)
	return nil
}

func percentile(all []float64, p int) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[min(len(sorted)*p/100, len(sorted)-1)]
}

// caller is a running agent with a token for it.
type caller struct {
	process *exec.Cmd
	base    string
	token   string
	home    string
}

func newCaller(s setup, home string, env ...string) (*caller, error) {
	token, err := exec.Command(s.vecctl, "token", "create", "--home", home,
		"-p", "certificate-vault:list", "-p", "certificate-vault:create", "-p", "certificate-vault:view", "bench").Output()
	if err != nil {
		return nil, fmt.Errorf("vecctl token create: %w", err)
	}
	agent, address, _, err := startAgentAt(s, home, env...)
	if err != nil {
		return nil, err
	}
	return &caller{process: agent, base: address, token: strings.TrimSpace(string(token)), home: home}, nil
}

func (c *caller) close() { stopAgent(c.process) }

// do makes a call that must succeed and returns its answer.
func (c *caller) do(method, path, kind string, body io.Reader) ([]byte, error) {
	r, err := http.NewRequest(method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Accept", "application/json")
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, raw)
	}
	return raw, err
}

// total asks for the first page of a list and returns the total that it tells.
func (c *caller) total(q url.Values) (int, error) {
	raw, err := c.do(http.MethodGet, "/business/certificate-vault?"+q.Encode(), "", nil)
	if err != nil {
		return 0, err
	}
	return totalOf(raw)
}

func totalOf(list []byte) (int, error) {
	var page struct {
		Meta struct{ Total int } `json:"meta"`
	}
	err := json.Unmarshal(list, &page)
	return page.Meta.Total, err
}

// line is a connection of one caller, who writes and reads by himself as PostgreSQL's
// driver does. The standard client hands every answer from goroutine to goroutine,
// which on a busy machine takes longer than the answer.
type line struct {
	conn    net.Conn
	answers *bufio.Reader
	agent   *caller
}

func (c *caller) line() (*line, error) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.base, "http://"))
	if err != nil {
		return nil, err
	}
	return &line{conn, bufio.NewReader(conn), c}, nil
}

// total asks for the first page of a list and returns the total that it tells.
func (l *line) total(q url.Values) (int, error) {
	_, err := fmt.Fprintf(l.conn, "GET /business/certificate-vault?%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nAccept: application/json\r\n\r\n",
		q.Encode(), strings.TrimPrefix(l.agent.base, "http://"), l.agent.token)
	if err != nil {
		return 0, err
	}
	answer, err := http.ReadResponse(l.answers, nil)
	if err != nil {
		return 0, err
	}
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err
	}
	if answer.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%v: %s: %s", q, answer.Status, raw)
	}
	return totalOf(raw)
}

func nameOf(n int) string {
	return givenNames[n%10] + " " + familyNames[n/10%10] + fmt.Sprint(" ", n/100)
}

func emailOf(n int) string { return fmt.Sprintf("student%07d@uni.example.edu", n) }

// listed makes certificates, each always the same: nine in ten are approved.
func listed(n int) iter.Seq[vault.Certificate] {
	return func(yield func(vault.Certificate) bool) {
		now := time.Date(2026, 5, 2, 9, 0, 0, 0, time.UTC)
		for i := range n {
			var seed [32]byte
			binary.BigEndian.PutUint64(seed[:], uint64(i))
			id, err := vault.NewIdentity(rand.NewChaCha8(seed), now, 2026)
			if err != nil {
				panic(err)
			}
			c, _ := vault.Accept(vault.Draft{
				Content: vault.Content{Title: titleNames[i%len(titleNames)], Name: nameOf(i), Email: emailOf(i), IssueDate: vault.Date(fmt.Sprintf("2026-05-%02d", 1+i/1000%28))},
				Trigger: vault.BulkUpload, Batch: fmt.Sprintf("batch-%d", i/10_000),
				File: vault.File{Name: "certificate.pdf", Format: "pdf", Size: bulkSize, SHA256: fmt.Sprintf("%064x", i)},
			}, 1, id, now)
			c.ID = uint64(i) + 1
			c.Status = vault.Approved
			if i%10 == 9 {
				c.Status = vaultStates[i/10%len(vaultStates)]
			}
			if !yield(c) {
				return
			}
		}
	}
}

// vaultStates are those that the vault's own certificates have.
var vaultStates = []vault.Status{vault.Processing, vault.Approved, vault.Failed, vault.Revoked}

// fillLists makes a home with many certificates, without their documents.
func fillLists(ctx context.Context, s setup, home string) error {
	db := filepath.Join(home, "vault.db")
	if _, err := os.Stat(db); err == nil {
		return nil
	}
	if err := quiet(s.vecctl, "init", "--no-input", "--home", home); err != nil {
		return err
	}
	kept, err := bolt.Open(db, time.Second)
	if err != nil {
		return err
	}
	took, err := timed(func() error {
		rows := make([]store.NewCertificate, 0, listGroup)
		for c := range listed(s.certificates) {
			if rows = append(rows, store.NewCertificate{Certificate: c}); len(rows) < listGroup && int(c.ID) < s.certificates {
				continue
			}
			if _, err := kept.Insert(ctx, rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
		return nil
	})
	fmt.Fprintf(os.Stderr, "bench: %d certificates kept in %.0f s, %d MB\n", s.certificates, took, kept.Size()>>20)
	return errors.Join(err, kept.Close())
}
