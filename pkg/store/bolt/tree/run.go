package tree

import "context"

// Run runs a function in a transaction, which the first function begins and ends,
// for a caller that wants a result and may have given up.
func Run[X, T any](ctx context.Context, transact func(func(X) error) error, fn func(X) (T, error)) (result T, err error) {
	if err := ctx.Err(); err != nil {
		return result, err
	}
	err = transact(func(t X) (err error) {
		result, err = fn(t)
		return err
	})
	if err != nil {
		return *new(T), err
	}
	return result, nil
}
