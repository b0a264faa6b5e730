package boltfile

import "context"

// Prune removes what look finds, in one transaction, and returns how many that
// were. Most of the time there is nothing, and then nothing is written.
func Prune[X, T any](ctx context.Context, read, write func(context.Context, func(X) error) error,
	look func(X) ([]T, error), drop func(X, T) error) (int, error) {
	old, err := RunTx(ctx, read, look)
	if err != nil || len(old) == 0 {
		return 0, err
	}
	return RunTx(ctx, write, func(t X) (int, error) {
		// Looked up again: they may have changed between the two transactions.
		old, err := look(t)
		if err != nil {
			return 0, err
		}
		for _, one := range old {
			if err := drop(t, one); err != nil {
				return 0, err
			}
		}
		return len(old), nil
	})
}
