#!/usr/bin/env python3
"""Delivers bundles to real servers on this machine, OpenSSH's and an FTPS server, and breaks what can break.

    python3 tests/delivery.py --stockmill target/release/stockmill

The binary needs the feature `delivery`. Connections are cut in the middle of files, the program is killed, the disk of the server
is full, keys and certificates are wrong. After each, the server must have each file once, with the same bytes, and nothing else;
what is refused must say why, and no line may have the secret. Needs sshd, and Python with venv and pip, by which pyftpdlib,
pyOpenSSL, asyncssh and blake3 are installed if they are not there. What needs root (a small disk) is left out with a word without it.
"""

import argparse
import base64
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve()
NEEDS = ["pyftpdlib", "pyOpenSSL", "asyncssh", "blake3"]
PASSWORD = "correct-horse-9"
DAY = "2026-11-28"
HEADER = {
    "adobe-stock": "Filename,Title,Keywords,Category,Releases\r\n",
    "vecteezy": "Filename,Title,Description,Keywords,License\r\n",
}


# What its market would take, by the tags of today.
TAGS = "tags: {title: A cabin in the snow, keywords: [snow, cabin, winter, wood, forest]}\n"


def jpeg(number, size):
    """Returns what a market measures as a JPEG of five megapixels; what it shows nobody looks at here."""
    frame = b"\xff\xc0\x00\x11\x08" + (2000).to_bytes(2, "big") + (2500).to_bytes(2, "big") + b"\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    head = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + frame
    scan = b"\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00\x3f\x00"
    shown = random.Random(number).randbytes(size + number - len(head) - len(scan) - 2)
    return head + scan + shown.replace(b"\xff", b"\xfe") + b"\xff\xd9"


def with_libraries():
    """Runs this script again by a Python that has the servers' libraries."""
    try:
        import asyncssh, blake3, OpenSSL, pyftpdlib  # noqa: E401, F401
        return
    except ImportError:
        if os.environ.get("DELIVERY_VENV"):
            raise
    folder = tempfile.mkdtemp(prefix="stockmill-delivery-venv-")
    try:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = f"{folder}/bin/python"
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *NEEDS], check=True)
        done = subprocess.run([python, str(HERE), *sys.argv[1:]], env={**os.environ, "DELIVERY_VENV": folder})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(done.returncode)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def comes(is_so, within_s=20):
    end = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


class Mill:
    """A mill with one bundle of a market, made as the daemon leaves it."""

    def __init__(self, binary, folder, market="adobe-stock", files=3, size=1_500_000):
        self.binary, self.root, self.market = binary, folder / "mill", market
        self.call("init", str(self.root))
        self.bundle = self.root / "upload" / DAY / market
        (self.bundle / "files").mkdir(parents=True)
        (self.bundle / "sidecars").mkdir()
        self.wanted = {}
        self.rows = {}
        for number in range(files):
            self.add(number, size)
        # A file of the person's own, which has no row.
        (self.bundle / "files" / "mine.jpg").write_bytes(b"mine")
        self.secret = self.root.parent / "secret"
        self.set_secret(PASSWORD + "\n")

    def add(self, number, size):
        """Puts one more file into the bundle."""
        from blake3 import blake3

        name, content = f"cabin{number:02}.jpg", jpeg(number, size)
        (self.bundle / "files" / name).write_bytes(content)
        (self.bundle / "sidecars" / f"{name}.yaml").write_text(
            f"id: '{number:016x}'\nfile: {{hash: '{blake3(content).hexdigest()}'}}\n{TAGS}"
        )
        self.wanted[name] = content
        self.rows[name] = f"{name},A cabin,\"snow, cabin\",11,\r\n"
        (self.bundle / f"{self.market}.csv").write_bytes(self.manifest(self.rows))

    def manifest(self, names):
        """Returns the manifest of some files."""
        return (HEADER[self.market] + "".join(self.rows[name] for name in names)).encode()

    def set_secret(self, text, mode=0o600):
        self.secret.unlink(missing_ok=True)
        self.secret.write_text(text)
        self.secret.chmod(mode)

    def settings(self, to, **more):
        delivery = {"to": to, "secret_file": str(self.secret), **more}
        delivery = {key: value for key, value in delivery.items() if value is not None}
        upload = {"markets": [self.market], "delivery": {self.market: delivery}}
        (self.root / "stockmill.yaml").write_text(f"upload: {json.dumps(upload)}\n")

    def call(self, *args, env=None):
        env = {**os.environ, "STOCKMILL_ROOT": str(self.root), **(env or {})}
        return subprocess.run([str(self.binary), *args], capture_output=True, text=True, env=env, timeout=300)

    def deliver(self, *args, env=None):
        done = self.call("deliver", *args, env=env)
        said = done.stdout + done.stderr
        assert PASSWORD not in said and "PRIVATE KEY" not in said, said
        return done.returncode, said

    def start(self):
        env = {**os.environ, "STOCKMILL_ROOT": str(self.root)}
        return subprocess.Popen([str(self.binary), "deliver"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)

    def delivered(self):
        """Returns the names on record as delivered, each as often as it is."""
        log = self.root / ".stockmill/delivery/delivered.jsonl"
        lines = [json.loads(line.split(" ", 1)[1]) for line in log.read_text().splitlines()] if log.exists() else []
        return sorted(line["file"].rsplit("/", 1)[1] for line in lines if line.get("step") == "delivered")


def expect(what, done, code, *parts):
    got, said = done
    missing = [part for part in parts if part not in said]
    if got != code or missing:
        raise SystemExit(f"FAILED: {what}: code {got} instead of {code}, or not told: {missing}\n{said}")
    print(f"  {what}: ok", flush=True)


def arrived(what, mill, folder, csv=None):
    """The server has each file once, whole, and nothing else; of the manifests that `csv` names, the rows of it."""
    there = {path.name: path.read_bytes() for path in folder.iterdir()}
    wanted = {**mill.wanted, **(csv or {})}
    if there != wanted:
        sizes = {name: len(content) for name, content in there.items()}
        raise SystemExit(f"FAILED: {what}: on the server lie {sizes}")
    on_record = sorted([*mill.wanted, *(f"{mill.market}.csv" for _ in csv or {})])
    if mill.delivered() != on_record:
        raise SystemExit(f"FAILED: {what}: on record are {mill.delivered()}")


class Sshd:
    """OpenSSH's server for the user that runs this, with keys of its own."""

    def __init__(self, folder, into):
        self.port, self.folder = free_port(), folder
        for name in ("host", "client", "other", "rsa"):
            kind = "rsa" if name == "rsa" else "ed25519"
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(folder / name)], check=True)
        shutil.copy(folder / "client.pub", folder / "authorized")
        config = folder / "sshd_config"
        config.write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {folder}/host\nHostKey {folder}/rsa\nPidFile none\nUsePAM no\nStrictModes no\n"
            f"AuthorizedKeysFile {folder}/authorized\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            f"PermitRootLogin yes\nSubsystem sftp internal-sftp -d {into}\n"
        )
        sshd = shutil.which("sshd") or "/usr/sbin/sshd"
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.process = subprocess.Popen([sshd, "-D", "-q", "-f", str(config)], stderr=subprocess.DEVNULL)
        if not comes(lambda: answers(self.port)):
            raise SystemExit("FAILED: sshd does not start")

    def digest(self, name="host"):
        key = (self.folder / f"{name}.pub").read_text().split()[1]
        return "SHA256:" + base64.b64encode(hashlib.sha256(base64.b64decode(key)).digest()).decode().rstrip("=")

    def address(self, port=None):
        user = os.environ.get("USER") or subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip()
        return f"sftp://{user}@127.0.0.1:{port or self.port}/"

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Cutter:
    """A proxy that cuts each connection after so many bytes to the server, as many times as it is told; then none."""

    def __init__(self, to, after, times):
        self.to, self.after, self.left, self.cuts = to, after, times, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to))
            limit = self.after if self.left > 0 else None
            self.left -= 1
            threading.Thread(target=self.pump, args=(client, server, limit), daemon=True).start()
            threading.Thread(target=self.pump, args=(server, client, None), daemon=True).start()

    def pump(self, source, target, limit):
        sent = 0
        try:
            while data := source.recv(65536):
                if limit is not None and sent + len(data) > limit:
                    target.sendall(data[: limit - sent])
                    self.cuts += 1
                    break
                target.sendall(data)
                sent += len(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.listener.close()


def over_sftp(binary, folder):
    print("SFTP, OpenSSH:", flush=True)
    into = folder / "into"
    into.mkdir()
    sshd = Sshd(folder, into)
    key = (folder / "client").read_text()

    def mill(name, **more):
        (folder / name).mkdir()
        made = Mill(binary, folder / name, **more)
        made.set_secret(key)
        return made

    def emptied():
        for path in into.iterdir():
            path.unlink()

    try:
        one = mill("keys")
        one.settings(sshd.address())
        expect("an unknown host key", one.deliver(), 1, "the host key is not known", sshd.digest(), "host_key:")
        one.settings(sshd.address(), host_key=sshd.digest("other"))
        expect("another host key", one.deliver(), 1, "THE HOST KEY IS NOT THE ONE OF THE SETTINGS", sshd.digest())
        one.settings(sshd.address(), host_key=sshd.digest())
        one.set_secret((folder / "other").read_text())
        expect("a wrong login", one.deliver(), 1, "the server refuses the login")
        one.set_secret(key, 0o644)
        expect("a secret that others may read", one.deliver(), 1, "has the mode 644", "chmod 600")
        one.set_secret(key)
        one.settings(sshd.address() + "nowhere", host_key=sshd.digest())
        expect("a folder that is not there", one.deliver(), 1, "has no folder `nowhere`")
        if any(into.iterdir()):
            raise SystemExit("FAILED: something was sent although it was refused")
        # It shows its key of Ed25519 first; the market named the other one.
        one.settings(sshd.address(), host_key=sshd.digest("rsa"))
        told = ("all delivered (3 files)", "upload adobe-stock.csv in the market's portal", "mine.jpg: not delivered")
        expect("the first delivery", one.deliver(), 0, *told, "3 files delivered now.")
        arrived("the first delivery", one, into)
        before = {path.name: path.stat().st_mtime_ns for path in into.iterdir()}
        expect("a second delivery", one.deliver(), 0, "0 files delivered now.")
        expect("one by its folder", one.deliver(f"upload/{DAY}/adobe-stock"), 0, "0 files delivered now.")
        if before != {path.name: path.stat().st_mtime_ns for path in into.iterdir()}:
            raise SystemExit("FAILED: a second delivery wrote again")
        # Another mill of the same market, and nothing is on record there.
        two = mill("two")
        two.settings(sshd.address(), host_key=sshd.digest())
        for name, content in two.wanted.items():
            (into / name).write_bytes(content[::-1])
        expect("files of another mill", two.deliver(), 1, "nobody can tell whether it is this one", "and 3 not")
        first, *others = [str(two.bundle / "files" / name) for name in two.wanted]
        expect("the word of a person that one is its own", two.deliver("--taken", first), 0, "recorded: the market has it")
        for path in others:
            (into / Path(path).name).unlink()
        expect("the others are taken away there", two.deliver(), 0, "2 files delivered now.")
        if any((into / Path(path).name).read_bytes() != Path(path).read_bytes() for path in others):
            raise SystemExit("FAILED: what was taken away did not go")
        changed = one.bundle / "files/cabin00.jpg"
        changed.write_bytes(b"changed")
        expect("a file that changed since", one.deliver(), 1, "changed after it was delivered", "and 1 not")
        expect("the word of a person", one.deliver("--taken", str(changed)), 0)
        expect("a file that changed since, and that somebody knows of", one.deliver(), 0, "0 files delivered now.")

        # The market took them away from its server.
        emptied()
        for lost in (".stockmill", "upload/.stockmill-delivery"):
            shutil.rmtree(one.root / lost)
            one.call("init", str(one.root))
            expect(f"`{lost}` is lost", one.deliver(), 0, "lost or of an older backup: it is made anew", "0 files delivered now.")
        if any(into.iterdir()):
            raise SystemExit("FAILED: files went again")

        refused = mill("refused", files=4)
        refused.settings(sshd.address(), host_key=sshd.digest())
        records = [refused.bundle / "sidecars" / f"{name}.yaml" for name in refused.wanted]
        sound = [record.read_text() for record in records]
        records[0].write_text(sound[0].replace("title: A cabin in the snow, ", ""))
        records[1].write_text("tags: [")
        (refused.bundle / "files" / "cabin02.jpg").write_bytes(b"no picture")
        from blake3 import blake3

        records[2].write_text(f"id: '2222222222222222'\nfile: {{hash: '{blake3(b'no picture').hexdigest()}'}}\n{TAGS}")
        told = ("its market would refuse it today: it has no title", "sidecars/cabin01.jpg.yaml", "it is of no kind that stockmill knows")
        expect("what something speaks against", refused.deliver(), 1, *told, "1 file delivered now, and 3 not")
        if [path.name for path in into.iterdir()] != ["cabin03.jpg"]:
            raise SystemExit(f"FAILED: something was sent that something speaks against: {list(into.iterdir())}")

        emptied()
        # More than what is sent again after a cut, or nothing would ever get on.
        cut = mill("cuts", size=4_000_000)
        proxy = Cutter(sshd.port, 2_500_000, 6)
        cut.settings(sshd.address(proxy.port), host_key=sshd.digest(), per_host=1)
        expect("cut connections", cut.deliver(), 0, "again in")
        if proxy.cuts < 4:
            raise SystemExit(f"FAILED: only {proxy.cuts} connections were cut")
        proxy.stop()
        arrived("cut connections", cut, into)

        emptied()
        killed = mill("kills", market="vecteezy", files=12, size=700_000)
        killed.settings(sshd.address(), host_key=sshd.digest())
        kills = 0
        for turn in range(60):
            process = killed.start()
            time.sleep(0.05 + 0.03 * turn)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.wait()
            if len(killed.delivered()) == 13:
                break
        code = killed.deliver()
        expect(f"{kills} kills", code, 0)
        arrived("kills", killed, into, {f"vecteezy-{DAY}.csv": killed.manifest(killed.wanted)})

        emptied()
        full_disk(mill("full"), sshd, into)
    finally:
        sshd.stop()


def full_disk(mill, sshd, into):
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(into)]).returncode:
        print("  a full disk: left out, nothing can be mounted here", flush=True)
        return
    try:
        mill.settings(sshd.address(), host_key=sshd.digest(), per_host=1)
        expect("a full disk", mill.deliver(), 1, "the server's disk is full", "nothing more goes to adobe-stock in this run")
        subprocess.run(["mount", "-o", "remount,size=20m", str(into)], check=True)
        expect("room again", mill.deliver(), 0, "all delivered (3 files)")
        arrived("room again", mill, into)
    finally:
        subprocess.run(["umount", "-l", str(into)], check=True)


def certificates(folder):
    """Makes a certificate that vouches for others, and some of these."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)

    def name(text):
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    def write(path, key, certificate):
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))

    def make(subject, key, issuer, by, until, host=None):
        builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - 9 * day).not_valid_after(until)
        builder = builder.add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        if host:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return builder.sign(by, hashes.SHA256())

    authority = ec.generate_private_key(ec.SECP256R1())
    ca = make("test", authority, "test", authority, now + 9 * day)
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    for kind, host, until in [("good", "localhost", 9), ("expired", "localhost", -1), ("foreign", "other.example", 9)]:
        key = ec.generate_private_key(ec.SECP256R1())
        write(folder / f"{kind}.pem", key, make(kind, key, "test", authority, now + until * day, host))


def ftps_server(folder, into, certificate, kind):
    """Starts a server of a kind in a process of its own: some break off, have no room, or refuse to rename."""
    port = free_port()
    command = [sys.executable, str(HERE), "--serve", kind, str(port), str(into), str(folder / f"{certificate}.pem")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if not comes(lambda: answers(port)):
        raise SystemExit(f"FAILED: the FTPS server `{kind}` does not start")
    return port, process


def serve_sftp(kind, port, into, key):
    """An SFTP server that takes a password, as those of markets do."""
    import asyncio

    import asyncssh

    class Login(asyncssh.SSHServer):
        def password_auth_supported(self):
            return kind != "sftp-asks"

        def kbdint_auth_supported(self):
            return kind == "sftp-asks"

        def get_kbdint_challenge(self, username, lang, submethods):
            return "", "", "", [("Password:", False)]

        def validate_kbdint_response(self, username, responses):
            return (username, responses) == ("me@shop", [PASSWORD])

        def validate_password(self, username, password):
            return (username, password) == ("me@shop", PASSWORD)

    class Files(asyncssh.SFTPServer):
        def __init__(self, chan):
            super().__init__(chan, chroot=into)

        def write(self, file_obj, offset, data):
            if kind == "sftp-full":
                raise asyncssh.SFTPFailure("Failure")
            return super().write(file_obj, offset, data)

        def rename(self, oldpath, newpath):
            if kind == "sftp-direct":
                raise asyncssh.SFTPPermissionDenied("no renaming here")
            return super().rename(oldpath, newpath)

    async def run():
        await asyncssh.create_server(Login, "127.0.0.1", int(port), server_host_keys=[key], sftp_factory=Files)
        await asyncio.get_running_loop().create_future()

    asyncio.run(run())


def serve(kind, port, into, certificate):
    if kind.startswith("sftp"):
        return serve_sftp(kind, port, into, certificate)
    from OpenSSL import SSL
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler, TLS_DTPHandler, TLS_FTPHandler
    from pyftpdlib.servers import FTPServer

    class Data(TLS_DTPHandler):
        """Breaks off in the middle of a file, five times; or wants the session of the login for each file, as vsftpd does."""

        left = 5

        def handle_read(self):
            super().handle_read()
            if kind == "resumes" and self.receive and not SSL._lib.SSL_session_reused(self.socket._ssl):
                self.cmd_channel.respond("522 SSL connection failed: session reuse required")
                self.close()
            if kind == "cuts" and Data.left > 0 and self.receive and self.tot_bytes_received > 500_000:
                Data.left -= 1
                self.cmd_channel.close()

        handle_read_event = handle_read

    class Handler(FTPHandler if kind == "plain" else TLS_FTPHandler):
        def ftp_STOR(self, file, mode="w"):  # noqa: N802
            if kind == "full":
                self.respond("552 Insufficient storage space.")
                return None
            return super().ftp_STOR(file, mode)

        def ftp_RNFR(self, path):  # noqa: N802
            if kind in ("direct", "takes"):
                self.respond("502 No renaming here.")
                return None
            return super().ftp_RNFR(path)

        def on_file_received(self, file):
            # As markets do that work on files as soon as they are there.
            if kind == "takes" and not file.endswith(".part"):
                os.rename(file, file.replace("/into", "/taken"))

    users = DummyAuthorizer()
    users.add_user("me@shop", PASSWORD, into, perm="elradfmwMT")
    Handler.authorizer = users
    if kind != "plain":
        Handler.certfile, Handler.dtp_handler = certificate, Data
        Handler.tls_control_required = Handler.tls_data_required = True
        if kind == "tls13":
            Handler.ssl_options |= SSL.OP_NO_TLSv1 | SSL.OP_NO_TLSv1_1 | SSL.OP_NO_TLSv1_2
    FTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


def by_password(binary, folder):
    print("SFTP by password, asyncssh:", flush=True)
    key = folder / "host.pem"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", str(key)], check=True)
    shown = subprocess.run(["ssh-keygen", "-lf", f"{key}.pub"], capture_output=True, text=True, check=True).stdout
    for kind in ("sftp", "sftp-asks", "sftp-direct"):
        home = folder / kind
        into = home / "into"
        into.mkdir(parents=True)
        mill = Mill(binary, home)
        port, server = ftps_server(folder, into, "host", kind)
        try:
            mill.settings(f"sftp://me@shop@127.0.0.1:{port}/", host_key=shown.split()[1])
            mill.set_secret("wrong\n")
            expect("a wrong password", mill.deliver(), 1, "the server refuses the login of `me@shop`")
            mill.set_secret(PASSWORD + "\n")
            what = {"sftp": "a password", "sftp-asks": "a question for the password"}.get(kind, "a server that does not rename")
            expect(what, mill.deliver(), 0, "all delivered (3 files)")
            expect(f"{what}, again", mill.deliver(), 0, "0 files delivered now.")
            arrived(what, mill, into)
        finally:
            server.kill()
            server.wait()
    without_room(binary, folder)


def without_room(binary, folder):
    home = folder / "sftp-full"
    into = home / "into"
    into.mkdir(parents=True)
    mill = Mill(binary, home, files=5, size=1000)
    port, server = ftps_server(folder, into, "host", "sftp-full")
    try:
        shown = subprocess.run(["ssh-keygen", "-lf", str(folder / "host.pem.pub")], capture_output=True, text=True, check=True)
        mill.settings(f"sftp://me@shop@127.0.0.1:{port}/", host_key=shown.stdout.split()[1], per_host=1)
        told = ("cabin02.jpg: not delivered: the server takes nothing (perhaps it is full): ", "and 5 not")
        done = mill.deliver()
        expect("a server that says of each file that it failed", done, 1, *told)
        if "cabin03.jpg" in done[1] or any(into.iterdir()):
            raise SystemExit(f"FAILED: it was asked for more, or files stay: {list(into.iterdir())}\n{done[1]}")
    finally:
        server.kill()
        server.wait()


def over_ftps(binary, folder):
    print("FTPS, pyftpdlib:", flush=True)
    certificates(folder)
    ca = str(folder / "ca.pem")

    def case(what, code, *told, kind="usual", certificate="good", ca_file=ca, market="adobe-stock", files=3, size=1_500_000, **settings):
        home = folder / f"{kind}-{certificate}-{market}-{bool(ca_file)}-{len(settings)}-{len(list(folder.iterdir()))}"
        into, taken = home / "into", home / "taken"
        into.mkdir(parents=True)
        taken.mkdir()
        mill = Mill(binary, home, market=market, files=files, size=size)
        port, server = ftps_server(folder, into, certificate, kind)
        try:
            env = {}
            if settings.pop("secret_file", "file") is None:
                # As systemd does it: a folder of this unit alone, with a file for each secret.
                (home / "credentials").mkdir()
                (home / "credentials" / market).write_text(PASSWORD)
                env, settings["secret_file"] = {"CREDENTIALS_DIRECTORY": str(home / "credentials")}, None
            if "password" in settings:
                mill.set_secret(settings.pop("password"))
            mill.settings(f"ftps://me@shop@localhost:{port}/", ca_file=ca_file, **settings)
            expect(what, mill.deliver(env=env), code, *told)
            if code == 0:
                expect(f"{what}, again", mill.deliver(env=env), 0, "0 files delivered now.")
                csv = {}
                if market == "vecteezy":
                    csv[f"vecteezy-{DAY}.csv"] = mill.manifest(mill.wanted)
                arrived(what, mill, taken if kind == "takes" else into, csv)
                if csv:
                    mill.add(files, size)
                    late = f"vecteezy.csv: delivered as `vecteezy-{DAY}-2.csv`"
                    expect(f"{what}, and a file that came later", mill.deliver(env=env), 0, late, "2 files delivered now.")
                    expect(f"{what}, again", mill.deliver(env=env), 0, "0 files delivered now.")
                    csv[f"vecteezy-{DAY}-2.csv"] = mill.manifest([f"cabin{files:02}.jpg"])
                    arrived(f"{what}, and a file that came later", mill, into, csv)
                    mill.rows["cabin00.jpg"] = mill.rows["cabin00.jpg"].replace("A cabin", "Cabins")
                    table = mill.bundle / "vecteezy.csv"
                    table.write_bytes(mill.manifest(mill.rows))
                    expect("a row that changed since", mill.deliver(env=env), 1, f"--taken upload/{DAY}/vecteezy/vecteezy.csv", "and 1 not")
                    expect("the word of a person", mill.deliver("--taken", str(table)), 0)
                    expect("a row that changed since, and that somebody knows of", mill.deliver(env=env), 0, "0 files delivered now.")
            elif any(into.iterdir()):
                raise SystemExit(f"FAILED: {what}: something was sent")
        finally:
            server.kill()
            server.wait()

    case("a delivery", 0, "all delivered (3 files)", "upload adobe-stock.csv in the market's portal")
    case("a credential of systemd", 0, "all delivered (3 files)", secret_file=None)
    case("a CSV that the market takes", 0, "vecteezy.csv is delivered, too", market="vecteezy")
    case("data that must resume the login's session", 0, "12 files delivered now.", kind="resumes", files=12, size=1000, per_host=1)
    case("a server that has TLS 1.3 alone", 0, "all delivered (3 files)", kind="tls13")
    case("a certificate that nobody vouches for", 1, "certificate is refused: nobody vouches for it", ca_file=None)
    case("an expired certificate", 1, "certificate is refused: it has expired", certificate="expired")
    case("a certificate for another name", 1, "certificate is refused: it is for another name", certificate="foreign")
    case("a wrong password", 1, "the server refuses the login of `me@shop`", password="wrong\n")
    case("a server without TLS", 1, "does not turn to TLS", kind="plain")
    case("a server without room", 1, "the server has no room", kind="full")
    case("cut connections", 0, "again in", kind="cuts", per_host=1)
    case("a server that does not rename", 0, "all delivered (3 files)", kind="direct")
    case("a server that takes files away at once", 0, "all delivered (3 files)", kind="takes")


def main():
    if sys.argv[1:2] == ["--serve"]:
        return serve(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stockmill", type=Path, required=True, help="the binary, with the feature `delivery`")
    asked = parser.parse_args()
    with_libraries()
    binary = asked.stockmill.resolve()
    began = time.monotonic()
    for scenes in (over_sftp, by_password, over_ftps):
        with tempfile.TemporaryDirectory(prefix="stockmill-delivery-") as folder:
            scenes(binary, Path(folder))
    print(f"delivery: ok, {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
