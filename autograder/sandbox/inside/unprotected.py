"""A kernel without any protection, for --no-sandbox: it is given its orders on standard input."""

import json
import os
import sys

import kernel

if __name__ == "__main__":
    order = json.loads(sys.stdin.readline())
    kernel.silence()
    os.chdir(order["folder"])
    kernel.run(order["connection"], order["folder"], seal=lambda: None)
