"""A headless Chromium, driven by the DevTools protocol over a pipe."""
import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


def find():
    """Path of a Chromium, or None."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return shutil.which(name)
    return None


class Browser:
    def __init__(self, program):
        self.home = tempfile.mkdtemp(prefix="ecg-browser-")
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (theirs_in, theirs_out)]
        for fd in (theirs_in, theirs_out):
            os.close(fd)

        def place():  # it reads 3 and writes 4
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        flags = ["--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.home}", "--no-first-run",
                 "--disable-gpu", "--hide-scrollbars", "--disable-background-networking", "--disable-component-update",
                 "--disable-sync", "--disable-dev-shm-usage", "--no-default-browser-check", "--mute-audio", "--lang=en-US",
                 "--disable-extensions", "--disable-features=Translate,MediaRouter,OptimizationHints", "--no-proxy-server"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        self.log = open(os.path.join(self.home, "log"), "wb")
        self.process = subprocess.Popen([program, *flags, "about:blank"], pass_fds=(3, 4), preexec_fn=place,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        for fd in high:
            os.close(fd)
        self.read_fd, self.write_fd = ours_in, ours_out
        self.numbers, self.rest, self.events = itertools.count(1), b"", []

    def messages(self, seconds):
        """What has arrived, after waiting for at most so long."""
        ready, _, _ = select.select([self.read_fd], [], [], seconds)
        if ready:
            data = os.read(self.read_fd, 1 << 20)
            if not data:
                raise RuntimeError("the browser has gone")
            *whole, self.rest = (self.rest + data).split(b"\0")
            for one in whole:
                yield json.loads(one)

    def call(self, method, session=None, wait=90, **params):
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.write_fd, data):]
        end = time.monotonic() + wait
        answer = None
        while answer is None:
            if time.monotonic() > end:
                raise TimeoutError(method)
            for m in self.messages(0.5):
                if m.get("id") == number:
                    answer = m
                elif "method" in m:
                    self.events.append(m)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def page(self, **emulate):
        """A new page in a profile of its own."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Page(self, session, target, **emulate)

    def close(self):
        try:
            self.call("Browser.close", wait=5)
        except (RuntimeError, OSError, TimeoutError):
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        os.close(self.read_fd)
        os.close(self.write_fd)
        shutil.rmtree(self.home, ignore_errors=True)


KEYS = {"Tab": (9, None), "Enter": (13, "\r"), " ": (32, " "), "Escape": (27, None)}


class Page:
    def __init__(self, browser, session, target, width=1280, height=900, dark=False, script=True, touch=False, calm=True):
        self.browser, self.session, self.target = browser, session, target
        for domain in ("Page", "Runtime", "DOM", "Log", "Network", "Accessibility"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=touch)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
                    {"name": "prefers-reduced-motion", "value": "reduce" if calm else "no-preference"}]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        if touch:
            self.call("Emulation.setTouchEmulationEnabled", enabled=True)
        if not script:
            self.call("Emulation.setScriptExecutionDisabled", value=True)
        self.script = script

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def go(self, url):
        self.forget("Page.loadEventFired")
        result = self.call("Page.navigate", url=url)
        if result.get("errorText"):
            raise RuntimeError(f"{url}: {result['errorText']}")
        self.event("Page.loadEventFired")

    def forget(self, method):
        self.browser.events = [e for e in self.browser.events
                               if e["method"] != method or e.get("sessionId") != self.session]

    def event(self, method, seconds=90):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for i, e in enumerate(self.browser.events):
                if e["method"] == method and e.get("sessionId") == self.session:
                    return self.browser.events.pop(i)
            self.browser.events.extend(m for m in self.browser.messages(0.2) if "method" in m)
        raise TimeoutError(method)

    def js(self, expression):
        """The value of an expression, awaited."""
        r = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True)
        if "exceptionDetails" in r:
            d = r["exceptionDetails"]
            raise RuntimeError(d.get("exception", {}).get("description") or d["text"])
        return r["result"].get("value")

    def until(self, expression, seconds=90):
        end = time.monotonic() + seconds
        while True:
            value = self.js(expression)
            if value:
                return value
            if time.monotonic() > end:
                raise TimeoutError(expression)
            time.sleep(0.03)

    def key(self, key, shift=False):
        code, text = KEYS[key]
        common = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **common, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def click(self, selector):
        x, y = self.js(f"""(() => {{ const e = document.querySelector({json.dumps(selector)});
            e.scrollIntoView({{block: "center"}}); const r = e.getBoundingClientRect();
            return [r.left + r.width / 2, r.top + r.height / 2]; }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def choose(self, selector, *paths):
        """Files in a file chooser."""
        root = self.call("DOM.getDocument", depth=0)["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[os.path.abspath(p) for p in paths])

    def drag(self, kind, *paths):
        """dragEnter, dragOver or drop of files."""
        data = {"items": [], "files": [os.path.abspath(p) for p in paths], "dragOperationsMask": 1}
        self.call("Input.dispatchDragEvent", type=kind, x=300, y=300, data=data)

    def shot(self, path, whole=True):
        self.js("document.activeElement && document.activeElement.blur && document.activeElement.blur(); window.scrollTo(0, 0)")
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))

    def complaints(self):
        """Errors on the console, exceptions, broken policies and failed requests so far."""
        said = []
        for e in self.browser.events:
            if e.get("sessionId") != self.session:
                continue
            p = e["params"]
            if e["method"] == "Runtime.exceptionThrown":
                said.append(json.dumps(p["exceptionDetails"])[:600])
            elif e["method"] == "Runtime.consoleAPICalled" and p["type"] in ("error", "warning", "assert"):
                said.append(json.dumps(p["args"])[:600])
            elif e["method"] == "Log.entryAdded" and p["entry"]["level"] in ("error", "warning"):
                said.append(f"{p['entry']['text']} {p['entry'].get('url', '')}")
        return said

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
