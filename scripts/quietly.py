"""Runs a Python program that Ctrl+C ends without a traceback, until the program handles signals itself."""

import runpy
import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)
sys.path.pop(0)  # of this folder; the program is not in it, or adds what it needs
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
