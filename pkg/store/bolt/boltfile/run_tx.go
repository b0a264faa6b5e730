package boltfile

import "context"

// RunTx runs a function in a transaction, which the first function begins and ends,
// for a caller that wants a result.
func RunTx[X, T any](ctx context.Context, transact func(context.Context, func(X) error) error, fn func(X) (T, error)) (result T, err error) {
	err = transact(ctx, func(t X) (err error) {
		result, err = fn(t)
		return err
	})
	if err != nil {
		return *new(T), err
	}
	return result, nil
}
