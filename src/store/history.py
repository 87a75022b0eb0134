"""What was in service, and what a rollback returns to: a stack, the champion on top.

Publishing and promoting put a bundle on top, unless it is there already; a rollback takes the top off, and
what is on top then is in service again. After publish 1, 2, 3 and promote 2 the stack is 1, 2, 3, 2: three
rollbacks return to 3, 2 and 1, and for a fourth there was no champion before.

A step is written down before the champion moves, so the last one may never have been completed.
"""

from typing import Literal

Action = Literal["publish", "promote", "rollback"]
Stack = tuple[str, ...]


def after(stack: Stack, action: Action, name: str) -> Stack:
    """Return `stack` after `action` made `name` champion."""
    if stack[-1:] == (name,):
        return stack
    if action == "rollback" and stack[-2:-1] == (name,):
        return stack[:-1]
    return (*stack, name)


def settled(before: Stack, written: Stack, champion: str) -> Stack:
    """Return the stack whose top is `champion`: with the last step, without it, or with what others did."""
    for stack in (written, before):
        if stack[-1:] == (champion,):
            return stack
    return (*written, champion)
