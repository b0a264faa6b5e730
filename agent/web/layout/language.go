package layout

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"

	"github.com/vecctl/vecctl/pkg/vault"
)

// Language is a language with its texts.
type Language struct {
	Tag   string // "en"
	texts map[string]string
}

// Name is the language's name for itself.
func (l Language) Name() string { return l.T("language") }

// T is a text, with values in its places. A name that there is not is shown as it
// is, so that it is noticed.
func (l Language) T(name string, values ...any) string {
	text, ok := l.texts[name]
	if !ok {
		return name
	}
	if len(values) == 0 {
		return text
	}
	return fmt.Sprintf(text, values...)
}

// FormatDate is a date as people write it.
func (l Language) FormatDate(d vault.Date) string {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return string(d)
	}
	return l.formatDate(t)
}

func (l Language) formatDate(t time.Time) string {
	months := strings.Split(l.T("months"), " ")
	return l.T("date", strconv.Itoa(t.Day()), months[(int(t.Month())-1)%len(months)], strconv.Itoa(t.Year()))
}

// LocalDate is the day of a moment where an institution is.
func (v PageContext) LocalDate(at time.Time) string {
	return v.FormatDate(vault.DateOf(at, v.Institution.Zone()))
}

// LocalTime is a moment where an institution is, to the minute.
func (v PageContext) LocalTime(at time.Time) string {
	at = at.In(v.Institution.Zone())
	return v.formatDate(at) + ", " + at.Format("15:04 MST")
}

// languages are all that there are, the first being the one that is meant where
// nothing else is asked for.
type languages struct {
	all     []Language
	matcher language.Matcher
	cache   *acceptCache
}

// acceptCache remembers which language was found for what browsers send; there are few
// such texts, and reading one takes as long as drawing a page.
type acceptCache struct {
	mu    sync.RWMutex
	found map[string]int
}

// maxAcceptCache is how many texts are remembered.
const maxAcceptCache = 1000

// loadLanguages reads the table of texts: a row for each text, a column for each
// language.
func loadLanguages() (languages, error) {
	raw, err := files.ReadFile("assets/texts.csv")
	if err != nil {
		return languages{}, fmt.Errorf("reading the pages' texts: %w", err)
	}
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		return languages{}, fmt.Errorf("reading the pages' texts: %w", err)
	}
	ls := languages{cache: &acceptCache{found: map[string]int{}}}
	var tags []language.Tag
	for i, tag := range rows[0][1:] {
		l := Language{Tag: tag, texts: make(map[string]string, len(rows))}
		for _, row := range rows[1:] {
			l.texts[row[0]] = row[i+1]
		}
		ls.all = append(ls.all, l)
		tags = append(tags, language.Make(tag))
	}
	ls.matcher = language.NewMatcher(tags)
	return ls, nil
}

// choose finds the language of a request, and whether its address says it.
func (ls languages) choose(r *http.Request) (Language, bool) {
	if r.URL.RawQuery != "" {
		asked := r.URL.Query().Get("lang")
		if i := slices.IndexFunc(ls.all, func(l Language) bool { return l.Tag == asked }); i >= 0 {
			return ls.all[i], true
		}
	}
	accepted := r.Header.Get("Accept-Language")
	if accepted == "" || len(accepted) > 200 {
		return ls.all[0], false
	}
	ls.cache.mu.RLock()
	i, ok := ls.cache.found[accepted]
	ls.cache.mu.RUnlock()
	if ok {
		return ls.all[i], false
	}
	i = ls.match(accepted)
	ls.cache.mu.Lock()
	defer ls.cache.mu.Unlock()
	if len(ls.cache.found) < maxAcceptCache {
		ls.cache.found[accepted] = i
	}
	return ls.all[i], false
}

// match finds the language for an Accept-Language header.
func (ls languages) match(accepted string) int {
	wanted, _, err := language.ParseAcceptLanguage(accepted)
	if err != nil || len(wanted) == 0 {
		return 0
	}
	_, i, confidence := ls.matcher.Match(wanted...)
	if confidence == language.No {
		return 0
	}
	return i
}

func (ls languages) except(one Language) []Language {
	return slices.DeleteFunc(slices.Clone(ls.all), func(l Language) bool { return l.Tag == one.Tag })
}
