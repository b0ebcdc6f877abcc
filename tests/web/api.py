#!/usr/bin/env python3
"""ecg-serve's HTTP API: the answers of ecg-predict to the bit, every route, every error.

    api.py TOOLS MODEL OTHER_MODEL DATA [SAMPLES]

DATA: a folder of pictures for MODEL; SAMPLES: more of them, any."""
import base64
import ctypes
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import serve_client as c
from serve_client import Server, ask, check, form, head, receive, until

TOOLS, MODEL, OTHER, DATA = sys.argv[1:5]
PICTURES = sorted(Path(DATA).rglob("*.png"))
SAMPLES = sorted(Path(sys.argv[5]).rglob("*.png"))[::200] if len(sys.argv) > 5 else []
PREDICT = "/api/v1/predict"
BATCH = "/api/v1/predict-batch"
SECURITY = {"content-security-policy": "default-src 'none'", "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin", "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin", "cache-control": "no-"}


def predicted(paths):
    """What ecg-predict --json says, as text without the name of the picture."""
    out = subprocess.run([os.path.join(TOOLS, "ecg-predict"), "-m", MODEL, "--json", "-q", *map(str, paths)],
                         stdout=subprocess.PIPE, check=True, text=True).stdout
    return [re.sub(r'^\{"image":"(\\.|[^"\\])*",(.*)\}$', r"\2", line) for line in out.splitlines()]


def secure(what, answer):
    for name, value in SECURITY.items():
        check(f"{what}: header {name}", answer.headers.get(name, "").startswith(value), answer.headers.get(name))


def problem(what, answer, status, words=""):
    if not check(f"{what}: an answer", answer is not None):
        return
    check(f"{what}: status {status}", answer.status == status, answer)
    check(f"{what}: problem+json", answer.headers.get("content-type") == "application/problem+json", answer.headers)
    try:
        p = answer.json()
    except ValueError:
        check(f"{what}: JSON", False, answer.body)
        return
    check(f"{what}: its members", p["type"] == "about:blank" and p["status"] == status and p["title"] and p["detail"], p)
    check(f"{what}: says {words}", words in p["detail"], p)
    secure(what, answer)


def same_as_predict(server):
    wanted = predicted(PICTURES + SAMPLES)
    with server.connect() as s:  # all on one connection, raw, chunked and as a form in turn
        for i, (path, want) in enumerate(zip(PICTURES + SAMPLES, wanted)):
            data = path.read_bytes()
            if i % 3 == 0:
                a = ask(s, "POST", PREDICT, data, {"Content-Type": "image/png"})
            elif i % 3 == 1:
                a = ask(s, "POST", PREDICT, data, chunked=1 + i * 37)
            else:
                a = ask(s, "POST", PREDICT, *form([("file", "beat.png", data)]))
            check(f"{path}: 200", a.status == 200, a)
            check(f"{path}: the text of ecg-predict", f",{want}," in a.body.decode(), (a.body, want))
            j = a.json()
            check(f"{path}: its name", j["image"] == ("beat.png" if i % 3 == 2 else "picture"), j["image"])
    body, headers = form([("file", f"{i}.png", p.read_bytes()) for i, p in enumerate(PICTURES)])
    a = server.ask("POST", BATCH, body, headers)
    check("a batch: 200", a.status == 200, a)
    check("a batch: in order", [x["image"] for x in a.json()["answers"]] == [f"{i}.png" for i in range(len(PICTURES))])
    for want in wanted[:len(PICTURES)]:
        check("a batch: the text of ecg-predict", f",{want}," in a.body.decode(), want)
    return len(PICTURES + SAMPLES)


def at_once(server):
    """Many clients together: the server runs their pictures through the network together."""
    paths = (PICTURES + SAMPLES) * 2
    wanted = predicted(PICTURES + SAMPLES) * 2
    wrong = []

    def posts(first):
        with server.connect() as s:
            for path, want in list(zip(paths, wanted))[first::16]:
                a = ask(s, "POST", PREDICT, path.read_bytes())
                if not a or a.status != 200 or f",{want}," not in a.body.decode():
                    wrong.append((path, a, want))

    threads = [threading.Thread(target=posts, args=(i,)) for i in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check("many at once: the text of ecg-predict", not wrong, wrong[:1])


def parameters(server):
    data = PICTURES[0].read_bytes()
    a = server.ask("POST", PREDICT + "?top=2&heatmap=1", data).json()
    probs = sorted(a["probabilities"].values(), reverse=True)
    check("top: two, in order", [t["probability"] for t in a["top"]] == probs[:2], a["top"])
    check("top: the class", a["top"][0]["class"] == a["class"], a["top"])
    kind, png = a["heatmap"].split(",", 1)
    png = base64.b64decode(png, validate=True)
    check("heatmap: a PNG", kind == "data:image/png;base64" and png.startswith(b"\x89PNG\r\n\x1a\n"), kind)
    check("heatmap: its size", int.from_bytes(png[16:20], "big") == 640, png[:24])
    check("size of the picture", (a["width"], a["height"]) == (int.from_bytes(data[16:20], "big"),
                                                               int.from_bytes(data[20:24], "big")), a)
    a = server.ask("POST", PREDICT, *form([("top", None, b"1"), ("file", "x.png", data), ("other", None, b"?")]))
    check("top as a field", len(a.json()["top"]) == 1, a)
    check("no top, no heatmap unless asked", not {"top", "heatmap"} & set(server.ask("POST", PREDICT, data).json()))
    for query in "?top=0", "?top=x", "?top=-1", "?heatmap=perhaps", "?top=99999999999999999999", "?top=1&top=2":
        problem(query, server.ask("POST", PREDICT + query, data), 400)
    bad = server.ask("POST", BATCH, *form([("a", "good.png", data), ("b", "bad\".png'><b>".replace('"', ""), data[:60])]))
    j = bad.json()["answers"]
    check("a batch with a bad picture", "class" in j[0] and j[1]["error"]["status"] == 422 and "class" not in j[1], j)
    check("its name comes back as it was", j[1]["image"] == "bad.png'><b>", j[1])


def errors(server, limit):
    data = PICTURES[0].read_bytes()
    j = server.ask("POST", BATCH, *form([("a", "large", data + b"x" * limit), ("b", "good", data)])).json()["answers"]
    check("one of several is too large", j[0]["error"]["status"] == 422 and "bytes" in j[0]["error"]["detail"] and
          "class" in j[1], j)
    a = server.ask("POST", PREDICT, data + b"x" * (limit - len(data)))
    check("as large as may be", a.status == 200, a)  # what follows a picture is not looked at
    problem("a byte more", server.ask("POST", PREDICT, data + b"x" * (limit - len(data) + 1)), 413)
    host = {"Host": "127.0.0.1"}
    problem("unknown", server.ask("GET", "/nothing"), 404)
    for path in "/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/samples/../app.js", "//", "/classes/%00":
        a = server.ask("GET", path)
        check(f"{path}: refused", a.status in (400, 404), a)
    for method, path, allow in (("PUT", PREDICT, "POST, OPTIONS"), ("GET", PREDICT, "POST, OPTIONS"),
                                ("POST", "/healthz", "GET, HEAD, OPTIONS"), ("BREW", "/", "GET, HEAD, OPTIONS")):
        a = server.ask(method, path)
        problem(f"{method} {path}", a, 405)
        check(f"{method} {path}: Allow", a.headers.get("allow") == allow, a.headers)
    a = server.ask("OPTIONS", PREDICT)
    check("OPTIONS", a.status == 204 and a.headers.get("allow") == "POST, OPTIONS", a)
    secure("OPTIONS", a)
    a = server.ask("HEAD", "/healthz")
    check("HEAD", a.status == 200 and a.headers["content-length"] == "16" and not a.body, a)

    problem("no picture", server.ask("POST", PREDICT), 400, "no body")
    problem("text", server.ask("POST", PREDICT, b"hello, I am text"), 415, "picture")
    problem("cut short", server.ask("POST", PREDICT, data[:-20]), 422, "picture")
    problem("compressed", server.ask("POST", PREDICT, data, {"Content-Encoding": "gzip"}), 415)
    problem("a form without a file", server.ask("POST", PREDICT, *form([("x", None, b"1")])), 400, "no file")
    problem("two files", server.ask("POST", PREDICT, *form([("a", "a", data), ("b", "b", data)])), 400, "at most 1")
    problem("a damaged form", server.ask("POST", PREDICT, form([("a", "a", data)])[0][:-9], form([])[1]), 400)
    problem("another site", server.ask("POST", PREDICT, data, {"Origin": "https://example.org"}), 403)
    problem("no origin to speak of", server.ask("POST", PREDICT, data, {"Origin": "null"}), 403)
    problem("another site, by fetch", server.ask("POST", PREDICT, data, {"Sec-Fetch-Site": "cross-site"}), 403)
    a = server.ask("POST", PREDICT, data, {"Origin": server.url, "Host": server.url[7:]})
    check("our own page", a.status == 200, a)
    problem("another name", server.ask("GET", "/healthz", headers={"Host": "example.org"}), 421)
    a = server.ask("GET", "/healthz", headers={"Host": "localhost:1234"})
    check("localhost", a.status == 200, a)
    problem("an odd expectation", server.ask("POST", PREDICT, data, {"Expect": "a miracle"}), 417)

    # The length is refused before a byte of the body is there; chunks, when they are too many.
    with server.connect() as s:
        s.sendall(head("POST", PREDICT, {**host, "Content-Length": 10 * limit}))
        problem("too long", receive(s), 413, "bytes")
    with server.connect() as s:
        s.sendall(head("POST", PREDICT, {**host, "Content-Length": 10 * limit, "Expect": "100-continue"}))
        problem("too long, and asked before", receive(s), 413, "bytes")
    problem("too long in chunks", server.ask("POST", PREDICT, b"x" * (limit + 100000), chunked=60000), 413)
    with server.connect() as s:
        s.sendall(head("POST", PREDICT, host))
        problem("no length", receive(s), 411)
    with server.connect() as s:
        s.sendall(head("POST", PREDICT, {**host, "Content-Length": len(data), "Expect": "100-continue"}))
        check("100 Continue", s.recv(4096).startswith(b"HTTP/1.1 100"))
        s.sendall(data)
        check("and then the answer", receive(s).status == 200)

    # What two readers could understand in two ways.
    for what, lines in (("two lengths", f"Content-Length: {len(data)}\r\nContent-Length: 5\r\n"),
                        ("the same length twice", f"Content-Length: {len(data)}\r\ncontent-length: {len(data)}\r\n"),
                        ("length and chunks", f"Content-Length: {len(data)}\r\nTransfer-Encoding: chunked\r\n"),
                        ("another coding", "Transfer-Encoding: gzip, chunked\r\n"),
                        ("two hosts", f"Host: localhost\r\nContent-Length: {len(data)}\r\n"),
                        ("no number", "Content-Length: 12x\r\n"), ("a negative length", "Content-Length: -1\r\n")):
        with server.connect() as s:
            s.sendall(f"POST {PREDICT} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n".encode() + data)
            a = receive(s)
            check(f"{what}: 400 and closed", a and a.status == 400 and a.headers.get("connection", "").lower() == "close"
                  and not s.recv(10), a)
    with server.connect() as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 30\r\n\r\n" + b"GET /metrics HTTP/1.1\r\n\r\n")
        a = receive(s)
        check("a body of GET: 400 and closed", a.status == 400 and a.headers["connection"] == "close", a)
    with server.connect() as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
        a = receive(s)
        check("no Host: 400", a is None or a.status == 400, a)
    check("it still answers", server.ask("GET", "/healthz").status == 200)


def reading(server):
    m = server.ask("GET", "/api/v1/model")
    secure("model", m)
    m = m.json()
    verify = subprocess.run(["sha256sum", MODEL], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[0]
    check("model: sha256", m["sha256"] == verify, m["sha256"])
    check("model: name and classes", m["name"] == os.path.basename(MODEL) and m["classes"] == ["Class A", "Class B", "Class C"], m)
    check("model: input, rule, gate", m["input"]["width"] == 12 and m["rule"]["temperature"] > 0 and m["gate"]["limit"] > 0, m)
    check("model: provenance", m["provenance"]["tool"].startswith("ecg-train"), m)
    check("model: notice", "Not a medical device" in m["notice"], m)
    api = server.ask("GET", "/api/v1/openapi.json").json()
    version = subprocess.run([os.path.join(TOOLS, "ecg-serve"), "--version"], stdout=subprocess.PIPE, text=True).stdout.split()[1]
    check("openapi: version", api["info"]["version"] == version and api["openapi"].startswith("3."), api["info"])
    for path, methods in api["paths"].items():
        for method in methods:
            a = server.ask(method.upper(), path)
            check(f"openapi: {method} {path} exists", a.status in map(int, methods[method]["responses"]), a)
    for name in set(re.findall(r'"#/components/([a-zA-Z]+/[a-zA-Z0-9]+)"', json.dumps(api))):
        group, item = name.split("/")
        check(f"openapi: {name}", item in api["components"][group])
    answer = server.ask("POST", PREDICT + "?top=1&heatmap=1", PICTURES[0].read_bytes()).json()
    schema = api["components"]["schemas"]["Answer"]
    check("openapi: an answer has what it must", set(schema["required"]) <= set(answer), answer.keys())
    check("openapi: and nothing else", set(answer) <= set(schema["properties"]), answer.keys())
    model = api["components"]["schemas"]["Model"]
    check("openapi: the model", set(model["required"]) == set(m) == set(model["properties"]), m.keys())


def counted(server):
    def total():
        text = server.ask("GET", "/metrics").body.decode()
        for line in text.splitlines():
            check(f"metrics: {line}", re.fullmatch(
                r'# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z0-9_]+="(\\.|[^"\\])*"(,[a-z0-9_]+="(\\.|[^"\\])*")*\})? [0-9.e+-]+', line))
        return text, dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")

    _, before = total()
    data = PICTURES[0].read_bytes()
    for _ in range(3):
        server.ask("POST", PREDICT, data)
    server.ask("POST", PREDICT, b"no picture")
    time.sleep(0.2)  # a request is counted when its answer has left
    _, after = total()

    def more(key):
        return float(after.get(key, 0)) - float(before.get(key, 0))

    check("metrics: answered", more('ecg_serve_requests_total{route="/api/v1/predict",code="200"}') == 3, after)
    check("metrics: refused", more('ecg_serve_requests_total{route="/api/v1/predict",code="415"}') == 1, after)
    check("metrics: pictures", sum(more(k) for k in after if k.startswith("ecg_serve_pictures_total{")) == 4, after)
    check("metrics: times", more('ecg_serve_request_seconds_count{route="/api/v1/predict"}') == 4, after)
    check("metrics: the last bucket", after['ecg_serve_request_seconds_bucket{route="/api/v1/predict",le="+Inf"}'] ==
          after['ecg_serve_request_seconds_count{route="/api/v1/predict"}'], after)
    check("metrics: bytes", more("ecg_serve_received_bytes_total") == 3 * len(data) + 10, after)
    check("metrics: one model", after['ecg_serve_model_loads_total{result="done"}'] == "1", after)


def keep_alive(server):
    with server.connect() as s:
        for i in range(1, 1001):
            a = ask(s, "GET", "/healthz")
            if not a or a.status != 200 or a.headers.get("connection", "").lower() == "close":
                break
        check("a connection is closed after 1000 requests", i == 1000 and a and a.status == 200, (i, a))
        check("and said to be", a.headers["connection"] == "close" and s.recv(1) == b"", a.headers)
    with server.connect() as s:  # pipelined
        s.sendall(head("GET", "/healthz", {"Host": "127.0.0.1"}) * 5)
        data = b""
        while data.count(b'{"status":"ok"}') < 5:
            more = s.recv(65536)
            if not more:
                break
            data += more
        check("five requests at once", data.count(b"HTTP/1.1 200") == 5, data)
    a = server.ask("GET", "/app.js") if server.ask("GET", "/app.js").status == 200 else None
    if a:
        again = server.ask("GET", "/app.js", headers={"If-None-Match": a.headers["etag"]})
        check("what did not change is not sent again", again.status == 304 and not again.body, again)


def reloading(server, path):
    """Under requests all the time: none fails, and each is answered by the old model or by the new one."""
    data = PICTURES[0].read_bytes()
    seen, wrong, ends = set(), [], threading.Event()

    def asks():
        with server.connect() as s:
            while not ends.is_set():
                a = ask(s, "POST", PREDICT, data)
                if not a or a.status != 200:
                    wrong.append(a)
                    return
                seen.add(a.json()["model"])
                if a.headers.get("connection") == "close":
                    s = server.connect()

    def sha():
        return server.ask("GET", "/api/v1/model").json()["sha256"]

    threads = [threading.Thread(target=asks) for _ in range(4)]
    for t in threads:
        t.start()
    first = sha()
    shutil.copy(OTHER, path + ".new")
    os.replace(path + ".new", path)
    server.send_signal(signal.SIGHUP)
    check("the model is loaded anew", until(lambda: sha() != first), server.messages())
    second = sha()
    Path(path + ".new").write_bytes(Path(OTHER).read_bytes()[:5000])
    os.replace(path + ".new", path)
    server.send_signal(signal.SIGHUP)
    check("a broken file is named", until(lambda: "stays in use" in server.messages()) and path in server.messages(),
          server.messages())
    check("and the model stays", sha() == second)
    metrics = server.ask("GET", "/metrics").body.decode()
    check("and it is counted", 'ecg_serve_model_loads_total{result="failed"} 1\n' in metrics, metrics)
    os.remove(path)
    server.send_signal(signal.SIGHUP)
    check("a missing one too", until(lambda: 'result="failed"} 2\n' in server.ask("GET", "/metrics").body.decode()))
    ends.set()
    for t in threads:
        t.join()
    check("no request failed", not wrong, wrong)
    check("answers of both models", {first, second} <= seen, seen)


def signal_thread(server, number):
    """As the kernel may: to a thread that does not block it and is not the one that waits for it."""
    pid = server.process.pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = dict(line.split(":\t") for line in (task / "status").read_text().splitlines() if ":\t" in line)
        if int(task.name) != pid and not int(status["SigBlk"], 16) >> (number - 1) & 1:
            ctypes.CDLL(None).tgkill(pid, int(task.name), number)
            return
    server.send_signal(number)


def ending(server):
    """SIGTERM while a body is on its way: it is answered, and then the server is gone."""
    data = PICTURES[0].read_bytes()
    with server.connect() as s, server.connect() as idle:
        ask(idle, "GET", "/healthz")
        s.sendall(head("POST", PREDICT, {"Host": "127.0.0.1", "Content-Length": len(data)}) + data[:50])
        check("the request is under way", until(
            lambda: "ecg_serve_requests_in_flight 2\n" in server.ask("GET", "/metrics").body.decode()))
        signal_thread(server, signal.SIGTERM)
        check("no new connection", until(lambda: refused(server.port)))
        s.sendall(data[50:])
        a = receive(s)
        check("the request is answered", a and a.status == 200 and a.headers.get("connection") == "close", a)
    check("exit code 0", server.stop() == 0, server.messages())


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except (ConnectionRefusedError, ConnectionResetError):  # reset: it was waiting when the socket was closed
        return True
    return False


def main():
    random.seed(1)
    work = os.path.join(os.getcwd(), "m-served.ecgm")
    shutil.copy(MODEL, work)
    limit = 1 << 20
    server = Server(TOOLS, "-m", MODEL, "--max-upload", "1M", "--threads", "3")
    print(f"{same_as_predict(server)} pictures as ecg-predict has them")
    at_once(server)
    parameters(server)
    errors(server, limit)
    reading(server)
    counted(server)
    keep_alive(server)
    check("SIGINT ends it too", server.stop(signal.SIGINT) == 0, server.messages())
    server = Server(TOOLS, "-m", work, "--threads", "2")
    reloading(server, work)
    ending(server)
    c.finish()


main()
