package sheet

import (
	"encoding/csv"
	"strings"
)

// delimiters are what may separate cells, the likeliest first.
const delimiters = ",;\t"

func delimiterName(comma rune) string {
	if comma == '\t' {
		return "tab"
	}
	return string(comma)
}

// cutSep takes off the line "sep=;" that Excel writes and reads before the
// headings, and returns what it declares.
func cutSep(text string) (body, declared string) {
	first, rest, _ := strings.Cut(text, "\n")
	line := strings.Trim(strings.TrimSuffix(first, "\r"), `"`)
	if len(line) < 5 || !strings.EqualFold(line[:4], "sep=") {
		return text, ""
	}
	return rest, line[4:]
}

// detectDelimiter decides what separates cells: what the person says, what the file
// declares, else what makes the most of the headings.
func detectDelimiter(body, declared string, opts Options) (rune, error) {
	switch want := strings.ToLower(opts.Delimiter); want {
	case ",", ";", "\t":
		return rune(want[0]), nil
	case "tab", `\t`:
		return '\t', nil
	case "comma":
		return ',', nil
	case "semicolon":
		return ';', nil
	case "":
	default:
		return 0, invalidError("--delimiter %s is not known: use \",\", \";\" or tab", Quote(opts.Delimiter))
	}
	if declared != "" {
		if len(declared) > 1 || !strings.Contains(delimiters, declared) {
			return 0, invalidError("the first line says that %s separates the cells: use a comma, a semicolon or a tab", Quote(declared))
		}
		return rune(declared[0]), nil
	}
	sample := sampleOf(body)
	best, bestScore := rune(0), 0
	for _, comma := range delimiters {
		if score := scoreDelimiter(sample, comma, opts.Known); score > bestScore {
			best, bestScore = comma, score
		}
	}
	if best == 0 {
		return 0, noDelimiterError(body, opts)
	}
	return best, nil
}

// sampleOf is the beginning of the text, cut after a whole line where it is long.
func sampleOf(body string) string {
	const enough = 64 << 10
	if len(body) <= enough {
		return body
	}
	if end := strings.LastIndexByte(body[:enough], '\n'); end > 0 {
		return body[:end+1]
	}
	return body[:enough]
}

// scoreDelimiter says how well a delimiter suits, by known headings and by lines that are
// as wide as the headings. Zero is not at all.
func scoreDelimiter(sample string, comma rune, known func(string) bool) int {
	r := newCSVReader(sample, comma)
	r.LazyQuotes = true
	header := firstFilled(r)
	if len(header) < 2 {
		return 0
	}
	score := 1
	for _, h := range header {
		if known(h) {
			score += 100
		}
	}
	for range 20 {
		cells, err := r.Read()
		if err != nil {
			break
		}
		if len(cells) == len(header) {
			score += 10
		} else {
			score -= 60
		}
	}
	return max(score, 1)
}

// firstFilled returns the first line with anything in it.
func firstFilled(r *csv.Reader) []string {
	for {
		cells, err := r.Read()
		if err != nil {
			return nil
		}
		if !(Record{Cells: cells}).isBlank() {
			return cells
		}
	}
}

// noDelimiterError explains why no delimiter fits the headings.
func noDelimiterError(body string, opts Options) error {
	first, _, _ := strings.Cut(strings.TrimLeft(body, "\r\n"), "\n")
	if strings.Contains(first, "|") {
		return invalidError(`the cells are separated by "|": use a comma, a semicolon or a tab`)
	}
	return invalidError("no delimiter found: the first line, %s, must name the columns %s, separated by comma, semicolon or tab",
		Quote(first), opts.Headings)
}
