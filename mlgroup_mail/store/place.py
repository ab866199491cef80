"""Where an embedded database may lie: on this machine's own disk, in a folder that nothing else writes to.

SQLite's locks and its write-ahead log need one machine's memory and honest locks ("How To Corrupt An SQLite Database
File", 2; "Write-Ahead Logging", which "does not work over a network filesystem"). A program that synchronises a folder
copies files one by one, in the middle of a transaction too, and brings an older copy back.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PureWindowsPath

import psutil

NETWORK_TYPES = frozenset(
    {
        *("nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "ncpfs", "webdav", "davfs", "davfs2"),
        *("9p2000.l", "vboxsf", "prl_fs", "vmhgfs", "drvfs"),
        *("afs", "coda", "ceph", "glusterfs", "lustre", "beegfs", "gpfs", "ocfs2", "gfs2", "orangefs"),
    }
)
"""File systems that other machines write to as well, or that hand locks on to another system."""

_LOCAL_FUSE = frozenset(
    {"fuseblk", *(f"fuse.{name}" for name in ("ntfs-3g", "exfat", "gocryptfs", "encfs", "cryfs", "bindfs", "ecryptfs"))}
)
"""FUSE only in how they are made: their files lie on this machine's disk."""

_WINDOWS_DRIVE = re.compile(r"[A-Za-z]:\\?")

_SYNCHRONISED = {
    "OneDrive": re.compile(r"onedrive( - .+|-.+)?", re.IGNORECASE),
    "SharePoint": re.compile(r"sharepoint( - .+)?", re.IGNORECASE),
    "Dropbox": re.compile(r"dropbox( \(.+\))?", re.IGNORECASE),
    "Google Drive": re.compile(r"google ?drive( \(.+\)|-.+)?|my drive", re.IGNORECASE),
    "iCloud": re.compile(r"icloud ?drive|com~apple~clouddocs|mobile documents", re.IGNORECASE),
    "Nextcloud": re.compile(r"nextcloud\d*", re.IGNORECASE),
    "ownCloud": re.compile(r"owncloud\d*", re.IGNORECASE),
    "Syncthing": re.compile(r"syncthing", re.IGNORECASE),
    "Box": re.compile(r"box( sync|-box)", re.IGNORECASE),
    "another service": re.compile(
        r"cloudstorage|pclouddrive|pcloud drive|synologydrive|megasync|proton drive|kdrive|seafile|tresorit( drive)?",
        re.IGNORECASE,
    ),
}
"""Names that such programs give the folders they keep in step."""

_MARKS = {
    "Syncthing": re.compile(r"\.stfolder"),
    "Dropbox": re.compile(r"\.dropbox(\.cache)?"),
    "Google Drive": re.compile(r"\.tmp\.drive(up|down)load"),
    "Nextcloud or ownCloud": re.compile(r"\._?sync_[0-9a-f]+\.db|\.(nextcloud|owncloud)sync\.log"),
    "OneDrive": re.compile(r"\.849C9593-D756-4E56-8D6E-42412F2A707B", re.IGNORECASE),
}
"""Files that such programs leave at the top of those folders."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mount:
    """What lies where: as psutil tells it. `options` are comma-separated."""

    point: str
    kind: str
    device: str = ""
    options: str = ""


def unfit(path: PurePath, mounts: Sequence[Mount] = (), marks: Collection[str] = ()) -> str:
    """Why a database must not lie at `path`, an absolute one; empty where nothing speaks against it.

    `marks` are the names of files in the folders above it.
    """
    if isinstance(path, PureWindowsPath) and path.drive.startswith("\\\\"):
        return f"it lies on another machine ({path.drive})"
    if (mount := _mount_of(path, mounts)) and _is_shared(mount):
        return f"it lies on a network or shared file system ({mount.kind}, at {mount.point})"
    for service, name in _SYNCHRONISED.items():
        for folder in path.parent.parts:
            if name.fullmatch(folder):
                return f"it lies in a folder that {service} keeps in step with other machines ({folder})"
    for service, name in _MARKS.items():
        for mark in marks:
            if name.fullmatch(mark):
                return f"it lies in a folder that {service} keeps in step with other machines ({mark} stands above it)"
    return ""


def why_unfit(path: Path) -> str:
    """The same of a path on this machine, as it is mounted now."""
    where = path.expanduser().absolute()
    # Both the path that was given and the one that links lead to: either may name such a folder.
    real = where.resolve()
    mounts = [
        Mount(point=each.mountpoint, kind=each.fstype, device=each.device, options=each.opts)
        for each in psutil.disk_partitions(all=True)
    ]
    marks = {name for folder in real.parents for name in _names_in(folder)}
    return unfit(real, mounts, marks) or unfit(where)


def _names_in(folder: Path) -> list[str]:
    try:
        return [each.name for each in folder.iterdir() if each.name.startswith(".")]
    except OSError:
        return []


def _mount_of(path: PurePath, mounts: Sequence[Mount]) -> Mount | None:
    """The mount that the path lies on: the innermost, and of several at one place the one mounted last."""
    found: tuple[int, Mount] | None = None
    for mount in mounts:
        point = type(path)(mount.point)
        if (point == path or point in path.parents) and (found is None or len(point.parts) >= found[0]):
            found = len(point.parts), mount
    return found[1] if found else None


def _is_shared(mount: Mount) -> bool:
    kind = mount.kind.lower()
    if kind.startswith("fuse") or kind in {"macfuse", "osxfuse"}:
        # Of the others nobody knows what they do: sshfs, rclone and s3fs all lie on other machines.
        return kind not in _LOCAL_FUSE
    if kind == "9p":
        # WSL's way to the Windows disks; elsewhere the whole system of a sandbox may lie on 9p.
        return bool(_WINDOWS_DRIVE.fullmatch(mount.device)) or "aname=drvfs" in mount.options
    return kind in NETWORK_TYPES or "remote" in mount.options.split(",")
