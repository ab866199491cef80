"""Where an embedded database may lie: this machine's own disk, and no folder that another program keeps in step."""

from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest

from mlgroup_mail.store.place import Mount, unfit, why_unfit

LINUX = [
    Mount(point="/", kind="ext4", device="/dev/nvme0n1p2", options="rw,relatime"),
    Mount(point="/boot", kind="vfat", device="/dev/nvme0n1p1"),
    Mount(point="/tmp", kind="tmpfs", device="tmpfs"),
    Mount(point="/home", kind="btrfs", device="/dev/nvme0n1p3"),
    Mount(point="/srv/team", kind="nfs4", device="files.example:/team", options="rw,vers=4.2"),
    Mount(point="/srv/team/scratch", kind="xfs", device="/dev/sdb1"),
    Mount(point="/mnt/share", kind="cifs", device="//files.example/share"),
    Mount(point="/mnt/far", kind="fuse.sshfs", device="host.example:/home"),
    Mount(point="/mnt/cloud", kind="fuse.rclone", device="drive:"),
    Mount(point="/mnt/usb", kind="fuseblk", device="/dev/sdc1"),
    Mount(point="/home/ana/private", kind="fuse.gocryptfs", device="/home/ana/.private"),
    Mount(point="/mnt/auto", kind="autofs", device="systemd-1"),
    Mount(point="/mnt/auto", kind="nfs", device="files.example:/auto"),
    Mount(point="/media/host", kind="vboxsf", device="host"),
]
WSL = [
    Mount(point="/", kind="ext4", device="/dev/sdc"),
    Mount(point="/mnt/c", kind="9p", device="C:\\", options="rw,aname=drvfs;path=C:\\;uid=1000"),
]
SANDBOX = [Mount(point="/", kind="9p", device="none", options="rw,trans=fd")]
MACOS = [
    Mount(point="/", kind="apfs", device="/dev/disk3s1"),
    Mount(point="/System/Volumes/Data", kind="apfs", device="/dev/disk3s5"),
    Mount(point="/Volumes/team", kind="smbfs", device="//ana@files.example/team"),
    Mount(point="/Volumes/old", kind="afpfs", device="afp://files.example/old"),
    Mount(point="/Volumes/far", kind="macfuse", device="host.example:/home"),
]
WINDOWS = [
    Mount(point="C:\\", kind="NTFS", device="C:\\", options="rw,fixed"),
    Mount(point="Z:\\", kind="NTFS", device="Z:\\", options="rw,remote"),
]

FIT: list[tuple[PurePath, list[Mount]]] = [
    (PurePosixPath("/home/ana/group/var/mlgroup.db"), LINUX),
    (PurePosixPath("/tmp/trial/mlgroup.db"), LINUX),
    (PurePosixPath("/srv/team/scratch/mlgroup.db"), LINUX),
    (PurePosixPath("/srv/teamwork/mlgroup.db"), LINUX),
    (PurePosixPath("/mnt/usb/mlgroup.db"), LINUX),
    (PurePosixPath("/home/ana/private/mlgroup.db"), LINUX),
    (PurePosixPath("/home/dropboxer/my drives/mlgroup.db"), LINUX),
    (PurePosixPath("/home/ana/box/mlgroup.db"), LINUX),
    (PurePosixPath("/home/ana/onedrive.db"), LINUX),
    (PurePosixPath("/home/ana/mlgroup.db"), WSL),
    (PurePosixPath("/srv/mlgroup.db"), SANDBOX),
    (PurePosixPath("/Users/ana/group/var/mlgroup.db"), MACOS),
    (PureWindowsPath("C:\\Users\\ana\\group\\var\\mlgroup.db"), WINDOWS),
    (PurePosixPath("/home/ana/mlgroup.db"), []),
]
UNFIT: list[tuple[PurePath, list[Mount], str]] = [
    (PurePosixPath("/srv/team/group/mlgroup.db"), LINUX, "nfs4"),
    (PurePosixPath("/mnt/share/mlgroup.db"), LINUX, "cifs"),
    (PurePosixPath("/mnt/far/mlgroup.db"), LINUX, "fuse.sshfs"),
    (PurePosixPath("/mnt/cloud/mlgroup.db"), LINUX, "fuse.rclone"),
    (PurePosixPath("/mnt/auto/mlgroup.db"), LINUX, "nfs"),
    (PurePosixPath("/media/host/mlgroup.db"), LINUX, "vboxsf"),
    (PurePosixPath("/home/ana/Dropbox/group/var/mlgroup.db"), LINUX, "Dropbox"),
    (PurePosixPath("/home/ana/Nextcloud/mlgroup.db"), LINUX, "Nextcloud"),
    (PurePosixPath("/home/ana/Nextcloud2/mlgroup.db"), LINUX, "Nextcloud"),
    (PurePosixPath("/home/ana/ownCloud/mlgroup.db"), LINUX, "ownCloud"),
    (PurePosixPath("/home/ana/Syncthing/mlgroup.db"), LINUX, "Syncthing"),
    (PurePosixPath("/home/ana/OneDrive/mlgroup.db"), LINUX, "OneDrive"),
    (PurePosixPath("/mnt/c/Users/ana/mlgroup.db"), WSL, "9p"),
    (PurePosixPath("/Volumes/team/mlgroup.db"), MACOS, "smbfs"),
    (PurePosixPath("/Volumes/old/mlgroup.db"), MACOS, "afpfs"),
    (PurePosixPath("/Volumes/far/mlgroup.db"), MACOS, "macfuse"),
    (PurePosixPath("/Users/ana/Library/CloudStorage/Anything/mlgroup.db"), MACOS, "another service"),
    (PurePosixPath("/Users/ana/Library/CloudStorage/OneDrive-Office/mlgroup.db"), MACOS, "OneDrive"),
    (PurePosixPath("/Users/ana/Library/Mobile Documents/com~apple~CloudDocs/mlgroup.db"), MACOS, "iCloud"),
    (PurePosixPath("/Users/ana/Google Drive/mlgroup.db"), MACOS, "Google Drive"),
    (PureWindowsPath("Z:\\group\\mlgroup.db"), WINDOWS, "Z:"),
    (PureWindowsPath("\\\\files.example\\team\\mlgroup.db"), WINDOWS, "files.example"),
    (PureWindowsPath("C:\\Users\\ana\\OneDrive - Statistics Office\\mlgroup.db"), WINDOWS, "OneDrive"),
    (PureWindowsPath("C:\\Users\\ana\\iCloudDrive\\mlgroup.db"), WINDOWS, "iCloud"),
    (PureWindowsPath("C:\\Users\\ana\\DROPBOX (Office)\\mlgroup.db"), WINDOWS, "Dropbox"),
    (PureWindowsPath("G:\\My Drive\\mlgroup.db"), WINDOWS, "Google Drive"),
]
MARKS = {
    ".stfolder": "Syncthing",
    ".dropbox": "Dropbox",
    ".dropbox.cache": "Dropbox",
    ".sync_4f9a0c1d2e3b.db": "Nextcloud",
    ".nextcloudsync.log": "Nextcloud",
    ".tmp.driveupload": "Google Drive",
    ".849C9593-D756-4E56-8D6E-42412F2A707B": "OneDrive",
}


@pytest.mark.parametrize(("path", "mounts"), FIT, ids=lambda value: str(value) if isinstance(value, PurePath) else "")
def test_this_machine_s_own_disk_is_a_place(path: PurePath, mounts: list[Mount]) -> None:
    assert unfit(path, mounts) == ""


@pytest.mark.parametrize(
    ("path", "mounts", "word"), UNFIT, ids=lambda value: str(value) if isinstance(value, PurePath) else ""
)
def test_a_network_or_a_synchronised_folder_is_none_and_the_reason_names_it(
    path: PurePath, mounts: list[Mount], word: str
) -> None:
    assert word in unfit(path, mounts)


@pytest.mark.parametrize(("mark", "service"), MARKS.items())
def test_a_folder_is_known_by_what_its_program_leaves_there(mark: str, service: str) -> None:
    path = PurePosixPath("/home/ana/office/group/var/mlgroup.db")
    assert service in unfit(path, LINUX, {mark, ".git", ".bashrc"})
    assert unfit(path, LINUX, {".git", ".bashrc", "stfolder", ".sync.db"}) == ""


def test_a_link_into_such_a_folder_does_not_hide_it(tmp_path: Path) -> None:
    synchronised = tmp_path / "Dropbox" / "group"
    synchronised.mkdir(parents=True)
    (tmp_path / "plain").symlink_to(synchronised)
    assert "Dropbox" in why_unfit(tmp_path / "plain" / "mlgroup.db")
    (tmp_path / "Nextcloud").symlink_to(tmp_path)
    assert "Nextcloud" in why_unfit(tmp_path / "Nextcloud" / "mlgroup.db")
    assert why_unfit(tmp_path / "mlgroup.db") == ""


def test_a_marker_above_the_file_is_found_on_disk(tmp_path: Path) -> None:
    (tmp_path / ".stfolder").mkdir()
    (tmp_path / "group" / "var").mkdir(parents=True)
    assert "Syncthing" in why_unfit(tmp_path / "group" / "var" / "mlgroup.db")
