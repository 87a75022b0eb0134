"""Uvicorn's HTTP protocol, with each phase of a request bounded in bytes and time."""

import asyncio

import httptools
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle as Cycle

from src.serving.http import head, refusals
from src.serving.http.transport import BufferedTransport, Flow
from src.serving.http.turns import turns_of, wake
from src.serving.problems import Problem

HEAD_SECONDS = 10.0  # how long the head of a request may take, and a new connection may be silent
REST_SECONDS = 15.0  # how long what follows the head may take, whether or not anybody reads it
FRAMING_BYTES = 64 * 1024  # chunk extensions and trailers, until there is a byte of the body
UNREAD_BYTES = 16 * 1024 * 1024  # of a body whose answer is out: to close earlier may lose the answer
PIECE_BYTES = 4096  # what the parser gets at once, and so what it may make requests of
LAST_REQUEST_SECONDS = 0.5  # for what was sent before the sender could know that we stop


class Protocol(HttpToolsProtocol):
    """One connection."""

    _head_open = True  # the head of the next message has not come, or not all of it
    _begun = _ended = False  # a message has begun and not ended; one ended in the piece that is parsed
    _whole = True  # the message came in one piece so far
    _head_bytes = _framing_bytes = _unread_bytes = 0
    _timer: asyncio.TimerHandle | None = None
    _held = b""  # not parsed until those before are being answered
    _refusal: Problem | None = None  # the last answer, once those before are out
    _answering: Cycle = None  # type: ignore[assignment]  # the request that is or was answered last
    _heeded: list[tuple[bytes, bytes]]
    _sound: tuple[bytes, str, list[tuple[bytes, bytes]]] | None = None  # of the request before

    @property
    def is_behind(self) -> bool:
        """Whether more has been read than is being answered."""
        return bool(self.pipeline or self._held or self._refusal)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._buffered = BufferedTransport(transport, self.loop)
        super().connection_made(self._buffered)  # type: ignore[arg-type]
        self.app_state = {**self.app_state, "peer": self.client and self.client[0]}
        self.flow = Flow(self.transport, lambda: self.is_behind)
        self._turns = turns_of(self.loop)
        self._expect_more(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        self._buffered.found_a_reader()
        self._held = b""
        self.pipeline.clear()
        if self._is_answering():
            self._answering.disconnected = True
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._buffered.expect_a_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._buffered.found_a_reader()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if len(data) <= PIECE_BYTES and not self.is_behind:
            self._parse(data)
        elif self._refusal is None:
            self._held += data
            self._parse_held()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._heeded = []
        self._begun = self._whole = True

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in head.HEEDED:
            self._heeded.append((name, value))
        elif name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        version, method = self.parser.get_http_version(), self.parser.get_method()
        if self._timer is not None:
            self._expect_nothing()
        if self._head_bytes or len(self.headers) > head.HEAD_FIELDS:
            head.require_small(method, self.url, self.headers)
        if (method, version, self._heeded) != self._sound:
            head.require_sound(method, version, self._heeded)
            self._sound = (method, version, self._heeded)
        if self.parser.should_upgrade():
            return  # the parser stops here, and `_parse` goes on without
        if version == "1.0":
            self.expect_100_continue = False
        super().on_headers_complete()
        self._head_open = False
        self._head_bytes = self._framing_bytes = self._unread_bytes = 0
        self.headers = []  # of the trailers, which nobody reads

    def on_body(self, body: bytes) -> None:
        self._framing_bytes = 0
        if self.cycle.response_complete:
            self._unread_bytes += len(body)
            if self._unread_bytes > UNREAD_BYTES:
                raise refusals.bad_request("The body goes on and on.")
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self._head_open:
            return  # of an upgrade, which comes again without
        if self._timer is not None:
            self._expect_nothing()
        self._begun = False
        self._head_open = self._ended = True
        if not self.cycle.response_complete:
            self.cycle.more_body = False
            if self._whole:
                self.cycle.scope["state"]["whole"] = True  # who reads it need not guard against a wait
                self.cycle.message_event.set()
            else:
                self._turns.take(wake, self.cycle)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.is_behind:
            self.loop.call_soon(self._go_on)

    def shutdown(self) -> None:
        """Close after the answer that is due; a connection without one, after time for a last request."""
        if self.cycle is None or self.cycle.response_complete:
            self.loop.call_later(LAST_REQUEST_SECONDS, super().shutdown)
        else:
            super().shutdown()

    def _start_asgi_task(self, cycle: Cycle, app: ASGIApp) -> None:  # type: ignore[override]
        self._answering = cycle
        self._turns.take(self._start, cycle)

    def _start(self, cycle: Cycle) -> None:
        if not cycle.disconnected:
            super()._start_asgi_task(cycle, self.app)

    def _parse(self, piece: bytes) -> None:
        self._ended = False
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            self._parse_without_upgrade(piece[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            cause = error.__context__
            self._refuse(cause if isinstance(cause, Problem) else refusals.bad_request("This is not HTTP."))
        else:
            if self._begun or not self._ended:
                self._bound(len(piece))

    def _parse_without_upgrade(self, rest: bytes) -> None:
        """Parse the head again as if it asked for no upgrade, which would hide its body, and what follows."""
        again = head.without_upgrade(self.parser, self.url, self.headers)
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as Uvicorn does
        self._parse(again + rest)

    def _parse_held(self) -> None:
        """Parse what was held, until there is a request that waits for the answers before its own."""
        held, at = self._held, 0
        while at < len(held) and not (self.pipeline or self._refusal or self.transport.is_closing()):
            self._parse(held[at : at + PIECE_BYTES])
            at += PIECE_BYTES
        self._held = b"" if self._refusal else held[at:]
        if self._held or self.pipeline:
            self._expect_nothing()
            self.flow.pause_reading()

    def _go_on(self) -> None:
        """After an answer, do what had to wait for it."""
        if self.transport.is_closing() or self.pipeline:
            return
        if self._refusal is not None:
            if not self._is_answering():
                self._answer(self._refusal)
            return
        if self._held:
            self._unset_keepalive_if_required()
            self._parse_held()
        if self._begun:
            self._expect_more(HEAD_SECONDS if self._head_open else REST_SECONDS)
        self.flow.resume_reading()

    def _bound(self, size: int) -> None:
        """Take note of a piece after which there is a message that has begun and not ended."""
        self._whole = False
        if self._head_open:
            self._head_bytes += 0 if self._ended else size  # else it began somewhere in the piece
            fields = len(self.headers) if self._begun else 0
            if self._head_bytes > head.HEAD_BYTES or fields > head.HEAD_FIELDS:
                self._refuse(refusals.too_large())
            else:
                self._expect_more(HEAD_SECONDS)
        else:
            self._framing_bytes += size
            if self._framing_bytes > FRAMING_BYTES + PIECE_BYTES:
                self._refuse(refusals.bad_request("Send more of the body than of what is around it."))
            else:
                self._expect_more(REST_SECONDS)

    def _is_answering(self) -> bool:
        return self._answering is not None and not self._answering.response_complete

    def _expect_more(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(seconds, self._give_up, seconds)

    def _expect_nothing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    def _give_up(self, seconds: float) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self._refuse(refusals.too_late("head" if self._head_open else "body", seconds))

    def _refuse(self, problem: Problem) -> None:
        """Answer what is no request, or none any more, after those before it; then close."""
        broken = None if self._head_open else self.cycle
        if broken is not None:
            broken.disconnected = True
            broken.message_event.set()
        if broken and broken is self._answering and broken.response_started:
            self.transport.close()
        elif self._is_answering() and broken is not self._answering:
            if broken is not None:
                self.pipeline.popleft()
            self._refusal = problem
            self._expect_nothing()
        else:
            self._answer(problem)

    def _answer(self, problem: Problem) -> None:
        self._refusal = problem
        self._expect_nothing()
        self._unset_keepalive_if_required()
        self.transport.write(refusals.written(problem, self.server_state.default_headers))
        self._buffered.finish()
