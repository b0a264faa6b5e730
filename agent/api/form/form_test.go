package form

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var entryFields = []string{"full_name", "file_id"}

func request(kind, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	return r
}

const (
	asForm  = "application/x-www-form-urlencoded"
	asJSON  = "application/json"
	asParts = "multipart/form-data; boundary=x"
)

func parts(fields ...string) string {
	var b strings.Builder
	for i := 0; i+1 < len(fields); i += 2 {
		fmt.Fprintf(&b, "--x\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", fields[i], fields[i+1])
	}
	return b.String() + "--x--\r\n"
}

func TestReadEntries(t *testing.T) {
	t.Parallel()
	one := func(key string, fields map[string]string) []Entry {
		return []Entry{{Key: key, Fields: fields, IsObject: true}}
	}
	tests := []struct {
		name, kind, body string
		want             []Entry
		err              error
	}{
		{"sparse, out of order, the last of two", asForm,
			"entries[10][full_name]=J&entries[2][full_name]=A&entries%5B2%5D%5Bfull_name%5D=B%20C&entries[2][file_id]=f",
			[]Entry{{Key: "2", Fields: map[string]string{"full_name": "B C", "file_id": "f"}, IsObject: true}, {Key: "10", Fields: map[string]string{"full_name": "J"}, IsObject: true}}, nil},
		{"parts", asParts, parts("entries[0][full_name]", "A&B=[]", "entries[0][other]", "x", "else", "y"), one("0", map[string]string{"full_name": "A&B=[]"}), nil},
		{"malformed names are passed over", asForm, "entries[0][full_name]=A&entries[1=x&entries]0[=y&entries[0][full_name][z]=q&[]=w", one("0", map[string]string{"full_name": "A"}), nil},
		{"an entry of which nothing is known", asForm, "entries[0][full_name]=A&entries[1][else]=B",
			[]Entry{{Key: "0", Fields: map[string]string{"full_name": "A"}, IsObject: true}, {Key: "1", IsObject: true}}, nil},
		{"an entry that is a text", asForm, "entries[0][full_name]=A&entries[1]=B",
			[]Entry{{Key: "0", Fields: map[string]string{"full_name": "A"}, IsObject: true}, {Key: "1"}}, nil},
		{"entries without numbers", asForm, "entries[0][full_name]=A&entries[][full_name]=B", nil, ErrNotArray},
		{"a strange number", asForm, "entries[0][full_name]=A&entries[0.5][full_name]=B", nil, ErrMalformed},
		{"a strange number in JSON", asJSON, `{"entries":{"0.5":{}}}`, nil, ErrMalformed},
		{"a number twice in JSON", asJSON, `{"entries":{"7":{"full_name":"A"},"7":{"full_name":"B"}}}`, one("7", map[string]string{"full_name": "B"}), nil},
		{"JSON with a number beyond all", asJSON, `{"entries":[{"full_name":"A","file_id":1e999}]}`,
			[]Entry{{Key: "0", Fields: map[string]string{"full_name": "A"}, NotText: []string{"file_id"}, IsObject: true}}, nil},
		{"half a character", asJSON, `{"entries":[{"full_name":"\\\uD83D\n"}]}`, nil, ErrEncoding},
		{"a whole one", asJSON, `{"entries":[{"full_name":"\uD83D\uDE00\\uD83D"}]}`, one("0", map[string]string{"full_name": "😀\\uD83D"}), nil},
		{"flat", asForm, "entries=x", nil, ErrNotArray},
		{"none", asForm, "a=b", nil, ErrNoEntries},
		{"nothing", asForm, "", nil, ErrNoEntries},
		{"JSON", asJSON, `{"x":[{"y":1}],"entries":[{"full_name":"A","file_id":null,"z":{}}]}`, one("0", map[string]string{"full_name": "A"}), nil},
		{"JSON with gaps", asJSON, `{"entries":{"7":{"full_name":"A"}}}`, one("7", map[string]string{"full_name": "A"}), nil},
		{"JSON of other types", asJSON, `{"entries":[{"full_name":1},[],null]}`,
			[]Entry{{Key: "0", Fields: map[string]string{}, NotText: []string{"full_name"}, IsObject: true}, {Key: "1"}, {Key: "2"}}, nil},
		{"JSON that goes on", asJSON, `{"entries":[{}]}{}`, nil, ErrMalformed},
		{"JSON cut off", asJSON, `{"entries":[{"full_name":"A"}`, nil, ErrMalformed},
		{"JSON in another encoding", asJSON, "{\"entries\":[{\"full_name\":\"\xff\"}]}", nil, ErrEncoding},
		{"no such escape", asForm, "entries[0][full_name]=%GG", nil, ErrMalformed},
		{"parts cut off", asParts, parts("entries[0][full_name]", "A")[:40], nil, ErrMalformed},
		{"another type", "text/csv", "a,b", nil, ErrContentType},
	}
	for _, tt := range tests {
		got, err := ReadEntries(request(tt.kind, tt.body), entryFields)
		if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, %v; want %+v, %v", tt.name, got, err, tt.want, tt.err)
		}
	}
}

func TestTooManyEntries(t *testing.T) {
	t.Parallel()
	v := url.Values{}
	for i := range MaxEntries + 1 {
		v.Set(fmt.Sprintf("entries[%d][full_name]", i), "A")
	}
	if _, err := ReadEntries(request(asForm, v.Encode()), entryFields); !errors.Is(err, ErrTooManyEntries) {
		t.Errorf("a form: %v", err)
	}
	list := `{"entries":[` + strings.Repeat(`{},`, MaxEntries) + `{}]}`
	if _, err := ReadEntries(request(asJSON, list), entryFields); !errors.Is(err, ErrTooManyEntries) {
		t.Errorf("JSON: %v", err)
	}
	v.Del("entries[5][full_name]")
	if got, err := ReadEntries(request(asForm, v.Encode()), entryFields); err != nil || len(got) != MaxEntries {
		t.Errorf("%d entries, %v", len(got), err)
	}
}

// TestLargeValues holds what is kept of one value of a body to a bound that does not
// grow with the body.
func TestLargeValues(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 8<<20)
	for name, body := range map[string]string{
		"a field that nobody asked for": `{"x":"` + long + `","entries":[{}]}`,
		"an entry":                      `{"entries":[{"full_name":"` + long + `"}]}`,
		"a key":                         `{"entries":{"` + long + `":{}}}`,
		"the room between":              `{"entries":` + strings.Repeat(" ", len(long)) + `[]}`,
	} {
		r := request(asJSON, body)
		in := &counting{Reader: r.Body}
		r.Body = io.NopCloser(in)
		if got, err := ReadEntries(r, entryFields); !errors.Is(err, ErrBodyTooLarge) || in.n > 2<<20 {
			t.Errorf("%s: %d entries, %v, after %d bytes", name, len(got), err, in.n)
		}
	}
}

type counting struct {
	io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

// TestReadObject reads what JSON can say of one document.
func TestReadObject(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]error{
		`{"full_name":"A","x":1e999,"qr":{"page":1e999}}`: nil,
		`{"full_name":"\ud83d"}`:                          ErrEncoding,
		`{"full_name":"\ud83dx"}`:                         ErrEncoding,
		`{"full_name":"A"} {}`:                            ErrMalformed,
		`[]`:                                              ErrMalformed,
		"\ufeff{}":                                        ErrMalformed,
		``:                                                ErrMalformed,
		`null`:                                            nil,
	} {
		f := &oneForm{texts: map[string]string{}}
		if _, err := ReadJSON(strings.NewReader(body), f, "qr"); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", body, err, want)
		}
	}
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	for _, s := range []string{strings.Repeat("ż", maxValue), "x" + strings.Repeat("ż", maxValue), strings.Repeat("😀", maxValue), "short", ""} {
		got := truncate(s)
		if !strings.HasPrefix(s, got) || len(got) > maxValue || !utf8.ValidString(got) || len(got) < min(len(s), maxValue-4) {
			t.Errorf("%d bytes became %d", len(s), len(got))
		}
	}
}

// TestSlowBody holds a client that sends too slowly to its time, and lets one go
// on that sends enough.
func TestSlowBody(t *testing.T) {
	t.Parallel()
	outcome := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer LimitBody(w, r, 1<<20, ReadRate{Grace: 1100 * time.Millisecond, BytesPerSecond: 1000})()
		_, err := ReadForm(r, discard{})
		outcome <- err
	}))
	defer server.Close()
	send := func(body io.Reader) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", asForm)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
		}
		return <-outcome
	}
	r, w := io.Pipe()
	go func() { _, _ = w.Write([]byte("a=")) }()
	if err := send(r); !errors.Is(err, ErrTooSlow) {
		t.Errorf("a body that never ends: %v", err)
	}
	_ = w.Close()
	if err := send(strings.NewReader("a=" + strings.Repeat("x", 9000))); err != nil {
		t.Errorf("a body that comes at once: %v", err)
	}
	if err := send(strings.NewReader("a=" + strings.Repeat("x", 2<<20))); !errors.Is(err, ErrBodyTooLarge) {
		t.Errorf("a body over the limit: %v", err)
	}
}

// TestStalledBody answers a client that announced more than it sends, whether what came
// was waited for or refused.
func TestStalledBody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer LimitBody(w, r, 1<<20, ReadRate{Grace: 3 * time.Second, BytesPerSecond: 1000})()
		if _, err := ReadForm(r, discard{}); errors.Is(err, ErrTooSlow) {
			w.WriteHeader(http.StatusRequestTimeout)
		} else if err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(server.Close)
	for sent, want := range map[string]int{"a=": http.StatusRequestTimeout, "a=%zz&": http.StatusBadRequest, "": http.StatusRequestTimeout} {
		t.Run(sent, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: "+asForm+"\r\nContent-Length: 9000\r\n\r\n"+sent); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("%q: %v", sent, err)
			}
			if err := resp.Body.Close(); err != nil || resp.StatusCode != want {
				t.Errorf("%q: %s, %v", sent, resp.Status, err)
			}
		})
	}
}

type discard struct{}

func (discard) Wants(string) bool                   { return true }
func (discard) Text(string, string)                 {}
func (discard) File(_, _ string, r io.Reader) error { _, err := io.Copy(io.Discard, r); return err }

func FuzzReadEntries(f *testing.F) {
	f.Add(asForm, []byte("entries[0][full_name]=A&entries[1][file_id]=b"))
	f.Add(asForm, []byte("entries[[0]]=%41&]entries[=&entries[0][full_name"))
	f.Add(asParts, []byte(parts("entries[0][full_name]", "A", "entries[][full_name]", "B")))
	f.Add(asJSON, []byte(`{"entries":{"a":{"full_name":"A"},"1":[]}}`))
	f.Add("multipart/form-data", []byte(parts("a", "b")))
	f.Add(asForm, []byte("entries[0][qr][page]=1&entries[0][qr]=x&entries[0][qr[page]]=2"))
	f.Add(asJSON, []byte(`{"entries":[{"qr":{"page":1e300}},{"qr":{"page":"1","at":{}}},{"qr":[]}]}`))
	fields := append(entryFields, "qr", "qr[page]")
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header["Content-Type"] = []string{kind}
		entries, err := ReadEntries(r, fields, "qr")
		if err != nil {
			if !isBodyError(err) && !errors.Is(err, ErrNoEntries) && !errors.Is(err, ErrNotArray) && !errors.Is(err, ErrTooManyEntries) {
				t.Errorf("an error with no meaning: %v", err)
			}
			return
		}
		if len(entries) == 0 || len(entries) > MaxEntries {
			t.Errorf("%d entries", len(entries))
		}
		for _, e := range entries {
			for name, value := range e.Fields {
				if !slices.Contains(fields, name) || len(value) > maxValue {
					t.Errorf("field %q of %d bytes", name, len(value))
				}
			}
		}
	})
}

// oneForm takes what a form with one document takes.
type oneForm struct {
	texts map[string]string
	files int
}

func (f *oneForm) Wants(name string) bool {
	return name == "full_name" || name == "certificate_file" || name == "qr[page]"
}

func (f *oneForm) Text(name, value string) { f.texts[name] = value }

func (f *oneForm) File(_, _ string, r io.Reader) error {
	f.files++
	_, err := io.Copy(io.Discard, io.LimitReader(r, 100))
	return err
}

func FuzzReadForm(f *testing.F) {
	f.Add(asForm, []byte("full_name=%41&full_name=B&certificate_file=x"))
	f.Add(asForm, []byte("full_name=%zz"))
	f.Add(asParts, []byte(parts("full_name", "A", "certificate_file", "B")))
	f.Add(asParts, []byte(strings.Replace(parts("certificate_file", "%PDF-"), `name="certificate_file"`, `name="certificate_file"; filename="../c.pdf"`, 1)))
	f.Add(asJSON, []byte(`{"full_name":"A","certificate_file":5}`))
	f.Add(asJSON, []byte(`{"full_name":{"qr":1},"qr":{"page":2}}`))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header["Content-Type"] = []string{kind}
		form := &oneForm{texts: map[string]string{}}
		handled, err := ReadForm(r, form)
		if err == nil && !handled {
			_, err = ReadJSON(r.Body, form, "qr")
		}
		if err != nil && !isBodyError(err) {
			t.Errorf("an error with no meaning: %v", err)
		}
		for name, value := range form.texts {
			if !form.Wants(name) || err == nil && handled && len(value) > maxValue {
				t.Errorf("field %q of %d bytes", name, len(value))
			}
		}
	})
}
