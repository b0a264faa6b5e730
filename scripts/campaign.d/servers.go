//go:build linux

package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/webhook"
)

// seen notes which identities came for which object.
type seen struct {
	mu sync.Mutex
	of map[string]map[string]int
}

func (s *seen) add(object, identity string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[string]map[string]int{}
	}
	if s.of[object] == nil {
		s.of[object] = map[string]int{}
	}
	s.of[object][identity]++
}

// identities lists what came for an object.
func (s *seen) identities(object string) (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.of[object] {
		all = append(all, id)
	}
	return all
}

// mailServer takes every mail and notes the Message-IDs by recipient.
type mailServer struct {
	listener net.Listener
	seen
}

func startMailServer() (*mailServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m := &mailServer{listener: l}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go m.talk(conn)
		}
	}()
	return m, nil
}

func (m *mailServer) talk(conn net.Conn) {
	defer conn.Close()
	r, w := textproto.NewReader(bufio.NewReader(conn)), textproto.NewWriter(bufio.NewWriter(conn))
	rcpt := ""
	for say := "220 campaign"; w.PrintfLine("%s", say) == nil; {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		say = "250 ok"
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say = "250-campaign\r\n250 8BITMIME"
		case "RCPT":
			_, rcpt, _ = strings.Cut(rest, "<")
			rcpt, _, _ = strings.Cut(rcpt, ">")
		case "DATA":
			if w.PrintfLine("354 go on") != nil {
				return
			}
			body, err := io.ReadAll(r.DotReader())
			if err != nil {
				return
			}
			m.add(rcpt, headerOf(string(body), "Message-ID: "))
		case "QUIT":
			_ = w.PrintfLine("221 bye")
			return
		}
	}
}

// headerOf is the rest of a mail's first line that begins so.
func headerOf(mail, begin string) string {
	for line := range strings.Lines(mail) {
		if rest, ok := strings.CutPrefix(line, begin); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// hookServer takes every delivery with a good signature, and notes the deliveries' IDs by
// certificate and event.
type hookServer struct {
	listener net.Listener
	seen
	mu      sync.Mutex
	secrets []string
	refused int
	ahead   time.Duration // of this clock that senders are
}

func startHookServer() (*hookServer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &hookServer{listener: l}
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(l) }()
	return h, nil
}

func (h *hookServer) believe(secret string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.secrets = append(h.secrets, secret)
}

// setAhead says by how much senders are ahead of this clock.
func (h *hookServer) setAhead(by time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ahead = by
}

func (h *hookServer) url() string { return "http://" + h.listener.Addr().String() + "/hook" }

func (h *hookServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	ahead := h.ahead
	verifier := webhook.Verifier{Secrets: h.secrets, Now: func() time.Time { return time.Now().Add(ahead) }}
	h.mu.Unlock()
	webhook.Handler(verifier, func(_ context.Context, d webhook.Delivery) error {
		h.add(d.Payload.UUID+" "+d.Payload.Event, d.Identity())
		return nil
	}).ServeHTTP(&statusCounter{ResponseWriter: w, server: h}, r)
}

// statusCounter counts refusals: there must be none.
type statusCounter struct {
	http.ResponseWriter
	server *hookServer
}

func (c *statusCounter) WriteHeader(status int) {
	if status != http.StatusNoContent {
		c.server.mu.Lock()
		c.server.refused++
		c.server.mu.Unlock()
	}
	c.ResponseWriter.WriteHeader(status)
}
