"""The nginx of docs/operations.md, started with what stands there, in front of a gateway."""

from __future__ import annotations

import datetime
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services import debian
from services.process import kept_port
from services.server import HOME, ROOT, Unavailable
from tests.client import Api, token
from tests.factories import make_exam, make_session, submission
from tests.waiting import wait_until

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
[SHOWN] = re.findall(r"^```nginx\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
NAME = "exam.example.org"


def program() -> tuple[str, dict[str, str]]:
    """Return nginx, the machine's own or Debian's unpacked, and what its environment must say."""
    if found := shutil.which("nginx", path=os.pathsep.join([*os.get_exec_path(), "/usr/sbin"])):
        return found, {}
    try:
        root = debian.unpack_own(HOME / "nginx", ["nginx-light"], called="nginx")
    except Unavailable as reason:
        pytest.skip(f"no nginx, so nobody tried what the manual shows: {reason}")  # needs apt
    folders = {path.parent for path in root.glob("usr/lib/*-linux-gnu*/lib*.so.*")}
    return str(root / "usr/sbin/nginx"), {"LD_LIBRARY_PATH": ":".join(map(str, folders))}


def write_certificate(folder: Path) -> None:
    """Write the key and the certificate of a server that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


class Nginx:
    """An nginx with the block of the manual, at ports of its own."""

    def __init__(self, folder: Path, upstream: int) -> None:
        self.port, plain = kept_port(folder / "port"), kept_port(folder / "plain.port")
        self.url, self.plain_url = f"https://127.0.0.1:{self.port}", f"http://127.0.0.1:{plain}"
        write_certificate(folder)
        block = SHOWN
        for old, new in [
            ("127.0.0.1:8000", f"127.0.0.1:{upstream}"),
            ("/etc/ssl/podium", str(folder)),
            ("listen 443", f"listen 127.0.0.1:{self.port}"),
            ("listen 80", f"listen 127.0.0.1:{plain}"),
        ]:
            assert old in block
            block = block.replace(old, new)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in kinds)
        (folder / "nginx.conf").write_text(
            # Its workers would else be nobody, who cannot write here.
            ("user root root;\n" if os.geteuid() == 0 else "")
            + f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
            f"http {{ access_log off; {temporary}\n{block} }}\n"
        )
        nginx, env = program()
        self._process = subprocess.Popen(
            [nginx, "-c", str(folder / "nginx.conf"), "-p", str(folder)],
            env=os.environ | env,
            stderr=subprocess.DEVNULL,
        )
        # Its name is not that of the address at which it is reached.
        self.pool = urllib3.PoolManager(
            ca_certs=str(folder / "fullchain.pem"),
            server_hostname=NAME,
            assert_hostname=NAME,
            headers={"Host": NAME},
            retries=False,
            timeout=30,
        )
        wait_until(self._listens)

    def stop(self) -> None:
        """End it, its workers included."""
        self.pool.clear()
        self._process.terminate()
        self._process.wait()

    def _listens(self) -> bool:
        assert self._process.poll() is None, "nginx ended at once"
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture(scope="module")
def direct(start_api: Callable[..., Api]) -> Api:
    """Return a gateway that trusts one proxy, and lets five requests without a token through."""
    return start_api(
        "gateway-proxied", PODIUM_TRUSTED_PROXIES="1", PODIUM_RATE_LIMIT_ANONYMOUS="5 per day"
    )


@pytest.fixture(scope="module")
def nginx(direct: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Start the proxy in front of it."""
    nginx = Nginx(tmp_path_factory.mktemp("nginx"), urlsplit(direct.url).port or 0)
    yield nginx
    nginx.stop()


@pytest.fixture
def api(direct: Api, nginx: Nginx) -> Api:
    """Return the gateway as it is reached from outside."""
    return replace(direct, url=nginx.url, pool=nginx.pool)


def test_a_caller_cannot_choose_the_address_that_he_is_counted_by(api: Api) -> None:
    stranger = api.with_token("")
    statuses = [
        stranger.request("GET", "/exams", headers={"X-Forwarded-For": f"10.0.0.{n}"}).status
        for n in range(7)
    ]
    assert statuses == [401] * 5 + [429] * 2


def test_an_event_comes_while_the_stream_is_open(api: Api) -> None:
    exam_id = make_exam(api)
    session_id = make_session(api, exam_id)
    bearer = f"Bearer {token(api.secret, api.user_id, api.role)}"
    response = api.pool.request(
        "GET",
        f"{api.url}/api/v1/leaderboard/stream?exam_id={exam_id}",
        headers={"Authorization": bearer, "Host": NAME},
        preload_content=False,
        timeout=10,
    )
    read_until(response, b'"revision":0,')
    api.post("/scores", submission(session_id))
    # Had the proxy waited for more than that, this would wait until the time-out.
    read_until(response, b'"revision":1,')
    response.close()


def read_until(response: urllib3.BaseHTTPResponse, text: bytes) -> None:
    """Read up to a text, as it comes."""
    seen = b""
    while text not in seen:
        seen += response.read1(100)


def test_a_body_that_is_too_large_is_refused_in_json(api: Api) -> None:
    answer = api.post("/exams", {"title": "x" * 1_500_000})
    assert (answer.status, answer.code) == (413, "payload_too_large")


def test_answers_ask_for_tls_from_now_on_and_metrics_stay_inside(api: Api, nginx: Nginx) -> None:
    assert api.get("/exams").headers["Strict-Transport-Security"] == "max-age=31536000"
    assert api.get("//readyz").status == 200
    assert api.get("//metrics").status == 404
    with urllib3.PoolManager(retries=False) as plain:
        answer = plain.request("GET", f"{nginx.plain_url}/x?y=1", headers={"Host": NAME})
    assert (answer.status, answer.headers["Location"]) == (308, f"https://{NAME}/x?y=1")


class Witness(BaseHTTPRequestHandler):
    """Stands in the gateway's place, and notes connections and what comes on them."""

    protocol_version = "HTTP/1.1"
    connections: list[object]
    heads: list[dict[str, str]]

    def setup(self) -> None:
        """Note the connection."""
        self.connections.append(self)
        super().setup()

    def do_GET(self) -> None:
        """Note the request and answer it."""
        self.heads.append(dict(self.headers))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing."""


@contextmanager
def witness() -> Iterator[tuple[int, type[Witness]]]:
    """Serve a witness of its own; yield its port and where it has its notes."""
    noted = type("Noted", (Witness,), {"connections": [], "heads": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), noted) as server:
        # Those that nginx keeps open would else be waited for.
        server.daemon_threads = True
        server.block_on_close = False
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port, noted
        server.shutdown()
        thread.join()


def test_requests_share_a_connection_to_the_gateway(tmp_path: Path) -> None:
    with witness() as (port, noted):
        nginx = Nginx(tmp_path, port)
        for _ in range(10):
            headers = {"Host": NAME, "X-Forwarded-For": "10.0.0.1"}
            assert nginx.pool.request("GET", f"{nginx.url}/x", headers=headers).status == 204
        nginx.stop()
    assert (len(noted.connections), len(noted.heads)) == (1, 10)
    head = noted.heads[0]
    assert (head["Host"], head["X-Forwarded-For"]) == (NAME, "127.0.0.1")
