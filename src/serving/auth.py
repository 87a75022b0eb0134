"""Who may call: the keys in `X-API-Key`."""

import hashlib
import hmac
from collections.abc import Iterable
from http import HTTPStatus

from src.serving.http.context import RequestContext
from src.serving.metrics import Metrics
from src.serving.problems import Problem
from src.serving.ratelimits import Quota

HEADER = "X-API-Key"
_HEADER = HEADER.lower().encode()


class ApiKeyAuth:
    """Lets in who holds a key; everyone, when there is none."""

    def __init__(self, keys: Iterable[str], wrong_keys: Quota, metrics: Metrics) -> None:
        digests = [hashlib.sha256(key.encode()) for key in keys]
        self._known = [(digest.digest(), f"key-{digest.hexdigest()[:8]}") for digest in digests]
        self._wrong_keys = wrong_keys
        self._missing = metrics.auth_failures.labels("missing")
        self._wrong = metrics.auth_failures.labels("wrong")

    @property
    def is_open(self) -> bool:
        """Whether everyone is let in."""
        return not self._known

    async def admit(self, context: RequestContext) -> None:
        """Name the caller by its key.

        Raises:
            Problem: 401 without a key, 403 with a wrong one, 429 with too many wrong ones. A good key is
                never held up by wrong ones from its address: others may be behind the same address.
        """
        if self.is_open:
            return
        given = context.headers.get(_HEADER)
        if given is None:
            self._missing.inc()
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "missing_key",
                f"Send your key in the header {HEADER}.",
                {"WWW-Authenticate": f'ApiKey header="{HEADER}"'},
            )
        owner = self._owner(given)
        if owner is None or context.repeats(_HEADER):
            self._wrong.inc()
            await self._wrong_keys.take_wrong_key(context)
            raise Problem(HTTPStatus.FORBIDDEN, "wrong_key", f"The key in {HEADER} is not known.")
        context.client = owner

    def _owner(self, given: bytes) -> str | None:
        """Return the id of the key's holder, after the same time whichever key it is."""
        digest = hashlib.sha256(given).digest()
        found = None
        for known, owner in self._known:
            if hmac.compare_digest(digest, known):
                found = owner
        return found
