"""Hostile scripts of ours, what must hold against each, and its status; see `hostile_scripts`. Not a test itself.

What they try does no harm where it is let through: a file is cut to the length it has, renamed to itself, a folder is
unlinked as if it were a file. With the walls up these are refused before the kernel looks at what they would do.
"""

from __future__ import annotations

from hostile_scripts import ERROR, MEMORY, OK, OVER, Attack

_TOOLS = """
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
REFUSED = (errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOENT, errno.ENOSYS, errno.ENOTTY, errno.EXDEV)
doors = []
def closed(name, act, *args):
    ctypes.set_errno(0)
    try:
        code = ctypes.get_errno() if act(*args) == -1 else 0
    except OSError as e:
        code = e.errno
    if code not in REFUSED:
        doors.append(f'{name} ({code})')
"""
_END = """
assert not doors, 'LEAK: ' + ', '.join(doors)
import matplotlib.pyplot as plt
plt.plot([1, 2])
"""
_PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\n"


def _refused(body: str) -> str:
    """A script that goes through with its drawing if every door was closed."""
    return _TOOLS + body + _END


OWN = {
    "missing_module": Attack("a missing module is an error", (ERROR,), "import nowhere_to_be_found\n" + _PLOT),
    "no_process": Attack(
        "no process by fork, vfork, clone, posix_spawn or a program in memory",
        (OK,),
        _refused(r"""
closed('fork', libc.fork)
closed('os.fork', os.fork)
closed('vfork', libc.vfork)
closed('clone', libc.syscall, 56 if os.uname().machine == 'x86_64' else 220, 17, 0, 0, 0, 0)
closed('clone3', libc.syscall, 435, ctypes.create_string_buffer(88), 88)
closed('posix_spawn', lambda: os.posix_spawn(sys.executable, [sys.executable, '-c', ''], {}))
closed('memfd_create', libc.memfd_create, b'x', 0)
closed('fexecve', lambda: os.execve(os.open(os.__file__, os.O_RDONLY), ['x'], {}))
"""),
    ),
    "no_other_identity": Attack(
        "no other user, group, owner, mode, capability or priority",
        (OK,),
        _refused(r"""
open('own', 'w').close()
closed('setuid', libc.setuid, 0)
closed('setresuid', libc.setresuid, 1, 1, 1)
closed('setgroups', libc.setgroups, 0, None)
closed('chmod', os.chmod, 'own', 0o4755)
closed('chown', os.chown, 'own', 1, 1)
closed('setxattr', os.setxattr, 'own', 'user.x', b'x')
closed('capset', libc.capset, ctypes.create_string_buffer(bytes.fromhex('2205082000000000')), None)
closed('nice', os.setpriority, os.PRIO_PROCESS, 0, -5)
closed('affinity', os.sched_setaffinity, 0, {0})
closed('scheduler', os.sched_setscheduler, 0, os.SCHED_IDLE, os.sched_param(0))
import resource
closed('rlimit', lambda: resource.prlimit(0, resource.RLIMIT_AS, (-1, -1)))
"""),
    ),
    "no_memory_of_others": Attack(
        "no memory or file of another process by /proc, process_vm, ptrace or pidfd",
        (OK,),
        _refused(r"""
for who in ('self', os.getppid(), 1):
    for what in ('mem', 'environ', 'maps', 'fd', 'root'):
        closed(f'/proc/{who}/{what}', os.open, f'/proc/{who}/{what}', os.O_RDONLY)
closed('/proc/self/mem', os.open, '/proc/self/mem', os.O_RDWR)
closed('oom', os.open, '/proc/self/oom_score_adj', os.O_WRONLY)
closed('process_vm_readv', libc.process_vm_readv, os.getppid(), None, 0, None, 0, 0)
closed('process_vm_writev', libc.process_vm_writev, os.getppid(), None, 0, None, 0, 0)
closed('ptrace', libc.ptrace, 0, 0, 0, 0)
closed('pidfd_open', libc.syscall, 434, os.getppid(), 0)
closed('pidfd_getfd', libc.syscall, 438, 0, 0, 0)
closed('kcmp', libc.syscall, 312 if os.uname().machine == 'x86_64' else 272, 1, 1, 0, 0, 0)
"""),
    ),
    "no_way_out_of_the_root": Attack(
        "no mount, namespace or other root",
        (OK,),
        _refused(r"""
closed('mount', libc.mount, b'none', b'.', b'no_such_kind', 0, None)
closed('remount', libc.mount, b'none', b'.', None, 0x1020, None)
closed('umount', libc.umount2, b'.', 2)
closed('chroot', os.chroot, '.')
closed('pivot_root', libc.syscall, 155 if os.uname().machine == 'x86_64' else 41, b'.', b'.')
closed('unshare', libc.unshare, 0x10000000)
closed('setns', libc.setns, 0, 0)
closed('open_tree', libc.syscall, 428, -100, b'/', 1)
closed('fsopen', libc.syscall, 430, b'tmpfs', 0)
closed('open_by_handle_at', libc.open_by_handle_at, -100, None, 0)
os.chdir('/')
for path in ('.', '/proc', '/sys', '/etc', '/home', '/root', '/tmp', '/var', '/dev'):
    closed(path, os.listdir, path)
closed('/etc/passwd', os.open, '/etc/passwd', os.O_RDONLY)
closed('..', os.open, '../../../../etc/passwd', os.O_RDONLY)
"""),
    ),
    "no_kernel_queues": Attack(
        "no io_uring, bpf, keys, queues or shared memory that would outlive the process",
        (OK,),
        _refused(r"""
closed('io_uring', libc.syscall, 425, 8, ctypes.create_string_buffer(120))
closed('shmget', libc.shmget, 0x1ab, 4096, 0o1600)
closed('msgget', libc.msgget, 0x1ab, 0o1600)
closed('semget', libc.semget, 0x1ab, 1, 0o1600)
closed('eventfd', libc.eventfd, 0, 0)
closed('inotify', libc.inotify_init)
closed('timer', libc.timerfd_create, 0, 0)
closed('socketpair', libc.socketpair, 1, 1, 0, ctypes.create_string_buffer(8))
closed('personality', libc.personality, 0x40000)
closed('dumpable', libc.prctl, 4, 1, 0, 0, 0)
closed('seccomp', libc.prctl, 22, 0, 0, 0, 0)
closed('tty', lambda: __import__('fcntl').ioctl(0, 0x5412, b'x'))
"""),
    ),
    "no_fonts_spoilt": Attack(
        "fonts, libraries and the font cache can be read, not changed, moved or removed",
        (OK,),
        _refused(r"""
import matplotlib
from matplotlib import font_manager
cache = matplotlib.get_cachedir()
files = [font_manager.findfont('DejaVu Sans'), os.__file__, matplotlib.__file__]
for path in files + [os.path.join(cache, f) for f in os.listdir(cache)]:
    with open(path, 'rb') as f:
        f.read(1)
    now, folder = os.stat(path), os.path.dirname(path)
    closed('write ' + path, os.open, path, os.O_RDWR)
    closed('truncate ' + path, os.truncate, path, now.st_size)
    closed('rename ' + path, os.rename, path, path)
    closed('unlink in ' + folder, os.unlink, folder)
    closed('rmdir ' + folder, os.rmdir, folder)
    closed('link ' + path, os.link, path, 'here')
    closed('utime ' + path, lambda: os.utime(path, ns=(now.st_atime_ns, now.st_mtime_ns)))
closed('new', os.open, os.path.join(cache, 'lab_canary'), os.O_CREAT | os.O_WRONLY)
"""),
    ),
    "no_lock_held": Attack(
        "no lock on a file that others use",
        (OK,),
        _refused(r"""
import fcntl
with open(os.__file__) as f:
    closed('flock', fcntl.flock, f, fcntl.LOCK_EX)
    closed('lockf', fcntl.lockf, f, fcntl.LOCK_SH)
    closed('lease', fcntl.fcntl, f, 1024, 0)
    closed('notify', fcntl.fcntl, f, 1026, 1)
"""),
    ),
    "no_inherited_file": Attack(
        "no open file but the null device and the reply",
        (OK,),
        _refused(r"""
for fd in range(4096):
    try:
        os.fstat(fd)
    except OSError:
        continue
    if fd > 3:
        doors.append(f'fd {fd}')
"""),
    ),
    "no_odd_files": Attack(
        "no pipe, device, link or moved work folder",
        (OK,),
        _refused(r"""
import stat
closed('mkfifo', os.mkfifo, 'pipe')
closed('mknod', os.mknod, 'null', stat.S_IFCHR | 0o666, os.makedev(1, 3))
closed('symlink', os.symlink, '/etc', 'etc')
closed('rename', os.rename, os.getcwd(), os.getcwd() + '2')
closed('rmdir', os.rmdir, os.getcwd())
closed('beside', os.mkdir, os.getcwd() + '/../lab_canary')
"""),
    ),
    "foreign_calls": Attack(
        "calls of the x32 kind end the process",
        (ERROR,),
        _TOOLS
        + r"""
libc.syscall(0x40000000 + 39 if os.uname().machine == 'x86_64' else 10**6)
raise OSError('LEAK') if os.uname().machine == 'x86_64' else OSError('no such calls')
""",
    ),
    "stop_itself": Attack(
        "a script cannot stop itself to be kept for ever",
        (ERROR,),
        r"""
import signal
signal.raise_signal(signal.SIGSTOP)
""",
    ),
    "no_alarm": Attack(
        "the wall clock does not need the script's alarm",
        (OVER,),
        r"""
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
signal.signal(signal.SIGALRM, signal.SIG_IGN)
try: signal.setitimer(signal.ITIMER_REAL, 0)
except OSError: pass
while True: pass
""",
    ),
    "all_files_closed": Attack(
        "closing the reply is an end",
        (ERROR,),
        r"""
import os
os.closerange(0, 4096)
while True: pass
""",
    ),
    "half_a_reply": Attack(
        "a reply that does not end is waited for no longer than a script",
        (OVER, ERROR),
        r"""
import os, time
os.write(3, b'\x10\0\0')
time.sleep(99)
""",
    ),
    "no_exit": Attack(
        "the process ends though os._exit does nothing",
        (OK,),
        _PLOT
        + r"""
import os
os._exit = lambda code: None
""",
    ),
    "no_json": Attack(
        "a reply that cannot be written is an error",
        (ERROR,),
        _PLOT
        + r"""
import json
del json.dumps
""",
    ),
    "endless_message": Attack(
        "an error that cannot be printed is an error",
        (ERROR,),
        r"""
class E(Exception):
    def __str__(self): raise ValueError
raise type('E' * 10**7, (E,), {})
""",
    ),
    "folders_nobody_may_enter": Attack(
        "folders without any mode are removed",
        (OK, ERROR),
        r"""
import os
for i in range(9):
    os.mkdir(f'd{i}')
    open(f'd{i}/f', 'w').close()
    os.mkdir(f'd{i}/e', 0)
os.mkdir('n', 0)
"""
        + _PLOT,
    ),
    "deep_folders": Attack(
        "a tree of folders deeper than any path is removed",
        (ERROR,),
        r"""
import os
while True:
    os.mkdir('d' * 200)
    os.chdir('d' * 200)
""",
    ),
    "hidden_files": Attack(
        "the number of files is bounded where they cannot be listed",
        (ERROR,),
        r"""
import itertools, os
os.mkdir('h', 0o300)
for i in itertools.count(): open(f'h/{i}', 'w')
""",
    ),
    "many_files": Attack(
        "the number of files is bounded",
        (ERROR,),
        r"""
import itertools
for i in itertools.count(): open(str(i), 'w')
""",
    ),
    "trickle": Attack(
        "a script that trickles its reply has no more files than others",
        (ERROR,),
        r"""
import itertools, os
os.write(3, b'\x10\0\0\0\0\0\xff\0')
for i in itertools.count():
    os.write(3, b'x')
    open(str(i), 'w').close()
""",
    ),
    "blank_lines": Attack(
        "a script of 300,000 blank lines holds nobody up",
        (OK,),
        "\n" * 300_000 + _PLOT,
    ),
    "many_threads": Attack(
        "the number of threads is bounded",
        (ERROR, MEMORY, OVER),
        r"""
import threading, time
threading.stack_size(1 << 15)
for n in range(1000):
    threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
raise ValueError('LEAK: 1,000 threads')
""",
    ),
    "writes_on": Attack(
        "a thread that goes on writing leaves no file",
        (OK,),
        r"""
import threading
def write():
    i = 0
    while True:
        open(str(i % 50), 'w').write('x' * 999)
        i += 1
threading.Thread(target=write, daemon=True).start()
"""
        + _PLOT,
    ),
}
