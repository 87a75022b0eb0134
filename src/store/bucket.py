"""The files under `gs://bucket/prefix`, for reading."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from io import BytesIO
from typing import Any

from src.errors import BundleError, RegistryError

TIMEOUT = (5, 30)  # seconds to connect, to read
RETRY_SECONDS = 20  # for one request, all attempts together
TOTAL_SECONDS = 300.0  # for one file, however steadily it drips


class _Bounded(BytesIO):
    """What is downloaded: bounded in time, and in size, which a compressed object understates."""

    def __init__(self, where: str, name: str, limit: int) -> None:
        super().__init__()
        self._where, self._name, self._limit = where, name, limit
        self._deadline = time.monotonic() + TOTAL_SECONDS

    def write(self, content: Any, /) -> int:
        if self.tell() + len(content) > self._limit:
            raise BundleError(f"{self._where}: {self._name} is larger than {self._limit} bytes")
        if time.monotonic() > self._deadline:
            raise RegistryError(f"{self._where}: {self._name} did not come whole in {TOTAL_SECONDS:g} s")
        return super().write(content)


class BucketFiles:
    """Files of Google Cloud Storage; the client is imported and made at the first read."""

    def __init__(self, uri: str) -> None:
        self.description = uri
        self.name, _, prefix = uri.removeprefix("gs://").partition("/")
        self.prefix = f"{prefix.strip('/')}/".lstrip("/")

    def read(self, name: str, limit: int) -> bytes | None:
        with self._reached():
            from google.cloud.storage.retry import DEFAULT_RETRY

            options = {"timeout": TIMEOUT, "retry": DEFAULT_RETRY.with_timeout(RETRY_SECONDS)}
            blob = self._bucket.get_blob(self.prefix + name, **options)
            if blob is None:
                return None
            if blob.size > limit:
                raise BundleError(f"{self.description}: {name} is larger than {limit} bytes")
            content = _Bounded(self.description, name, limit)
            # Of this generation: the one whose size was looked at.
            blob.download_to_file(content, if_generation_match=blob.generation, **options)
            return content.getvalue()

    @cached_property
    def _bucket(self) -> Any:
        from google.cloud.storage import Client

        # Reading needs no project; looking for one could wait for Google's metadata service.
        # With STORAGE_EMULATOR_HOST the library goes without credentials by itself.
        return Client(project=None).bucket(self.name)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        from google.api_core.exceptions import GoogleAPIError
        from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
        from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
        from requests import RequestException

        try:
            yield
        except DefaultCredentialsError as error:
            hint = (
                "no Google Cloud credentials: set GOOGLE_APPLICATION_CREDENTIALS or run where there are some"
            )
            raise RegistryError(f"{self.description}: {hint}") from error
        except (GoogleAPIError, GoogleAuthError, DataCorruption, InvalidResponse, RequestException) as error:
            raise RegistryError(f"{self.description}: {' '.join(str(error).split())[:300]}") from error
