package prompt

import (
	"context"
	"errors"
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"

	"github.com/vecctl/vecctl/tui/ui"
)

// form asks all questions on one screen. A person can go back, and sees an error at its
// question.
func (t Terminal) form(ctx context.Context, matter string, questions []Question, given []string) error {
	options := []tea.ProgramOption{tea.WithInput(t.In), tea.WithOutput(t.Out), tea.WithEnvironment(t.Env), tea.WithoutSignalHandler()}
	if t.NoColour {
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
	}
	p := tea.NewProgram(newFormModel(matter, questions, given), options...)
	// The terminal is also restored when ctx ends.
	release := context.AfterFunc(ctx, p.Quit)
	defer release()
	last, err := p.Run()
	s, _ := last.(formModel)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, tea.ErrInterrupted), err == nil && !s.done:
		return context.Canceled
	case err != nil:
		return err
	}
	copy(given, s.answers)
	return nil
}

// formModel is the form on the screen. One question is open; the others have one line each,
// so that the form fits on small terminals.
type formModel struct {
	topic     string
	questions []Question
	answers   []string
	at        int // the open question
	in        textinput.Model
	problem   string
	done      bool
	width     int
	height    int // of the lines above the help, the largest so far
	look      ui.Theme
}

func newFormModel(matter string, questions []Question, given []string) formModel {
	const width = 80
	s := formModel{topic: matter, questions: questions, answers: slices.Clone(given), width: width, look: ui.NewTheme(true, false)}
	s.open(0)
	return s
}

// open opens a question.
func (s *formModel) open(at int) {
	s.at, s.problem = at, ""
	s.in = textinput.New()
	s.in.Prompt = ""
	styles := s.in.Styles()
	styles.Focused, styles.Blurred, styles.Cursor.Blink = textinput.StyleState{}, textinput.StyleState{}, false
	s.in.SetStyles(styles)
	s.in.KeyMap.Paste.SetEnabled(false) // the terminal pastes
	if s.questions[at].Secret {
		s.in.EchoMode = textinput.EchoPassword
	}
	s.in.SetWidth(s.room())
	s.in.SetValue(s.answers[at])
	_ = s.in.Focus() // the cursor does not blink
}

// room returns the number of columns for an answer, without the cursor after it.
func (s *formModel) room() int { return max(1, s.width-len(indent)-1) }

// Init implements tea.Model.
func (s formModel) Init() tea.Cmd { return nil }

// Update implements tea.Model. Keys go to the question that is open when they are handled,
// even if they were typed ahead.
func (s formModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = msg.Width, 0
		s.in.SetWidth(s.room())
		s.in.SetCursor(s.in.Position()) // scrolls to the cursor
	case tea.KeyPressMsg:
		s, cmd = s.handleKey(msg)
	default:
		s, cmd = s.handleInput(msg)
	}
	s.height = max(s.height, s.maxHeight())
	return s, cmd
}

func (s formModel) handleKey(msg tea.KeyPressMsg) (formModel, tea.Cmd) {
	choices := s.questions[s.at].Choices
	switch key := msg.String(); {
	case key == "ctrl+c", key == "ctrl+d":
		return s, tea.Interrupt
	case key == "enter", key == "tab":
		return s.next()
	case key == "shift+tab", key == "up" && len(choices) == 0:
		if s.at > 0 {
			s.open(s.at - 1)
		}
		return s, nil
	case key == "down" && len(choices) == 0:
		return s.next()
	case len(choices) == 0:
		return s.handleInput(msg)
	case key == "up" || key == "down":
		step := 1
		if key == "up" {
			step = -1
		}
		s.choose(s.chosen() + step)
	case len(key) == 1 && key[0] >= '1' && key[0] <= '9':
		s.choose(int(key[0] - '1'))
	}
	return s, nil
}

func (s formModel) handleInput(msg tea.Msg) (formModel, tea.Cmd) {
	if len(s.questions[s.at].Choices) > 0 {
		return s, nil
	}
	s.problem = ""
	var cmd tea.Cmd
	s.in, cmd = s.in.Update(msg)
	s.answers[s.at] = s.in.Value()
	return s, cmd
}

func (s formModel) next() (formModel, tea.Cmd) {
	if err := s.questions[s.at].validate(s.answers[s.at]); err != nil {
		s.problem = err.Error()
		return s, nil
	}
	if s.at == len(s.questions)-1 {
		s.done = true
		return s, tea.Quit
	}
	s.open(s.at + 1)
	return s, nil
}

func (s formModel) chosen() int {
	return max(0, slices.IndexFunc(s.questions[s.at].Choices, func(c Choice) bool { return c.Value == s.answers[s.at] }))
}

func (s formModel) choose(n int) {
	if choices := s.questions[s.at].Choices; n >= 0 && n < len(choices) {
		s.answers[s.at] = choices[n].Value
	}
}

const indent = "    "

// View implements tea.Model.
func (s formModel) View() tea.View {
	lines := []string{s.look.Strong.Render(s.topic)}
	for i, q := range s.questions {
		if i == s.at {
			lines = append(lines, s.openLines(q)...)
			continue
		}
		lines = append(lines, ansi.Truncate("  "+q.Title+": "+q.displayAnswer(s.answers[i]), s.width, "…"))
	}
	// The number of lines never decreases, so that each view covers the one before.
	for len(lines) < max(s.height, s.maxHeight()) {
		lines = append(lines, "")
	}
	help := "enter next   shift+tab back   ctrl+c stop"
	if len(s.questions[s.at].Choices) > 0 {
		help = "up, down choose   " + help
	}
	if s.done {
		help = ""
	}
	lines = append(lines, s.look.Dim.Render(ansi.Truncate(help, s.width, "…")))
	return tea.NewView(strings.Join(lines, "\n") + "\n")
}

// maxHeight returns the number of lines above the help for the tallest question.
func (s formModel) maxHeight() int {
	tallest := 0
	for i, q := range s.questions {
		if i != s.at {
			s.problem = ""
		}
		tallest = max(tallest, len(s.openLines(q)))
	}
	return 1 + len(s.questions) - 1 + tallest
}

// openLines draws the open question.
func (s formModel) openLines(q Question) []string {
	lines := []string{s.look.Strong.Render("> " + q.Title)}
	write := func(text string, hang int, ink ui.Style) {
		for line := range strings.SplitSeq(ui.WrapText(text, max(1, s.width-len(indent)), hang), "\n") {
			lines = append(lines, indent+ink.Render(line))
		}
	}
	write(q.Why, 0, s.look.Dim)
	for i, c := range q.Choices {
		mark, ink := "( ) ", ui.Style{}
		if i == s.chosen() {
			mark, ink = "(x) ", s.look.Strong
		}
		write(mark+c.Text, len(mark), ink)
	}
	if len(q.Choices) == 0 {
		lines = append(lines, indent+s.in.View())
	}
	complaint := ""
	if s.problem != "" {
		complaint = "! " + s.problem
	}
	write(complaint, 0, s.look.Bad)
	return lines
}

// displayAnswer returns an answer as it is shown when its question is closed.
func (q Question) displayAnswer(answer string) string {
	if q.Secret {
		return strings.Repeat("*", min(8, len(answer)))
	}
	for _, c := range q.Choices {
		if c.Value == answer {
			return c.Text
		}
	}
	return answer
}
