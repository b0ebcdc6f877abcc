"""What the tests of ecg-serve share: a server, started and stopped, and a plain client.

A failed check prints a line and is counted; finish() says how many there were."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

passed = failed = 0


def check(what, good, seen=""):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f"FAILED: {what}" + (f": {seen!r}"[:600] if seen != "" else ""), flush=True)
    return good


def finish():
    print(f"passed {passed} of {passed + failed}")
    sys.exit(failed > 0 or passed == 0)


class Server:
    """ecg-serve on a port of its own; messages go to a file."""

    def __init__(self, tools, *args, log="serve.err", env=None):
        self.log = log
        self.process = subprocess.Popen(
            [os.path.join(tools, "ecg-serve"), "--listen", "127.0.0.1:0", *args], stdout=subprocess.PIPE,
            stderr=open(log, "w"), stdin=subprocess.DEVNULL, text=True, env={**os.environ, **(env or {})})
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on (http://.*)\n", line)
        if not found:
            self.process.wait()
            raise SystemExit(f"FAILED: no server: {line!r} {self.messages()}")
        self.url = found.group(1)
        self.port = urlsplit(self.url).port

    def messages(self):
        with open(self.log) as f:
            return f.read()

    def connect(self, timeout=60):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM, wait=60):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.stdout.close()
        return self.process.wait(wait)

    def ask(self, method, path, body=b"", headers=None, **more):
        with self.connect() as s:
            return ask(s, method, path, body, {"Connection": "close", **(headers or {})}, **more)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


def head(method, path, headers):
    return (f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n").encode()


def ask(s, method, path, body=b"", headers=None, chunked=0):
    """One request on a connection; chunked: bytes of a piece."""
    h = {"Host": "127.0.0.1"}
    if chunked:
        h["Transfer-Encoding"] = "chunked"
        body = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + chunked]), body[i:i + chunked])
                        for i in range(0, len(body), chunked)) + b"0\r\n\r\n"
    elif body or method == "POST":
        h["Content-Length"] = len(body)
    h.update(headers or {})
    try:
        s.sendall(head(method, path, h) + body)
    except (BrokenPipeError, ConnectionResetError):
        pass  # what it says about that is still there to read
    return receive(s, method)


def receive(s, method="GET"):
    """An answer, or None where the connection ended without one."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            more = s.recv(65536)
        except ConnectionResetError:
            more = b""
        if not more:
            return None
        data += more
    top, body = data.split(b"\r\n\r\n", 1)
    lines = top.decode("latin-1").split("\r\n")
    status = int(lines[0].split()[1])
    headers = {}
    for line in lines[1:]:
        k, v = line.split(":", 1)
        headers[k.lower()] = v.strip()
    if status == 100:
        raise SystemExit("FAILED: an interim answer that was not asked for")
    length = 0 if method == "HEAD" or status in (204, 304) else int(headers.get("content-length", 0))
    while len(body) < length:
        more = s.recv(65536)
        if not more:
            break
        body += more
    return Answer(status, headers, body)


def form(parts, boundary="beatbeatbeat"):
    """parts: (name, file name or None, bytes)."""
    out = b""
    for name, file, data in parts:
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        if file is not None:
            out += f'; filename="{file}"\r\nContent-Type: image/png'.encode()
        out += b"\r\n\r\n" + data + b"\r\n"
    return out + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False
