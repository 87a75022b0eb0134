"""The files under `gs://bucket/prefix`, for reading."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from src.errors import BundleError, RegistryError

TIMEOUT = (5, 30)  # seconds to connect, to read
RETRY_SECONDS = 20  # for one request, all attempts together


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
            # Of this generation: the one whose size was looked at.
            content: bytes = blob.download_as_bytes(if_generation_match=blob.generation, **options)
            return content

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
