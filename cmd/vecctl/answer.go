package main

import "github.com/urfave/cli/v2"

// formFor is the form of output of a command that has so many arguments; what names
// the one that is missing.
func formFor(c *cli.Context, arguments int, what string) (form, error) {
	if err := exactly(c, arguments, what); err != nil {
		return "", err
	}
	return formOf(c)
}

// rows prepares a command whose result is a list.
func rows[T any](w world, arguments int, what string, shown list[T], call func(*cli.Context, *session) ([]T, error)) cli.ActionFunc {
	return func(c *cli.Context) error {
		form, err := formFor(c, arguments, what)
		if err != nil {
			return err
		}
		return with(c, w, func(s *session) error {
			all, err := call(c, s)
			if err != nil {
				return err
			}
			return shown.print(w.stdout, form, all)
		})
	}
}

// one prepares a command whose result is one object.
func one[T any](w world, arguments int, what string, fields func(T) [][2]string, call func(*cli.Context, *session) (T, error)) cli.ActionFunc {
	return func(c *cli.Context) error {
		form, err := formFor(c, arguments, what)
		if err != nil {
			return err
		}
		return with(c, w, func(s *session) error {
			result, err := call(c, s)
			if err != nil {
				return err
			}
			return printFields(w.stdout, form, result, fields(result))
		})
	}
}

// each does something to everything that is named, says what failed, and prints the
// rest.
func each[T any](w world, f form, names []string, shown list[T], act func(name string) (T, error)) error {
	var done []T
	var failed error
	for _, name := range names {
		result, err := act(name)
		if err != nil {
			say(w, "%s: %v", name, err)
			failed = err
			continue
		}
		done = append(done, result)
	}
	return partly(w, f, shown, done, failed)
}

// partly prints what was done; failed is the last thing that was not, which is nil
// when all was.
func partly[T any](w world, f form, shown list[T], done []T, failed error) error {
	if failed != nil && len(done) == 0 {
		return outcome(exitCode(failed))
	}
	if err := shown.print(w.stdout, f, done); err != nil {
		return err
	}
	if failed != nil {
		return outcome(exitPartly)
	}
	return nil
}
