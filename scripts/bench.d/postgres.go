package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"github.com/vecctl/vecctl/pkg/vault"
)

const postgresPrograms = "/usr/lib/postgresql/15/bin"

// postgres is a server of our own, with the same certificates.
type postgres struct {
	dir    string
	server *exec.Cmd
	conn   *pgx.Conn
}

// startPostgres makes a database in a scratch directory, as an unprivileged user.
func startPostgres(ctx context.Context) (*postgres, error) {
	program, err := command(filepath.Join(postgresPrograms, "postgres"), "postgresql-15", "postgresql-contrib")
	if err != nil {
		return nil, err
	}
	initdb := exec.Command(filepath.Join(postgresPrograms, "initdb"))
	uid, err := unprivileged(initdb)
	if err != nil {
		return nil, err
	}
	p := &postgres{}
	if p.dir, err = lendDir("", "vecctl-bench-postgres-", uid); err != nil {
		return nil, err
	}
	data := filepath.Join(p.dir, "data")
	initdb.Args = append(initdb.Args, "--no-sync", "--auth=trust", "--username=bench", "--encoding=UTF8", "--locale=C", data)
	initdb.Dir = p.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return p, fmt.Errorf("initdb: %w: %s", err, out)
	}
	// Programs reach both over TCP.
	port, err := freePort()
	if err != nil {
		return p, err
	}
	p.server = exec.Command(program, "-D", data, "-k", p.dir, "-p", port, "-c", "listen_addresses=127.0.0.1",
		"-c", "shared_buffers=1GB", "-c", "work_mem=64MB", "-c", "maintenance_work_mem=512MB", "-c", "max_wal_size=8GB")
	if _, err := unprivileged(p.server); err != nil {
		return p, err
	}
	p.server.Dir = p.dir
	var log bytes.Buffer
	p.server.Stderr = &log
	if err := p.server.Start(); err != nil {
		return p, fmt.Errorf("postgres: %w", err)
	}
	return p, until("connecting to postgres", func() (err error) {
		p.conn, err = pgx.Connect(ctx, "host=127.0.0.1 port="+port+" user=bench dbname=postgres")
		return err
	})
}

// freePort is a TCP port that nobody listens on now.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}

func (p *postgres) close() {
	if p.conn != nil {
		_ = p.conn.Close(context.Background())
	}
	if p.server != nil && p.server.Process != nil {
		stop(p.server)
	}
	_ = os.RemoveAll(p.dir)
}

// load keeps the certificates, with the indexes that the lists want.
func (p *postgres) load(ctx context.Context, all iter.Seq[vault.Certificate]) error {
	if err := p.exec(ctx, "CREATE EXTENSION pg_trgm",
		"CREATE TABLE certificates (id bigint, status text, email text, searched text, body text)"); err != nil {
		return err
	}
	next, end := iter.Pull(all)
	defer end()
	_, err := p.conn.CopyFrom(ctx, pgx.Identifier{"certificates"}, []string{"id", "status", "email", "searched", "body"},
		pgx.CopyFromFunc(func() ([]any, error) {
			c, ok := next()
			if !ok {
				return nil, nil
			}
			body, err := json.Marshal(c)
			return []any{int64(c.ID), string(c.Status), vault.FoldEmail(c.Email), c.SearchText(), string(body)}, err
		}))
	if err != nil {
		return fmt.Errorf("loading postgres: %w", err)
	}
	return p.exec(ctx, "ALTER TABLE certificates ADD PRIMARY KEY (id)",
		"CREATE INDEX ON certificates (status, id)", "CREATE INDEX ON certificates (email, id)",
		"CREATE INDEX ON certificates USING gin (searched gin_trgm_ops)", "VACUUM ANALYZE certificates",
		"CHECKPOINT") // else it writes what was loaded while both are asked
}

func (p *postgres) exec(ctx context.Context, statements ...string) error {
	for _, s := range statements {
		if _, err := p.conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// page reads the first page of what a condition selects.
func (p *postgres) page(ctx context.Context, where, value string) error {
	rows, err := p.conn.Query(ctx, "SELECT id, body FROM certificates WHERE "+where+" ORDER BY id DESC LIMIT 15", value)
	if err != nil {
		return err
	}
	var id int64
	var body string
	_, err = pgx.ForEachRow(rows, []any{&id, &body}, func() error { return nil })
	return err
}

// total counts what a condition selects.
func (p *postgres) total(ctx context.Context, where, value string) (n int, err error) {
	err = p.conn.QueryRow(ctx, "SELECT count(*) FROM certificates WHERE "+where, value).Scan(&n)
	return n, err
}
