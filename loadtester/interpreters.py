"""Programs that run whatever their arguments or their input say: a list with one of them in it would be no list.

It cannot name all there are. It names those that an image is likely to have, so that nobody allows one by mistake.
"""

import re

SHELLS = "ash bash bats busybox csh dash fish ksh mksh rbash sh tcsh toybox zsh"
LANGUAGES = """awk bun deno erl expect gawk gdb guile java jshell lua luajit mawk nawk node nodejs perl php pypy python
    R Rscript ruby tcc tclsh"""
LAUNCHERS = """at batch chroot chrt crontab doas env flock ionice nice nohup nsenter parallel prlimit runuser script
    setarch setpriv setsid ssh start-stop-daemon stdbuf strace su sudo taskset time timeout unbuffer unshare watch
    xargs"""
OTHERS = """apt apt-get cmake detour docker dpkg ed emacs ex find gcc git go less make man more ncat ninja npm npx nvim
    openssl pip podman rsync scp sed sftp socat tar vi vim zip"""

NAMES = frozenset(" ".join((SHELLS, LANGUAGES, LAUNCHERS, OTHERS)).split())
_LOADER = re.compile(r"ld(-linux.*|-musl.*)?\.so.*")
_VERSION = re.compile(r"[-.\d]+(-.*)?$|-static$")


def is_interpreter(program: str) -> bool:
    """Whether it is one of them, by its bare name; a version at its end, as of python3.11, does not matter."""
    return program in NAMES or _VERSION.sub("", program) in NAMES or bool(_LOADER.fullmatch(program))
