package main

import "github.com/urfave/cli/v2"

// formatAndArgs checks the number of arguments and returns the output format. The text
// what names the argument that may be missing.
func formatAndArgs(c *cli.Context, arguments int, what string) (outputFormat, error) {
	if err := requireArgs(c, arguments, what); err != nil {
		return "", err
	}
	return parseOutputFormat(c)
}

// listAction returns the action of a command whose result is a list.
func listAction[T any](w environment, arguments int, what string, shown list[T], call func(*cli.Context, *session) ([]T, error)) cli.ActionFunc {
	return func(c *cli.Context) error {
		form, err := formatAndArgs(c, arguments, what)
		if err != nil {
			return err
		}
		return withSession(c, w, func(s *session) error {
			all, err := call(c, s)
			if err != nil {
				return err
			}
			return shown.print(w.stdout, form, all)
		})
	}
}

// objectAction returns the action of a command whose result is one object.
func objectAction[T any](w environment, arguments int, what string, fields func(T) [][2]string, call func(*cli.Context, *session) (T, error)) cli.ActionFunc {
	return func(c *cli.Context) error {
		form, err := formatAndArgs(c, arguments, what)
		if err != nil {
			return err
		}
		return withSession(c, w, func(s *session) error {
			result, err := call(c, s)
			if err != nil {
				return err
			}
			return printFields(w.stdout, form, result, fields(result))
		})
	}
}

// forEachNamed calls act for each name, prints the errors as they occur, and then prints
// the results of the successful calls.
func forEachNamed[T any](w environment, f outputFormat, names []string, shown list[T], act func(name string) (T, error)) error {
	var done []T
	var failed error
	for _, name := range names {
		result, err := act(name)
		if err != nil {
			printLinef(w, "%s: %v", name, err)
			failed = err
			continue
		}
		done = append(done, result)
	}
	return printPartial(w, f, shown, done, failed)
}

// printPartial prints the results of the successful calls. The error failed is that of the
// last call that failed; nil when all succeeded.
func printPartial[T any](w environment, f outputFormat, shown list[T], done []T, failed error) error {
	if failed != nil && len(done) == 0 {
		return exitStatus(exitCode(failed))
	}
	if err := shown.print(w.stdout, f, done); err != nil {
		return err
	}
	if failed != nil {
		return exitStatus(exitPartly)
	}
	return nil
}
