package blobtest

import (
	"context"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/vecctl/vecctl/pkg/blob"
	"github.com/vecctl/vecctl/pkg/fault"
)

// contentTests are about contents that come and stay.
func contentTests() []test {
	return []test{
		{"a content is there after its commit and not before", committed},
		{"many contents at once, some the same", manyAtOnce},
		{"contents are found by the hash of their bytes", digests},
		{"the state of the hash continues the content", hashState},
		{"a content can be read from anywhere", readAnywhere},
		{"contents that are too large", tooLarge},
		{"a reader that fails leaves nothing", brokenSource},
		{"staged content is read and discarded", stagedContent},
		{"names that are none", badNames},
		{"opened again", reopened},
		{"committed by many at once", committedByMany},
		{"a context that has ended", endedContext},
	}
}

func committed(f *fixture) {
	st := f.stage("hello")
	if _, err := f.store.Open(f.Context(), st.SHA256); !fault.Is(err, fault.Damaged) || !errors.Is(err, fs.ErrNotExist) {
		f.Errorf("before the commit: %v", err)
	}
	f.has()
	f.commit(st)
	f.has(st.SHA256)
	if got := f.read(st.SHA256); got != "hello" {
		f.Errorf("read %q", got)
	}
	f.commit(st) // is stored
	f.commit()   // nothing
	f.has(st.SHA256)
}

func manyAtOnce(f *fixture) {
	var all []*blob.Staged
	var want []string
	for i := range 30 {
		all = append(all, f.stage(strings.Repeat("x", i/2)))
		if i%2 == 0 {
			want = append(want, all[i].SHA256)
		}
	}
	f.commit(all...)
	f.has(want...)
	for i, st := range all {
		if got := f.read(st.SHA256); len(got) != i/2 {
			f.Errorf("content %d has %d bytes", i, len(got))
		}
	}
}

func digests(f *fixture) {
	for _, content := range []string{"", "a", strings.Repeat("0123456789", 60_000)} {
		sum := sha256.Sum256([]byte(content))
		// In small pieces it is the same content.
		st, err := f.store.Stage(f.Context(), pieces{strings.NewReader(content)}, limit)
		f.check(err)
		if st.SHA256 != hex.EncodeToString(sum[:]) || st.Size != int64(len(content)) {
			f.Errorf("%d bytes have the digest %+v", len(content), st.Digest)
		}
		f.commit(st)
		if f.read(st.SHA256) != content {
			f.Errorf("%d bytes came back changed", len(content))
		}
	}
}

// pieces reads a few bytes at a time.
type pieces struct{ io.Reader }

func (p pieces) Read(b []byte) (int, error) { return p.Reader.Read(b[:min(len(b), 999)]) }

func hashState(f *fixture) {
	st := f.stage("original")
	hash := sha256.New()
	f.check(hash.(encoding.BinaryUnmarshaler).UnmarshalBinary(st.HashState))
	_, err := hash.Write([]byte(" and tail"))
	f.check(err)
	if want := sha256.Sum256([]byte("original and tail")); string(hash.Sum(nil)) != string(want[:]) {
		f.Error("the state does not continue the content")
	}
}

func readAnywhere(f *fixture) {
	began := time.Now().Add(-time.Minute)
	sum := f.keep("0123456789")[0]
	opened, err := f.store.Open(f.Context(), sum)
	f.check(err)
	info, err := opened.Stat()
	f.check(err)
	if info.Size() != 10 || info.ModTime().Before(began) || info.ModTime().After(time.Now().Add(time.Minute)) {
		f.Errorf("%d bytes, stored at %v", info.Size(), info.ModTime())
	}
	piece := make([]byte, 4)
	if n, err := opened.ReadAt(piece, 3); n != 4 || err != nil || string(piece) != "3456" {
		f.Errorf("%d bytes at 3: %q, %v", n, piece, err)
	}
	if n, err := opened.ReadAt(piece, 8); n != 2 || !errors.Is(err, io.EOF) {
		f.Errorf("%d bytes at 8: %v", n, err)
	}
	if at, err := opened.Seek(-3, io.SeekEnd); at != 7 || err != nil {
		f.Errorf("at %d, %v", at, err)
	}
	if got := f.readAll(opened); got != "789" {
		f.Errorf("the rest is %q", got)
	}
}

func tooLarge(f *fixture) {
	st, err := f.store.Stage(f.Context(), strings.NewReader("12345"), 5)
	f.check(err)
	f.commit(st)
	_, err = f.store.Stage(f.Context(), strings.NewReader("123456"), 5)
	if !fault.Is(err, fault.Invalid) {
		f.Errorf("one byte more: %v", err)
	}
	f.has(st.SHA256)
}

func brokenSource(f *fixture) {
	broken := errors.New("broken")
	if _, err := f.store.Stage(f.Context(), brokenReader(broken), limit); !errors.Is(err, broken) {
		f.Errorf("got %v", err)
	}
	f.has()
}

func stagedContent(f *fixture) {
	st, other := f.stage("hello"), f.stage("other")
	opened, err := st.Open()
	f.check(err)
	if got := f.readAll(opened); got != "hello" {
		f.Errorf("staged is %q", got)
	}
	st.Discard()
	st.Discard()
	f.commit(st, other)
	other.Discard()
	f.has(other.SHA256)
	if got := f.read(other.SHA256); got != "other" {
		f.Errorf("discarding after the commit left %q", got)
	}
	// Somebody who asked for the digest alone has nothing to store.
	nothing := &blob.Staged{Digest: st.Digest}
	f.commit(nothing)
	nothing.Discard()
	if _, err := nothing.Open(); err == nil {
		f.Error("a digest was opened")
	}
	f.has(other.SHA256)
}

func badNames(f *fixture) {
	for _, name := range []string{"", "../../etc/passwd", strings.Repeat("z", 64), hex.EncodeToString([]byte("short"))} {
		if _, err := f.store.Open(f.Context(), name); !fault.Is(err, fault.Invalid) {
			f.Errorf("opening %q: %v", name, err)
		}
		if gone, err := f.store.Remove(f.Context(), name, references()); gone || err != nil {
			f.Errorf("removing %q: %t, %v", name, gone, err)
		}
	}
}

func reopened(f *fixture) {
	kept := f.keep("kept", "too")
	f.stage("never committed")
	f.reopen()
	f.has(kept...)
	if got := f.read(kept[0]); got != "kept" {
		f.Errorf("read %q", got)
	}
}

func committedByMany(f *fixture) {
	sums := make([]string, 20)
	var work sync.WaitGroup
	for i := range sums {
		work.Go(func() {
			// Half of the contents are stored by two at once.
			st, err := f.store.Stage(f.Context(), strings.NewReader(strings.Repeat("x", i/2)), limit)
			if err == nil {
				err = f.store.Commit(f.Context(), st)
			}
			if err != nil {
				f.Error(err)
				return
			}
			sums[i] = st.SHA256
			opened, err := f.store.Open(f.Context(), st.SHA256)
			if err != nil {
				f.Error(err)
				return
			}
			if body, err := io.ReadAll(opened); err != nil || len(body) != i/2 {
				f.Errorf("content %d has %d bytes, %v", i, len(body), err)
			}
			_ = opened.Close()
		})
	}
	work.Wait()
	if f.Failed() {
		return
	}
	var want []string
	for i := 0; i < len(sums); i += 2 {
		want = append(want, sums[i])
	}
	f.has(want...)
}

// endedContext calls every method with a context that has ended.
func endedContext(f *fixture) {
	sum, st := f.keep("kept")[0], f.stage("staged")
	ctx, cancel := context.WithCancel(f.Context())
	cancel()
	called := 0
	for method := range reflect.TypeFor[blob.Store]().Methods() {
		arguments := []reflect.Value{reflect.ValueOf(ctx)}
		for i := 1; i < method.Type.NumIn(); i++ {
			switch method.Type.In(i) {
			case reflect.TypeFor[string]():
				arguments = append(arguments, reflect.ValueOf(sum))
			case reflect.TypeFor[[]*blob.Staged]():
				arguments = append(arguments, reflect.ValueOf(st))
			default:
				arguments = append(arguments, reflect.Zero(method.Type.In(i)))
			}
		}
		results := reflect.ValueOf(f.store).MethodByName(method.Name).Call(arguments)
		if err, _ := reflect.TypeAssert[error](results[len(results)-1]); !errors.Is(err, context.Canceled) {
			f.Errorf("%s: error %v", method.Name, err)
		}
		called++
	}
	if called != 7 {
		f.Errorf("%d methods were called", called)
	}
	f.has(sum)
	f.commit(st)
	f.has(sum, st.SHA256)
}
