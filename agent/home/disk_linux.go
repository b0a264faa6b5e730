package home

import "golang.org/x/sys/unix"

func diskOf(folder string) (Disk, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil {
		return Disk{}, err
	}
	kind, network := kindOf(int64(st.Type))
	block := uint64(st.Bsize)
	return Disk{Free: st.Bavail * block, Total: st.Blocks * block, Kind: kind, Network: network}, nil
}

// kindOf names a file system by its magic number (statfs(2)).
func kindOf(magic int64) (kind string, network bool) {
	const ceph, fuse, smb2, zfs = 0x00c36400, 0x65735546, 0xfe534d42, 0x2fc12fc1
	switch uint32(magic) {
	case unix.EXT4_SUPER_MAGIC:
		return "ext4", false
	case unix.XFS_SUPER_MAGIC:
		return "xfs", false
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs", false
	case unix.TMPFS_MAGIC:
		return "tmpfs", false
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlay", false
	case zfs:
		return "zfs", false
	case unix.NFS_SUPER_MAGIC:
		return "nfs", true
	case unix.SMB_SUPER_MAGIC, uint32(unix.CIFS_SUPER_MAGIC), smb2:
		return "smb", true
	case unix.AFS_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		return "afs", true
	case unix.CODA_SUPER_MAGIC:
		return "coda", true
	case ceph:
		return "ceph", true
	case unix.V9FS_MAGIC:
		return "9p", true
	case fuse:
		return "fuse", true // sshfs and its like; they send no events
	}
	return "", false
}
