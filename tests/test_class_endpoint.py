"""Does the server of a class take no file, also where nobody asks by a page?"""

from __future__ import annotations

import http.cookiejar
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.browser.serving import ROOT, free_port, wait_for_health

pytestmark = pytest.mark.slow
BODY = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.npz"\r\n\r\nPK\r\n--x--\r\n'


@pytest.fixture(params=[(), ("uploads: 1",)], ids=["off", "one MB"])
def school(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[int, bool]]:
    """(port of a class, whether it takes files)."""
    file, port, log = tmp_path / "class.yaml", free_port(), tmp_path / "log"
    file.write_text("\n".join(("lessons: [lesson-1]", *request.param)), "utf-8")
    words = ["--port", str(port), "--host", "127.0.0.1", "--class", str(file)]
    with log.open("w") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "pruneviz", "app", *words], cwd=ROOT, stdout=sink, stderr=sink,
            env={**os.environ, "STREAMLIT_SERVER_HEADLESS": "true"},
        )  # fmt: skip
        try:
            wait_for_health(process, port, log)
            yield port, bool(request.param)
        finally:
            process.terminate()
            process.wait(30)


def session_of(socket: ClientConnection) -> str:
    """The session that the server tells a browser to belong to."""
    hello = BackMsg()
    hello.rerun_script.query_string = ""
    socket.send(hello.SerializeToString())
    while True:
        message, raw = ForwardMsg(), socket.recv(120)
        message.ParseFromString(raw if isinstance(raw, bytes) else raw.encode())
        if message.WhichOneof("type") == "new_session":
            return str(message.new_session.initialize.session_id)


def put(port: int, session: str) -> int:
    """The status of a file that is sent without a page."""
    base, jar = f"http://127.0.0.1:{port}", http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    opener.open(f"{base}/_stcore/health", timeout=30).close()
    token = next((c.value or "" for c in jar if c.name == "_streamlit_xsrf"), "")
    headers = {"Content-Type": "multipart/form-data; boundary=x", "X-Xsrftoken": token}
    address = f"{base}/_stcore/upload_file/{session}/a-file"
    request = urllib.request.Request(address, BODY, headers, method="PUT")
    try:
        with opener.open(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_file_sent_past_the_page_is_refused_where_uploads_are_off(
    school: tuple[int, bool],
) -> None:
    port, takes = school
    with connect(
        f"ws://127.0.0.1:{port}/_stcore/stream",
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
    ) as socket:
        assert put(port, session_of(socket)) == (204 if takes else 413)
