"""What does a browser say to the app, without a browser?

The app's own messages over a WebSocket: enough to drag sliders and read the numbers that come back,
forty times at once on a machine that could not hold forty browsers.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, Self
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

_FLIGHT = 5.0  # seconds after which the board asks again, then twice as many, see requests.js
_BOARD, _FIRST_TAB = "pruneviz.board", "Per-class change"


class Visitor:
    """One browser tab at the workbench of a network.

    data: what the board was given last. exceptions: tracebacks and errors that came instead, and
    what ended the connection before the visitor did. put_off: whether the board said, in place of
    the number under the thumb that was asked for last, that there will be one when it is let go.
    """

    def __init__(self, address: str, network: str) -> None:
        self.network = network
        self.data: dict[str, Any] = {}
        self.exceptions: list[str] = []
        self._address = address
        self._query = urlencode({"model": network})
        self._token = secrets.token_urlsafe(32)
        self.put_off = self._gone = False
        self._page = ""
        self._pages: dict[str, str] = {}  # path of a page -> what the app calls it
        self._buttons: set[str] = set()
        self._seq, self._widget, self._fragment = 0, "", ""
        self._request: dict[str, Any] = {}
        self._kept: dict[str, str] = {}  # ids of what a browser keeps: scene, picture, …
        self._tabs: dict[str, str] = {}  # widgets of tabs: the one that is open
        self._messages: dict[str, ForwardMsg] = {}  # large ones are sent once, then by their hash
        self._fresh = asyncio.Condition()
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._ticks: dict[str, asyncio.Task[None]] = {}
        self._look: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        host = self._address.removeprefix("http://")
        self._socket = await connect(
            f"ws://{host}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=self._address,  # type: ignore[arg-type]
            additional_headers={"Cookie": f"pruneviz_owner={self._token}"},
            max_size=None,
            open_timeout=120,
            ping_interval=None,
        )
        self._tasks.append(asyncio.create_task(self._listen()))
        await self._send("")
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in (*self._tasks, *self._ticks.values(), self._look):
            if task is not None:
                task.cancel()
        if self._socket is not None:
            await self._socket.close()

    async def until(self, holds: Callable[[dict[str, Any]], bool], seconds: float) -> float:
        """Seconds until what the board shows is so; TimeoutError where that takes longer."""
        began = time.perf_counter()
        async with asyncio.timeout(seconds), self._fresh:
            await self._fresh.wait_for(lambda: self._gone or (bool(self.data) and holds(self.data)))
        if self._gone:
            raise ConnectionError(self.exceptions[-1])
        return time.perf_counter() - began

    async def drag(self, sparsity: dict[str, float], seconds: float) -> float:
        """Move the thumb there; seconds until the number of just this place came, or the word that
        it is measured when the thumb is let go (`put_off`).
        """
        seq = await self._ask("drag", sparsity)
        took = await self._answer(
            lambda data: _is_of(data, seq) or (bool(data["slow"]) and _is_echo(data, seq)), seconds
        )
        self.put_off = not _is_of(self.data, seq)
        return took

    async def settle(self, sparsity: dict[str, float], seconds: float) -> float:
        """Let the thumb go; seconds until the number on all samples came."""
        seq = await self._ask("settle", sparsity)
        return await self._answer(
            lambda data: _is_of(data, seq) and data["measured"]["full"], seconds
        )

    async def press(self, page: str, key: str, seconds: float) -> None:
        """Go to a page by its path and press the button with this key there; TimeoutError where it
        does not appear.
        """
        async with asyncio.timeout(seconds), self._fresh:
            await self._fresh.wait_for(lambda: page in self._pages or self._gone)
        self._page, self._fragment, self._widget = self._pages[page], "", ""
        await self._send("")
        name = ""
        async with asyncio.timeout(seconds), self._fresh:
            while not name and not self._gone:
                name = next((one for one in self._buttons if one.endswith(f"-{key}")), "")
                if not name:
                    await self._fresh.wait()
        await self._send("", button=name)

    async def _answer(self, holds: Callable[[dict[str, Any]], bool], seconds: float) -> float:
        """As `until`, for what was asked for: the board asks again where it hears nothing."""
        again = asyncio.create_task(self._ask_again())
        try:
            return await self.until(holds, seconds)
        finally:
            again.cancel()

    async def _ask_again(self) -> None:
        wait = _FLIGHT
        while True:
            await asyncio.sleep(wait)
            if _is_echo(self.data, self._seq):  # it has arrived: the number comes by itself
                return
            await self._send(self._fragment)
            wait *= 2

    async def _ask(self, kind: str, sparsity: dict[str, float]) -> int:
        self._look_no_more()  # what is asked for brings the news as well
        self._seq += 1
        layers = {**self.data["settled"]["sparsity"], **sparsity}
        locked = [*self.data["settled"]["locked"]]
        self._request = {
            "seq": self._seq, "kind": kind, "sparsity": layers, "locked": locked,
            "focus": self.data["focus"], "scale": "layer", "allocation": "uniform",
            "measure": "accuracy", "thumbnails": [], "have": self._have(),
        }  # fmt: skip
        await self._send(self._fragment)
        return self._seq

    def _have(self) -> dict[str, str]:
        """Ids of what this browser keeps, so that it is not sent again."""
        names = ("scene", "picture", "sensitivity", "allocation", "chart")
        return {name: self._kept.get(name, "") for name in names}

    async def _send(self, fragment: str, auto: bool = False, button: str = "") -> None:
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string, rerun.fragment_id, rerun.is_auto_rerun = self._query, fragment, auto
        rerun.page_script_hash = self._page
        rerun.cached_message_hashes.extend(self._messages)
        rerun.widget_states.SetInParent()
        for name, label in self._tabs.items():  # without it the app takes the tab for another one
            tabs = rerun.widget_states.widgets.add()
            tabs.id, tabs.string_value = name, label
        if self._widget and self._request:
            state = rerun.widget_states.widgets.add()
            state.id, state.json_value = self._widget, json.dumps({"request": self._request})
        if button:
            click = rerun.widget_states.widgets.add()
            click.id, click.trigger_value = button, True
        assert self._socket is not None
        await self._socket.send(message.SerializeToString())

    async def _listen(self) -> None:
        """Take what comes until the connection ends; whoever waits then is told."""
        try:
            await self._take_all()
            self.exceptions.append("the server closed the connection")
        except Exception as error:
            self.exceptions.append(f"the connection ended: {error!r}")
        self._gone = True
        await self._wake()

    async def _wake(self) -> None:
        async with self._fresh:
            self._fresh.notify_all()

    async def _take_all(self) -> None:
        assert self._socket is not None
        async for raw in self._socket:
            message = ForwardMsg()
            message.ParseFromString(raw if isinstance(raw, bytes) else raw.encode())
            message = self._whole(message)
            match message.WhichOneof("type"):
                case "new_session" if not message.metadata.run.fragment_ids:
                    for fragment in [*self._ticks]:
                        self._stop(fragment)
                case "delta":
                    await self._take(message)
                case "auto_rerun":
                    self._tick(message.auto_rerun.fragment_id, message.auto_rerun.interval)
                case "stop_auto_rerun":
                    for fragment in [*message.stop_auto_rerun.fragment_ids]:
                        self._stop(fragment)
                case "page_info_changed":
                    self._query = message.page_info_changed.query_string
                case "navigation":
                    pages = message.navigation.app_pages
                    self._pages = {one.url_pathname: one.page_script_hash for one in pages}

    def _whole(self, message: ForwardMsg) -> ForwardMsg:
        """What a message stands for that only names one which came before."""
        if message.WhichOneof("type") == "ref_hash":
            whole = ForwardMsg()
            whole.CopyFrom(self._messages[message.ref_hash])
            whole.metadata.CopyFrom(message.metadata)
            return whole
        if message.metadata.cacheable and message.hash:
            self._messages[message.hash] = message
        return message

    async def _take(self, message: ForwardMsg) -> None:
        delta = message.delta
        if delta.WhichOneof("type") == "add_block":
            tabs = delta.add_block.tab_container
            if tabs.id:
                self._tabs.setdefault(tabs.id, tabs.default_tab_label or _FIRST_TAB)
        if delta.WhichOneof("type") != "new_element":
            return
        element = delta.new_element
        if element.WhichOneof("type") == "exception":
            self.exceptions.append(f"{element.exception.type}: {element.exception.message}")
        if element.WhichOneof("type") == "button":
            self._buttons.add(element.button.id)
            await self._wake()
        if element.WhichOneof("type") != "bidi_component":
            return
        component = element.bidi_component
        if component.component_name != _BOARD:
            return
        self._widget, self._fragment = component.id, delta.fragment_id or self._fragment
        fresh = json.loads(component.json)
        for name in ("scene", "picture", "sensitivity", "allocation", "chart"):
            if fresh.get(name) is not None:
                self._kept[name] = fresh[f"{name}_id"]
        async with self._fresh:
            self.data = fresh
            self._fresh.notify_all()
        self._look_later()

    def _look_later(self) -> None:
        """Ask what is new when the board would, and again where nothing comes."""
        self._look_no_more()
        seconds = self.data.get("look")
        if seconds is None or not _is_echo(self.data, self._seq):
            return

        async def look() -> None:
            await asyncio.sleep(seconds)
            await self._ask("look", {})
            await self._ask_again()

        self._look = asyncio.create_task(look())

    def _look_no_more(self) -> None:
        if self._look is not None and self._look is not asyncio.current_task():
            self._look.cancel()

    def _tick(self, fragment: str, seconds: float) -> None:
        """Ask for a fragment again and again, as a browser does where the app says so."""
        self._stop(fragment)

        async def again(send: Callable[..., Awaitable[None]]) -> None:
            while True:
                await asyncio.sleep(seconds)
                await send(fragment, True)

        self._ticks[fragment] = asyncio.create_task(again(self._send))

    def _stop(self, fragment: str) -> None:
        task = self._ticks.pop(fragment, None)
        if task is not None:
            task.cancel()


def _is_echo(data: dict[str, Any], seq: int) -> bool:
    return bool(data) and data["settled"]["seq"] >= seq


def _is_of(data: dict[str, Any], seq: int) -> bool:
    measured = data.get("measured")
    return bool(measured) and not measured.get("stale") and measured["seq"] >= seq
