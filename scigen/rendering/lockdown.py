"""The system calls that take power away from a process: rlimits, capabilities, Landlock, seccomp, namespaces. Linux.

Everything here acts on the calling process and cannot be undone by it. Numbers come from the kernel's headers
(linux/landlock.h, linux/seccomp.h, linux/sched.h, linux/mount.h, asm/unistd.h); Python 3.11 has no call for them, and
the wrappers on PyPI need a system library. What is taken from whom is decided in `zygote` and `namespaces`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_GET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 21, 36, 38
SYS_LANDLOCK_CREATE, SYS_LANDLOCK_ADD, SYS_LANDLOCK_RESTRICT = 444, 445, 446  # the same on both machines
MACHINE = platform.machine()

# Landlock rights (linux/landlock.h). A script may read its libraries and fonts, and write plain files in its folder.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = 1, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5
_MAKE_DIR, _MAKE_REG, _TRUNCATE = 1 << 7, 1 << 8, 1 << 14
_READ = _READ_FILE | _READ_DIR
_WORK = _READ | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _TRUNCATE
_ON_FILES = _EXECUTE | _READ_FILE | _WRITE_FILE | _TRUNCATE
_KNOWN_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # ABI to number of file-system rights; from 5 on there are 16

_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000

# What NumPy, Matplotlib and Pillow need; no fork, exec, kill, socket, mount, ptrace, link, chmod.
# fmt: off
_X86 = {
    "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7, "lseek": 8, "mmap": 9,
    "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15,
    "pread64": 17, "pwrite64": 18, "readv": 19, "writev": 20, "access": 21, "pipe": 22, "select": 23,
    "sched_yield": 24, "mremap": 25, "madvise": 28, "dup": 32, "dup2": 33, "nanosleep": 35, "getpid": 39, "exit": 60,
    "uname": 63, "fsync": 74, "ftruncate": 77, "getdents": 78, "getcwd": 79, "chdir": 80, "rename": 82, "mkdir": 83,
    "rmdir": 84, "unlink": 87, "readlink": 89, "gettimeofday": 96, "getrusage": 98, "sysinfo": 99, "times": 100,
    "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "getppid": 110, "getgroups": 115,
    "sigaltstack": 131, "sched_getparam": 143, "sched_getscheduler": 145, "arch_prctl": 158, "gettid": 186,
    "time": 201, "futex": 202, "sched_getaffinity": 204, "getdents64": 217, "set_tid_address": 218,
    "restart_syscall": 219, "fadvise64": 221, "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230,
    "exit_group": 231, "openat": 257, "mkdirat": 258, "newfstatat": 262, "unlinkat": 263, "renameat": 264,
    "readlinkat": 267, "faccessat": 269, "pselect6": 270, "ppoll": 271, "set_robust_list": 273, "dup3": 292,
    "pipe2": 293, "getrandom": 318, "statx": 332, "rseq": 334, "faccessat2": 439,
}
_ARM = {
    "getcwd": 17, "dup": 23, "dup3": 24, "mkdirat": 34, "unlinkat": 35, "renameat": 38, "ftruncate": 46,
    "faccessat": 48, "chdir": 49, "openat": 56, "close": 57, "pipe2": 59, "getdents64": 61, "lseek": 62, "read": 63,
    "write": 64, "readv": 65, "writev": 66, "pread64": 67, "pwrite64": 68, "pselect6": 72, "ppoll": 73,
    "readlinkat": 78, "newfstatat": 79, "fstat": 80, "fsync": 82, "exit": 93, "exit_group": 94,
    "set_tid_address": 96, "futex": 98, "set_robust_list": 99, "nanosleep": 101, "clock_gettime": 113,
    "clock_getres": 114, "clock_nanosleep": 115, "sched_getscheduler": 120, "sched_getparam": 121,
    "sched_getaffinity": 123, "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134,
    "rt_sigprocmask": 135, "rt_sigreturn": 139, "times": 153, "getgroups": 158, "uname": 160, "getrusage": 165,
    "gettimeofday": 169, "getpid": 172, "getppid": 173, "getuid": 174, "geteuid": 175, "getgid": 176,
    "getegid": 177, "gettid": 178, "sysinfo": 179, "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222,
    "fadvise64": 223, "mprotect": 226, "madvise": 233, "getrandom": 278, "statx": 291, "rseq": 293,
    "faccessat2": 439,
}
# What a program needs besides that is put in a child's place.
_EXECVE = {"x86_64": {"execve": 59}, "aarch64": {"execve": 221}}
# Machine to (audit architecture, plain calls, fcntl, ioctl, clone, prlimit64, seccomp, capset, pivot_root).
_TABLES = {
    "x86_64": (0xC000003E, _X86, 72, 16, 56, 302, 317, 126, 155),
    "aarch64": (0xC00000B7, _ARM, 25, 29, 220, 261, 277, 91, 41),
}
# fmt: on
_CLONE3 = 435

# linux/sched.h and linux/mount.h
NEW_MOUNTS, NEW_IPC, NEW_USER, NEW_NET = 0x20000, 0x8000000, 0x10000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = (
    *(1, 2, 4, 8),
    *(0x20, 0x1000, 0x4000, 0x40000),
)
MNT_DETACH = 2
MADV_COLLAPSE = 25


def _syscall(number: int, *args: object) -> int:
    result: int = _libc.syscall(
        ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in (*args,)]
    )
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), f"system call {number}")
    return result


def prctl(option: int, value: int = 0) -> int:
    """prctl(2). Raises OSError."""
    result: int = _libc.prctl(*[ctypes.c_ulong(a) for a in (option, value, 0, 0, 0)])
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), f"prctl {option}")
    return result


def _checked(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)


def unshare(flags: int) -> None:
    """unshare(2): leave the namespaces named by NEW_* flags for new ones. Raises OSError."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, options: str | None = None) -> None:
    """mount(2). Raises OSError."""
    texts = [None if t is None else t.encode() for t in (source, target, kind, options)]
    _checked(_libc.mount(*texts[:3], ctypes.c_ulong(flags), texts[3]), f"mount {kind or source} on {target}")


def pivot_root(new: str, old: str) -> None:
    """pivot_root(2): make the mount at `new` the root, put the old root at `old` and let it go. Raises OSError."""
    _syscall(_TABLES[MACHINE][8], ctypes.c_char_p(new.encode()), ctypes.c_char_p((new + old).encode()))
    os.chdir("/")
    _checked(_libc.umount2(old.encode(), ctypes.c_int(MNT_DETACH)), f"umount {old}")


def landlock_abi() -> int:
    """Version of Landlock that the kernel offers, 0 for none."""
    try:
        return _syscall(SYS_LANDLOCK_CREATE, None, 0, 1)
    except OSError:
        return 0


def missing() -> tuple[str, ...]:
    """What this host lacks for running untrusted code; empty if all is there."""
    if platform.system() != "Linux" or MACHINE not in _TABLES:
        return (f"Linux on {' or '.join(_TABLES)} (this is {platform.system()} on {MACHINE})",)
    lacks = []
    if landlock_abi() < 1:
        lacks.append("Landlock (kernel 5.13 or newer with `landlock` in the lsm= list)")
    if not has_seccomp():
        lacks.append("seccomp (CONFIG_SECCOMP_FILTER)")
    return tuple(lacks)


def has_seccomp() -> bool:
    """Whether the kernel takes system-call filters."""
    try:
        prctl(PR_GET_SECCOMP)
    except OSError:
        return False
    return True


def die_with_parent(by: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send this process a signal when the process (thread) that made it ends."""
    prctl(PR_SET_PDEATHSIG, by)


def become_subreaper() -> None:
    """Become the parent of every descendant whose own parent ends."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def undumpable() -> None:
    """Close /proc/<pid> of this process to others of the same user, and ptrace."""
    prctl(PR_SET_DUMPABLE, 0)


def no_new_privileges() -> None:
    """No set-uid program gives this process anything; needed before Landlock and seccomp."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities() -> None:
    """Empty the capability sets (root keeps its number and loses its power)."""
    header = ctypes.create_string_buffer(struct.pack("Ii", 0x20080522, 0), 8)
    _syscall(_TABLES[MACHINE][7], header, ctypes.create_string_buffer(24))


def limit_resources(address_space: int, cpu_s: int, file_size: int, files: int = 64) -> None:
    """Set the rlimits: bytes of address space, seconds of CPU, bytes a file, open files; no core, no locked memory."""
    for what, soft, hard in (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_AS, address_space, address_space),
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),
        (resource.RLIMIT_FSIZE, file_size, file_size),
        (resource.RLIMIT_NOFILE, files, files),
        (resource.RLIMIT_MEMLOCK, 0, 0),
    ):
        resource.setrlimit(what, (soft, hard))


def landlock_ruleset(read: Iterable[Path], work: Path, execute: Iterable[Path] = ()) -> int:
    """File descriptor of a Landlock rule set: read below `read`, write below `work`, nothing else, no TCP.

    `execute`: programs, and what loads them, that may be put in the process's place.

    Paths that do not exist are left out. From ABI 6 on, signals and abstract sockets to the outside are cut too.
    """
    abi = landlock_abi()
    rights = (1 << _KNOWN_RIGHTS.get(abi, 16)) - 1
    fields = [rights, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0]
    attr = struct.pack("QQQ", *fields)[: 8 if abi < 4 else 16 if abi < 6 else 24]
    ruleset = _syscall(SYS_LANDLOCK_CREATE, ctypes.create_string_buffer(attr, len(attr)), len(attr), 0)
    for path in read:
        _landlock_add(ruleset, path, _READ & rights)
    for path in execute:
        _landlock_add(ruleset, path, (_EXECUTE | _READ_FILE) & rights)
    _landlock_add(ruleset, work, _WORK & rights)
    return ruleset


def _landlock_add(ruleset: int, path: Path, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError, NotADirectoryError):
        return
    try:
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            rights &= _ON_FILES
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, fd), 12)
        _syscall(SYS_LANDLOCK_ADD, ruleset, 1, rule, 0)
    finally:
        os.close(fd)


def landlock_restrict(ruleset: int) -> None:
    """Put this process under the rule set. Raises OSError."""
    _syscall(SYS_LANDLOCK_RESTRICT, ruleset, 0)


def seccomp_program(execve: bool = False) -> bytes:
    """The BPF filter: allowed calls pass, others give EPERM; a call of a foreign architecture kills.

    `execve`: also let the process become another program; which one is Landlock's affair.

    clone3 gives ENOSYS, upon which glibc takes clone, of which only threads are allowed.
    """
    load, equal, at_least, has_bits, give = 0x20, 0x15, 0x35, 0x45, 0x06
    arch, plain, fcntl, ioctl, clone, prlimit, *_ = _TABLES[MACHINE]
    eperm = _ERRNO | errno.EPERM

    def op(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
        return struct.pack("HBBI", code, yes, no, k)

    number, arg0, arg1, arg2_low, arg2_high = 0, 16, 24, 32, 36
    program = [op(load, 4), op(equal, arch, 1, 0), op(give, _KILL), op(load, number)]
    if MACHINE == "x86_64":  # the x32 calls hide above this bit
        program += [op(at_least, 0x40000000, 0, 1), op(give, _KILL)]
    for nr in (*plain.values(), *(_EXECVE[MACHINE].values() if execve else ())):
        program += [op(equal, nr, 0, 1), op(give, _ALLOW)]
    program += [op(equal, _CLONE3, 0, 1), op(give, _ERRNO | errno.ENOSYS)]
    clone_thread = 0x10000
    program += [
        op(equal, clone, 0, 4),
        op(load, arg0),
        op(has_bits, clone_thread, 0, 1),
        op(give, _ALLOW),
        op(give, eperm),
    ]
    program += [  # prlimit64 may read limits (no new value), not set them
        op(equal, prlimit, 0, 6),
        op(load, arg2_low),
        op(equal, 0, 0, 3),
        op(load, arg2_high),
        op(equal, 0, 0, 1),
        op(give, _ALLOW),
        op(give, eperm),
    ]
    program += [  # ioctl: isatty and close-on-exec
        op(equal, ioctl, 0, 6),
        op(load, arg1),
        op(equal, 0x5401, 3, 0),
        op(equal, 0x5450, 2, 0),
        op(equal, 0x5451, 1, 0),
        op(give, _ERRNO | errno.ENOTTY),
        op(give, _ALLOW),
    ]
    program += [  # fcntl: F_DUPFD to F_SETFL, and F_DUPFD_CLOEXEC
        op(equal, fcntl, 0, 5),
        op(load, arg1),
        op(equal, 1030, 2, 0),
        op(at_least, 5, 0, 1),
        op(give, eperm),
        op(give, _ALLOW),
    ]
    return b"".join([*program, op(give, eperm)])


def seccomp_restrict(program: bytes) -> None:
    """Put this process, and any thread it makes, under the filter. Raises OSError."""
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(code)), 16)
    _syscall(_TABLES[MACHINE][6], 1, 0, header)


def collapse_memory(proc: int) -> None:
    """Put this process's private memory into huge pages where the kernel does it: a fork then copies a short table.

    Measured on a warm zygote of 90 MB: fork and exit of a child 9.0 ms before, 3.6 ms after. Linux 6.1 or newer; no
    change elsewhere. What a child writes is still copied by small pages. `proc`: a file descriptor of /proc.
    """
    huge = 2 << 20
    with open(os.open(f"{os.getpid()}/maps", os.O_RDONLY, dir_fd=proc)) as maps:
        areas = [line.split() for line in maps]
    for where, rights, *_, name in (a if len(a) > 5 else [*a, ""] for a in areas):
        if rights == "rw-p" and name in ("", "[heap]"):
            start, end = (int(x, 16) for x in where.split("-"))
            start, end = (start + huge - 1) // huge * huge, end // huge * huge
            if end > start:
                _libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), ctypes.c_int(MADV_COLLAPSE))
