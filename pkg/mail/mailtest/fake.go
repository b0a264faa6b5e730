// Package mailtest runs mail servers for tests: one in the process that answers
// as a test wants, and a real one.
package mailtest

import (
	"bufio"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// Received is a mail that a server took.
type Received struct {
	From, To string // of the envelope, without brackets
	Data     string // with line ends as they came, "\r\n"
}

// Fake is a mail server in this process, on a loopback address, without TLS.
type Fake struct {
	// Answer, when set, is asked before each command is answered; what it returns
	// is sent instead of the usual answer. "drop" closes the connection. The end of
	// a mail's data is the command ".".
	Answer func(command, argument string) string
	// Discard servers throw mails away.
	Discard bool

	listener net.Listener
	serving  sync.WaitGroup
	mu       sync.Mutex
	received []Received
	calls    int
	open     map[net.Conn]struct{}
}

// Start makes a server answer until the test ends.
func (f *Fake) Start(t testing.TB) *Fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.listener, f.open = l, map[net.Conn]struct{}{}
	f.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.calls++
			f.open[conn] = struct{}{}
			f.mu.Unlock()
			f.serving.Go(func() { f.serve(conn) })
		}
	})
	t.Cleanup(f.Stop)
	return f
}

// Stop ends the server and its connections. It may be called twice.
func (f *Fake) Stop() {
	_ = f.listener.Close() // the second time it is closed already
	f.CloseConnections()
	f.serving.Wait()
}

// CloseConnections ends the connections that there are; new ones are welcome.
func (f *Fake) CloseConnections() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.open {
		c.Close()
	}
}

// Address is host and port.
func (f *Fake) Address() string { return f.listener.Addr().String() }

// Received lists the mails that were taken, in order.
func (f *Fake) Received() []Received {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Received{}, f.received...)
}

// Connections counts connections.
func (f *Fake) Connections() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}

func (f *Fake) serve(conn net.Conn) {
	defer func() {
		conn.Close()
		f.mu.Lock()
		delete(f.open, conn)
		f.mu.Unlock()
	}()
	w := bufio.NewWriter(conn)
	r := textproto.NewReader(bufio.NewReader(conn))
	say := func(line string) bool {
		if line == "drop" {
			return false
		}
		_, _ = w.WriteString(line + "\r\n")
		return w.Flush() == nil
	}
	if !say(f.reply("CONNECT", "", "220 fake ESMTP")) {
		return
	}
	var mail Received
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		command, argument, _ := strings.Cut(line, " ")
		command = strings.ToUpper(command)
		switch command {
		case "MAIL":
			mail = Received{From: path(argument)}
		case "RCPT":
			mail.To = path(argument)
		}
		answer := f.reply(command, argument, defaultReply(command))
		if !say(answer) || command == "QUIT" {
			return
		}
		if strings.HasPrefix(answer, "354") && !f.readData(r, mail, say) {
			return
		}
	}
}

// readData reads a mail's data and answers to its end.
func (f *Fake) readData(r *textproto.Reader, mail Received, say func(string) bool) bool {
	lines, err := r.ReadDotLines()
	if err != nil {
		return false
	}
	answer := f.reply(".", mail.To, "250 2.0.0 taken")
	if strings.HasPrefix(answer, "250") || answer == "drop" {
		if !f.Discard {
			mail.Data = strings.Join(lines, "\r\n") + "\r\n"
		}
		f.mu.Lock()
		f.received = append(f.received, mail)
		f.mu.Unlock()
	}
	return say(answer)
}

func (f *Fake) reply(command, argument, usual string) string {
	if f.Answer != nil {
		if answer := f.Answer(command, argument); answer != "" {
			return answer
		}
	}
	return usual
}

func defaultReply(command string) string {
	switch command {
	case "EHLO":
		return "250-fake\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME"
	case "DATA":
		return "354 go on"
	case "QUIT":
		return "221 2.0.0 bye"
	}
	return "250 2.0.0 ok"
}

// path is the address out of "FROM:<a@b> BODY=8BITMIME".
func path(argument string) string {
	_, rest, _ := strings.Cut(argument, "<")
	address, _, _ := strings.Cut(rest, ">")
	return address
}
