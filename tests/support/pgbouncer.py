"""A PgBouncer of the tests' own in transaction mode, in front of the tests' PostgreSQL; and TLS for either."""

import os
import shutil
import socket
import subprocess
import tempfile
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from taskwell.database import now
from tests.support.postgres import free_port, wait_until

PASSWORD = "p%40ss"
PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


def require_pgbouncer() -> str:
    if PROGRAM is None:
        assert os.environ.get("REQUIRE_INTEROP") != "1", "REQUIRE_INTEROP=1, and there is no pgbouncer"
        pytest.skip("pgbouncer is not on PATH (Debian: apt-get install pgbouncer)")
    return PROGRAM


class PgBouncer:
    """Two server connections for any number of clients: whoever relies on a session meets somebody else's at once."""

    def __init__(self, server_url: str, *, is_guarded: bool = False) -> None:
        """Args:
        is_guarded: Whether it asks for TLS and for a password, as Neon's does.
        """
        server = urlsplit(server_url)
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="taskwell-pgbouncer-"))
        self._settings = f"""
            [databases]
            * = host={server.hostname} port={server.port} user={server.username}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {self.port}
            unix_socket_dir =
            pool_mode = transaction
            default_pool_size = 2
            max_client_conn = 200
            {self._guard() if is_guarded else "auth_type = any"}
        """
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def guarded_url(self, database: str, password: str = PASSWORD) -> str:
        return f"postgresql://postgres:{password}@localhost:{self.port}/{database}"

    @property
    def root_certificate(self) -> Path:
        return self.folder / "certificate.pem"

    def _guard(self) -> str:
        (self.folder / "users.txt").write_text(f'"postgres" "{unquote(PASSWORD)}"\n')
        key = write_certificate(self.root_certificate)
        return f"""
            auth_type = scram-sha-256
            auth_file = {self.folder / "users.txt"}
            client_tls_sslmode = require
            client_tls_key_file = {key}
            client_tls_cert_file = {self.root_certificate}
        """

    def start(self) -> None:
        settings = self.folder / "pgbouncer.ini"
        settings.write_text("\n".join(line.strip() for line in self._settings.splitlines()))
        as_user: list[str] = []
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.iterdir()):
                shutil.chown(path, "nobody")
            as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*as_user, require_pgbouncer(), str(settings)], cwd="/", stdout=log, stderr=log
            )
        wait_until(self._answers)

    def remove(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def write_certificate(path: Path) -> Path:
    """A certificate for ``localhost`` that is its own root; gives the file of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    at = now()
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), at, at + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_path = path.with_name("key.pem")
    key_path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key_path
