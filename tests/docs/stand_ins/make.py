"""Make, with what is installed here."""

import os
import sys
from pathlib import Path

venv = Path(sys.prefix)
folders = os.environ["PATH"].split(os.pathsep)
os.environ["PATH"] = os.pathsep.join(folder for folder in folders if not folder.endswith("/programs"))
os.execvp("make", ["make", f"VENV={venv}", f"--assume-old={venv}/.installed", *sys.argv[1:]])
