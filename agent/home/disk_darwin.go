package home

import "golang.org/x/sys/unix"

func diskOf(folder string) (Disk, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return Disk{}, err
	}
	block := uint64(st.Bsize)
	return Disk{
		Free: st.Bavail * block, Total: st.Blocks * block,
		Kind: unix.ByteSliceToString(st.Fstypename[:]), Network: st.Flags&unix.MNT_LOCAL == 0,
	}, nil
}
