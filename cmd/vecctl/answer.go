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
