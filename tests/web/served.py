"""An ecg-serve to be tested, and ways to speak to it by bare sockets."""
import os
import re
import resource
import select
import signal
import socket
import struct
import subprocess
import time

NET = "input 12x12x1; conv2d 4 3x3 relu; maxpool 2x2; flatten; dense 3; softmax"


def sanitized(path):
    with open(path, "rb") as f:
        data = f.read()
    return b"__asan_init" in data or b"__tsan_init" in data


def make_model(tools, make_pictures, net=NET, size=None):
    """Pictures of three classes in ./data and m.ecgm, trained on them. The pictures' paths."""
    subprocess.run([make_pictures, "data", "4"], check=True)
    subprocess.run([f"{tools}/ecg-train", "data", "-o", "m.ecgm", "--net", net, "--val-split", "0.25", "--epochs", "2",
                    "--batch", "4", "--seed", "1", "--threads", "1", "-q", *(["--size", size] if size else [])], check=True, stderr=subprocess.DEVNULL)
    return sorted(os.path.join(d, f) for d, _, files in os.walk("data") for f in files if f.endswith(".png"))


class Server:
    def __init__(self, tools, *args, model="m.ecgm", file_size=None):
        def limit():
            if file_size is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
        self.said = open("server.err", "ab")
        self.process = subprocess.Popen([f"{tools}/ecg-serve", "-m", model, "--listen", "127.0.0.1:0", *args],
                                        stdout=subprocess.PIPE, stderr=self.said, preexec_fn=limit)
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        line = self.process.stdout.readline().decode() if ready else ""
        match = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        if not match:
            self.process.kill()
            raise SystemExit(f"no address was printed: {line!r}; {open('server.err').read()[-500:]}")
        self.port = int(match.group(1))
        self.host = f"127.0.0.1:{self.port}"

    def rss(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def files(self):
        try:
            return len(os.listdir(f"/proc/{self.process.pid}/fd"))
        except PermissionError:
            return None

    def alive(self):
        return self.process.poll() is None

    def stop(self, seconds=30):
        """The exit code after SIGTERM; None: it had to be killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None
        finally:
            self.said.close()

    # ---- sockets ----

    def connect(self, seconds=10.0):
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds)

    def head(self, method="POST", target="/api/v1/predict", *headers, version="HTTP/1.1"):
        lines = [f"{method} {target} {version}", f"Host: {self.host}", *headers, "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def post(self, body, *headers, target="/api/v1/predict"):
        return self.head("POST", target, f"Content-Length: {len(body)}", *headers) + body

    def ask(self, data, seconds=10.0, half_close=False):
        """All of `data` on a connection of its own; the Answer, or None where the connection was closed without one.
        TimeoutError: neither came."""
        with self.connect(seconds) as s:
            try:
                s.sendall(data)
                if half_close:
                    s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it may have answered before it had read all
            return Answer.read(s)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @staticmethod
    def read(s, buffer=b""):
        """One answer from a socket. What is left over stays in .rest."""
        while b"\r\n\r\n" not in buffer:
            try:
                more = s.recv(65536)
            except ConnectionResetError:
                return None
            if not more:
                return None
            buffer += more
        head, buffer = buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.[01] (\d{3}) .+", lines[0])
        if not match:
            raise ValueError(f"not an answer: {lines[0]!r}")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        status = int(match.group(1))
        if status == 100:
            return Answer.read(s, buffer)
        length = int(headers.get("content-length", 0))
        while len(buffer) < length:
            more = s.recv(65536)
            if not more:
                raise ValueError("the answer is cut")
            buffer += more
        answer = Answer(status, headers, buffer[:length])
        answer.rest = buffer[length:]
        return answer


def reset(s):
    """Closes so that the other side sees an error, not an end."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def closed(s, seconds):
    """Does the other side close within so many seconds? What it said, or None."""
    end, said = time.monotonic() + seconds, b""
    while (left := end - time.monotonic()) > 0:
        s.settimeout(left)
        try:
            more = s.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            return said
        except TimeoutError:
            return None
        if not more:
            return said
        said += more
    return None
