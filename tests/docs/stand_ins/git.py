"""A clone is a copy of this checkout; the rest is Git."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))
from tests.docs.terminal import copy_checkout  # noqa: E402

folders = os.environ["PATH"].split(os.pathsep)
os.environ["PATH"] = os.pathsep.join(folder for folder in folders if not folder.endswith("/programs"))
if sys.argv[1:2] == ["clone"]:
    copy_checkout(Path.cwd() / sys.argv[2].rpartition("/")[2])
else:
    os.execvp("git", ["git", *sys.argv[1:]])
