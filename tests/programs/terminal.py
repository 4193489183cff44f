#!/usr/bin/python3
"""terminal SCENARIO COMMAND...: runs COMMAND, which ends up in an interactive bash, on a terminal of 33 x 101, and
types. Prints one line for each thing that it saw; everything that the terminal showed goes to standard error."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time


class Terminal:
    def __init__(self, command):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
            os.execvp(command[0], command)
        self.text = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.kill(self.pid, signal.SIGWINCH)

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 65536).decode(errors="replace")
        except OSError:
            data = ""
        sys.stderr.write(data)
        self.text += data
        return data != ""

    def expect(self, pattern, seconds=20):
        end = time.monotonic() + seconds
        while True:
            m = re.search(pattern, self.text)
            if m:
                self.text = self.text[m.end():]
                return m
            if time.monotonic() > end or not self.read(max(0.01, end - time.monotonic())) and time.monotonic() > end:
                sys.exit(f"\nnot seen in {seconds} s: {pattern}")

    def type(self, text):
        os.write(self.fd, text.encode())

    def run(self, command):
        """What command prints. The marks are typed in two halves, so that the echo does not match."""
        self.type(f"r=$?; echo BEG''IN; {command}; echo EN''D\r")
        return self.expect(r"BEGIN\r\n((?s:.*?))\r?\n?END\r\n").group(1).replace("\r", "")

    def start(self, command):
        """Starts a program in the foreground, and returns when it runs."""
        self.type(f"sh -c 'echo STAR\"\"TED; exec {command}'\r")
        self.expect("STARTED\r\n")

    def finish(self):
        while self.read(20):
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def sizes(t):
    print(re.sub("[0-9]+", "N", t.run("tty")), t.run("stty size"), t.run("test -t 0 -a -t 1 -a -t 2 && echo all"))
    print(t.run("cmp <(stat -Lc %t,%T $(tty)) <(stat -Lc %t,%T /proc/self/fd/0) && stat -Lc '%U %a' $(tty)"))
    t.resize(50, 120)
    for _ in range(100):
        size = t.run("stty size")
        if size == "50 120":
            break
    print(size)


def keys(t):
    t.start("sleep 1000")
    t.type("\x03")
    print("interrupted", t.run("echo $r"))
    t.start("sleep 1000")
    t.type("\x1c")
    print("quit", t.run("echo $r"))
    t.start("cat")
    t.type("line\r")
    t.expect("line\r\nline\r\n")
    t.type("\x04")
    print("end of file", t.run("echo $r"))


def job_control(t):
    t.start("sleep 1000")
    t.type("\x1a")
    t.expect("Stopped")
    print(t.run("jobs %1").split()[1])
    t.type("bg\r")
    print(t.run("jobs %1 | grep -o Running"))
    t.type("fg\r")
    t.expect("sleep 1000")
    for _ in range(100):  # fg needs a moment before it has the terminal
        t.type("\x03")
        if t.read(0.2) and "BACK" in t.text:
            break
        t.type("echo BA''CK\r")
        t.read(0.2)
        if "BACK" in t.text:
            break
    print(t.run("jobs") or "no jobs", "set -m" if "m" in t.run("echo $-") else "no monitor mode")
    print(t.run("sleep 0.1 & wait $!; echo waited; ps -o stat= -p $$").split("\n")[-1][:2])


def nested(t):
    """script(1) opens a terminal of its own, as tmux does."""
    print(re.sub("[0-9]+", "N", t.run("script -qec 'tty; test -t 0 && echo terminal; exit 5' /dev/null; echo $?")))


def where(t):
    print(t.run("cat /proc/1/comm"), t.run("pwd"))


def hangup(t):
    t.start("sleep 1000")
    os.close(t.fd)
    print("status", os.waitstatus_to_exitcode(os.waitpid(t.pid, 0)[1]))
    sys.exit()


def main():
    t = Terminal(sys.argv[2:])
    t.type("PS1='> '; echo REA''DY\r")
    t.expect("READY\r\n")
    globals()[sys.argv[1]](t)
    t.type("exit 7\r")
    print("status", t.finish())


main()
