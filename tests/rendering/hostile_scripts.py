"""What hostile scripts try, the property that must hold against each, and the status each must get.

`CORPUS`: the scripts of ../shared/render_corpus/hostile; our own are in `own_attacks`. Not a test itself.
A script that gets through something raises an error that begins with LEAK.
"""

from __future__ import annotations

from typing import NamedTuple

from scigen.records import Status

ERROR, OK, OVER, MEMORY = Status.CODE_ERROR, Status.OK, Status.TIMEOUT, Status.MEMORY
BAD, BLANK = Status.BAD_IMAGE, Status.BLANK


class Attack(NamedTuple):
    """`property`: what holds. `expected`: the statuses it may get. `source`: empty for those of the corpus."""

    property: str
    expected: tuple[Status, ...]
    source: str = ""


CORPUS = {
    "00_infinite_loop": Attack("the wall clock stops a loop", (OVER,)),
    "01_c_loop_regex": Attack("the wall clock stops a loop in C", (OVER,)),
    # beside much other work the clock may come first; MEMORY alone is asked for in test_pool.py
    "03_memory_bomb": Attack("memory is bounded when taken in small parts", (MEMORY, OVER)),
    "04_numpy_4GB": Attack("memory is bounded when taken at once", (MEMORY,)),
    "06_write_outside": Attack("no file is written outside the work folder", (ERROR,)),
    "07_write_site_packages": Attack("no library is written to", (ERROR,)),
    "09_read_env_key": Attack("no key of the environment is readable", (ERROR,)),
    "10_socket_tcp": Attack("no TCP connection", (ERROR,)),
    "12_socket_abstract_unix": Attack("no abstract Unix socket of the host", (ERROR,)),
    "13_os_system": Attack("no shell", (ERROR,)),
    "15_ctypes_syscall_open": Attack("no file by a system call past Python", (ERROR,)),
    "16_ctypes_ptrace_parent": Attack("the parent cannot be traced", (ERROR,)),
    "18_odd_syscalls": Attack("rare system calls are refused", (ERROR,)),
    "19_huge_dpi": Attack("a picture with too many pixels is not drawn", (BAD,)),
    "21_slow_artists": Attack("the wall clock stops a drawing without end", (OVER,)),
    "22_giant_file": Attack("no giant file", (ERROR,)),
    "24_sys_exit": Attack("what was shown before sys.exit counts", (OK,)),
    "25_os__exit": Attack("ending the process is an error", (ERROR,)),
    "27_kill_all_sig0": Attack("no signal to other processes", (ERROR,)),
    # the script leaves at once, meets the clock, or meets the limit on its address space as its last threads start
    "28_spinning_threads": Attack("threads do not outlive the script", (OK, OVER, ERROR)),
    "30_no_show": Attack("a figure that is not shown is kept", (OK,)),
    "31_three_figures": Attack("several figures are kept", (OK,)),
    "33_syntax_error": Attack("a syntax error is an error", (ERROR,)),
    "34_missing_module": Attack("a module named there is imported, RDKit being here, and no figure is blank", (BLANK,)),
    "36_deep_recursion": Attack("recursion past the stack ends one process only", (ERROR, MEMORY, OVER)),
    "37_segfault": Attack("a crash ends one process only", (ERROR,)),
    "39_catch_all_loop": Attack("the wall clock cannot be caught", (OVER,)),
    "40_symlink_output": Attack("no symbolic link to files outside", (ERROR,)),
    "42_forge_reply": Attack("a forged reply is no picture", (BAD, ERROR)),
    "43_flood_reply": Attack("a flooded reply is cut off", (BAD,)),
    "45_copy_and_exec": Attack("no program is started", (ERROR,)),
    "46_list_root": Attack("the root folder is not listed", (ERROR,)),
    "48_dev_shm": Attack("no shared memory is left", (ERROR,)),
    "49_usetex": Attack("no TeX is started", (ERROR,)),
}
