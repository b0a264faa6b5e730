//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// damage changes the database of a home at random, and wants the program to say so or to
// answer as before.
type damage struct{}

func (damage) counts() (short, full int) { return 5, 300 }

// questions are commands that answer the same every time.
var questions = [][]string{
	{"list", "-o", "json"}, {"list", "--search", "person 1", "-o", "json"}, {"mail", "list", "-o", "json"}, {"batches", "-o", "json"},
	{"token", "list", "-o", "json"}, {"webhook", "deliveries", "-o", "json"}, {"audit", "list", "-o", "json"}, {"audit", "verify"},
}

func (d damage) run(ctx context.Context, s setup, count int, r *result) error {
	random := s.random("damage")
	v, err := newSite(ctx, s, filepath.Join(s.dir, "h"), filepath.Join(s.dir, "inbox"))
	if err != nil {
		return err
	}
	defer v.close()
	manifest, err := d.prepare(ctx, v, random, r)
	if err != nil {
		return err
	}
	path := filepath.Join(v.home, "vault.db")
	sound, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	truth := map[string]string{}
	for _, q := range questions {
		truth[strings.Join(q, " ")] = v.run(ctx, q...).stdout
	}
	if err := os.WriteFile(path, sound, 0o600); err != nil {
		return err
	}
	for i := range count {
		what, changed := d.change(random, sound, i)
		one := damaged{site: v, result: r, what: what, changed: changed, path: path, truth: truth, manifest: manifest}
		if err := one.try(ctx, random); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return os.WriteFile(path, sound, 0o600)
}

// prepare fills a home, and returns the manifest of a batch in it.
func (damage) prepare(ctx context.Context, v *site, random *rand.Rand, r *result) (manifest string, err error) {
	const rows = 60
	agent, err := v.start(ctx)
	if err != nil {
		return "", err
	}
	defer agent.kill()
	if err := underLoad(ctx, agent, random, r, func(context.Context) { time.Sleep(2 * time.Second) }); err != nil {
		return "", err
	}
	orders := v.ledger.open(byCommand, rows)
	folder, err := os.MkdirTemp(v.inbox, "batch-")
	if err != nil {
		return "", err
	}
	if manifest, err = writeBatch(folder, "batch.csv", orders); err != nil {
		return "", err
	}
	if _, err := v.must(ctx, "bulk", manifest, "--out", v.out); err != nil {
		return "", err
	}
	v.ledger.ack(orders...)
	if err := v.resolve(ctx, agent); err != nil {
		return "", err
	}
	if err := v.settled(ctx, time.Minute); err != nil {
		return "", err
	}
	r.count(v.ledger.totals())
	agent.stop()
	return manifest, nil
}

// change damages a copy of the file in one of five ways. The first two pages are spared: they
// are two states of the file of which the later one that is whole counts, so damaging one is
// no more than undoing a transaction.
func (damage) change(random *rand.Rand, sound []byte, kind int) (what string, b []byte) {
	const page, spared = 4096, 2
	b = bytes.Clone(sound)
	pages := len(b) / page
	some := func() int { return (spared + random.IntN(pages-spared)) * page }
	switch kind % 5 {
	case 0:
		n := 1 << random.IntN(6)
		for range n {
			b[spared*page+random.IntN(len(b)-spared*page)] ^= 1 << random.IntN(8)
		}
		return fmt.Sprintf("%d bits flipped", n), b
	case 1:
		at := some()
		clear(b[at : at+page])
		return fmt.Sprintf("page %d zeroed", at/page), b
	case 2:
		at := some() + random.IntN(page)
		return fmt.Sprintf("cut off at byte %d of %d", at, len(b)), b[:at]
	case 3:
		one, two := some(), some()
		copy(b[one:one+page], sound[two:])
		copy(b[two:two+page], sound[one:])
		return fmt.Sprintf("pages %d and %d exchanged", one/page, two/page), b
	default:
		at := some()
		n := 1 + random.IntN(64)
		from := at + random.IntN(page-n)
		for i := range n {
			b[from+i] = byte(random.Uint32())
		}
		return fmt.Sprintf("%d bytes of page %d overwritten", n, at/page), b
	}
}

// damaged is a home with a damaged database.
type damaged struct {
	*site
	result   *result
	what     string
	changed  []byte
	path     string
	truth    map[string]string
	manifest string
}

// try asks the doctor for a deep look, then everything else: an answer that is not the true one must
// be an error that says what to do, and where there is one the doctor must have found damage.
func (d damaged) try(ctx context.Context, random *rand.Rand) error {
	got, err := d.ask(ctx, "doctor", "--deep", "-o", "json")
	if err != nil {
		return err
	}
	found := d.admits(got) || strings.Contains(got.stdout, "amaged")
	asked := questions
	if found {
		asked = questions[random.IntN(len(questions)):][:1] // one more look at what people then see
	}
	noticed := 0
	for _, q := range asked {
		got, err := d.ask(ctx, q...)
		if err != nil {
			return err
		}
		switch {
		case d.admits(got):
			noticed++
		case got.code == 0 && got.stdout == d.truth[strings.Join(q, " ")]:
		default:
			d.result.problem("%s: vecctl %s answers wrong: %s", d.what, strings.Join(q, " "), got.String()[:min(len(got.String()), 400)])
		}
	}
	if got, err = d.ask(ctx, "bulk", d.manifest, "--out", filepath.Join(d.dir, "again"), "-o", "json"); err != nil {
		return err
	}
	// A row whose document is damaged says so; nothing is issued a second time.
	same := strings.Contains(got.stdout, `"issued": 0`) && (got.code == 0 || got.code == 3 && strings.Contains(got.stdout, "amaged"))
	if !d.admits(got) && !same {
		d.result.problem("%s: a second run of a batch: %v", d.what, got.String()[:min(len(got.String()), 600)])
	}
	switch {
	case found:
		d.result.round("named by the doctor")
	case noticed > 0:
		d.result.problem("%s: the doctor finds nothing, and a command does", d.what)
		d.result.round("named by a command alone")
	default:
		d.result.round("without effect")
	}
	return nil
}

// admits reports whether an answer says that the database is damaged, and what to do.
func (d damaged) admits(got ran) bool {
	said := strings.Contains(got.stderr, "restore the home from a backup") || strings.Contains(got.stderr, "made by a newer vecctl")
	return got.code != 0 && said
}

// ask damages the database and runs a command on it.
func (d damaged) ask(ctx context.Context, args ...string) (ran, error) {
	const limit = 2 * time.Minute
	if err := os.WriteFile(d.path, d.changed, 0o600); err != nil {
		return ran{}, err
	}
	ctx, stop := context.WithTimeout(ctx, limit)
	defer stop()
	got := d.run(ctx, args...)
	if got.broke() {
		d.result.problem("%s: vecctl %s broke: %v", d.what, strings.Join(args, " "), got)
	}
	if got.code == -1 {
		d.result.problem("%s: vecctl %s does not end", d.what, strings.Join(args, " "))
	}
	return got, nil
}
