#!/usr/bin/env python3
"""ecg-serve's limits and options: slow clients, too many of them, tokens, names, folders, logs.

    limits.py TOOLS MODEL PICTURE LARGE

LARGE: a picture that takes long to decode."""
import hashlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import serve_client as c
from serve_client import Server, ask, check, head, receive, until

TOOLS, MODEL = sys.argv[1:3]
PICTURE, LARGE = Path(sys.argv[3]).read_bytes(), Path(sys.argv[4]).read_bytes()
PREDICT = "/api/v1/predict"
HOST = {"Host": "127.0.0.1"}


def slow_clients():
    """Each is cut after the timeout; others are answered all the while."""
    server = Server(TOOLS, "-m", MODEL, "--timeout", "1")
    ends = []

    def drip(first, piece):
        with server.connect() as s:
            s.sendall(first)
            start = time.monotonic()
            while time.monotonic() < start + 20:
                try:
                    s.sendall(piece)
                    s.settimeout(0.1)
                    data = s.recv(4096)
                except socket.timeout:
                    continue
                except OSError:
                    data = b""
                ends.append((data[:12], time.monotonic() - start))
                return
            ends.append((b"never", 20))

    body = head("POST", PREDICT, {**HOST, "Content-Length": len(PICTURE)})
    cases = {"a slow head": (b"GET / HTTP/1.1\r\n", b"X-A: b\r\n"), "a silent body": (body, b""),
             "a slow body": (body, b"\x89"), "nothing at all": (b"", b"")}
    threads = [threading.Thread(target=drip, args=case) for case in cases.values()]
    for t in threads:
        t.start()
    for _ in range(10):
        check("others are answered", server.ask("POST", PREDICT, PICTURE).status == 200)
        time.sleep(0.1)
    for t in threads:
        t.join()
    check("all are cut in time", len(ends) == 4 and all(0.5 < t < 6 for _, t in ends), ends)
    check("and told so", sum(d == b"HTTP/1.1 408" for d, _ in ends) >= 3, ends)
    with server.connect() as s:
        ask(s, "GET", "/healthz")
        check("a connection that rests is closed without a word", s.recv(100) == b"")
    def cut():
        return int(re.search(r"connections_cut_total (\d+)\n", server.ask("GET", "/metrics").body.decode())[1])
    check("they are counted", until(lambda: cut() >= 5), cut())
    check("exit code", server.stop() == 0)


def many_connections():
    server = Server(TOOLS, "-m", MODEL, "--max-connections", "4")
    held = [server.connect() for _ in range(4)]
    for s in held:
        check("within the limit", ask(s, "GET", "/healthz").status == 200)
    for _ in range(3):
        with server.connect() as s:
            a = receive(s)
            check("beyond it: 503", a and a.status == 503 and a.headers["retry-after"] == "1" and
                  a.json()["status"] == 503, a)
    held.pop().close()

    def again():
        with server.connect() as s:
            a = ask(s, "GET", "/healthz")
            return a and a.status == 200

    check("one that is closed makes room", until(again, 5))
    for s in held:
        check("the others never noticed", ask(s, "GET", "/healthz").status == 200)
        s.close()
    check("exit code", server.stop() == 0)


def full_queue():
    """One thread, one place in the queue, and pictures that take long."""
    server = Server(TOOLS, "-m", MODEL, "--threads", "1", "--queue", "1")
    got = []

    def post():
        got.append(server.ask("POST", PREDICT, LARGE))

    threads = [threading.Thread(target=post) for _ in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    codes = sorted(a.status if a else 0 for a in got)
    check("answered or 503", set(codes) == {200, 503}, codes)
    check("with Retry-After", all("retry-after" in a.headers for a in got if a.status == 503))
    check("exit code", server.stop() == 0)


def options():
    Path("token").write_text("0123456789abcdef-secret\n")
    Path("card.md").write_text("# A card\n")
    os.makedirs("web", exist_ok=True)
    Path("web/secret.txt").write_text("not to be served")
    server = Server(TOOLS, "-m", MODEL, "--token", "token", "--card", "card.md", "--web", "web", "--host",
                    "ecg.example.org", "--uploads", "kept", "--log", "lines", "--retain-days", "1", "--max-disk", "1M")
    for token in None, "wrong", "0123456789abcdef-secre", "0123456789abcdef-secret2":
        a = server.ask("POST", PREDICT, PICTURE, {"Authorization": f"Bearer {token}"} if token else {})
        check(f"token {token}: 401", a.status == 401 and a.headers["www-authenticate"] == "Bearer", a)
    check("the model too", server.ask("GET", "/api/v1/model").status == 401)
    check("not the health", server.ask("GET", "/healthz").status == 200)
    right = {"Authorization": "Bearer 0123456789abcdef-secret"}
    a = server.ask("POST", PREDICT, PICTURE, right)
    check("the right token", a.status == 200 and a.json()["kept"] is True, a)
    check("a proxy's name", server.ask("POST", PREDICT, PICTURE, {
        **right, "Host": "ecg.example.org", "Origin": "https://ecg.example.org"}).status == 200)
    check("another name", server.ask("GET", "/healthz", headers={"Host": "example.org"}).status == 421)
    check("the card", server.ask("GET", "/api/v1/model", headers=right).json()["card"] == "# A card\n")
    check("no file but those of the page", server.ask("GET", "/secret.txt").status == 404)
    bad = server.ask("POST", PREDICT, b"no picture", right)
    check("what is no picture is not kept", bad.status == 415)
    digest = hashlib.sha256(PICTURE).hexdigest()
    files = [str(p) for p in Path("kept").rglob("*") if p.is_file() and not p.name.endswith(".jsonl")]
    check("kept under its digest", [os.path.basename(f) for f in files] == [digest], files)
    check("to the byte", Path(files[0]).read_bytes() == PICTURE)
    lines = [json.loads(line) for line in open("lines")]
    check("a line for each", [x.get("sha256") for x in lines][:2] == [digest] * 2 and len(lines) == 3, lines)
    answer = a.json()
    check("with the answer", all(lines[0][k] == answer[k] for k in ("class", "probability", "probabilities", "status",
                                                                     "model")), lines[0])
    check("and the error", lines[2]["error"] == "ECG_EFORMAT", lines[2])
    check("exit code", server.stop() == 0, server.messages())


def one_port():
    server = Server(TOOLS, "-m", MODEL)
    p = subprocess.run([os.path.join(TOOLS, "ecg-serve"), "-m", MODEL, "--listen", f"127.0.0.1:{server.port}"],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    check("a port in use: 1, one line", p.returncode == 1 and not p.stdout and p.stderr.count("\n") == 1 and
          f"127.0.0.1:{server.port}: Address already in use" in p.stderr, p)
    server.stop()
    server = Server(TOOLS, "--quiet", env={"ECG_MODEL": MODEL})
    check("ECG_MODEL, and --quiet", server.ask("GET", "/healthz").status == 200 and server.messages() == "",
          server.messages())
    server.stop()
    if socket.has_ipv6:
        try:
            socket.socket(socket.AF_INET6, socket.SOCK_STREAM).bind(("::1", 0))
        except OSError:
            print("SKIP: no IPv6 here")
            return
        p = subprocess.Popen([os.path.join(TOOLS, "ecg-serve"), "-m", MODEL, "-l", "[::1]:0", "-q"],
                             stdout=subprocess.PIPE, text=True)
        line = p.stdout.readline()
        found = re.fullmatch(r"listening on http://\[::1\]:(\d+)\n", line)
        check("IPv6", found, line)
        if found:
            with socket.create_connection(("::1", int(found.group(1)))) as s:
                check("answers over IPv6", ask(s, "GET", "/healthz", headers={"Host": "[::1]"}).status == 200)
        p.terminate()
        p.stdout.close()
        check("exit code", p.wait(60) == 0)


slow_clients()
many_connections()
full_queue()
options()
one_port()
c.finish()
