"""Runs a program that may make none but the named system calls: seccomp_exec.py NAMES -- PROGRAM ...

Others fail with EPERM, as under SystemCallFilter= with SystemCallErrorNumber=EPERM of systemd.
"""

import ctypes
import errno
import os
import sys

SCMP_ACT_ALLOW = 0x7FFF0000
SCMP_ACT_ERRNO = 0x00050000 | errno.EPERM

seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
seccomp.seccomp_init.restype = ctypes.c_void_p
seccomp.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
seccomp.seccomp_load.argtypes = [ctypes.c_void_p]

end = sys.argv.index("--")
context = seccomp.seccomp_init(SCMP_ACT_ERRNO)
for name in sys.argv[1].split(","):
    number = seccomp.seccomp_syscall_resolve_name(name.encode())
    # Calls of other architectures have no number here.
    if number >= 0 and seccomp.seccomp_rule_add(context, SCMP_ACT_ALLOW, number, 0) != 0:
        sys.exit("seccomp_rule_add failed for " + name)
if seccomp.seccomp_load(context) != 0:
    sys.exit("seccomp_load failed")
os.execv(sys.argv[end + 1], sys.argv[end + 1:])
