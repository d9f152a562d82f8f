"""The smallest Platform API that a regression test needs: it keeps its
connections, answers a listing with nothing, and deletions as it is told."""
import http.server
import json
import os
import pathlib
import subprocess
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("FALRUN", str(ROOT / "build" / "asan" / "falrun"))
ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def note(self):
        seen = self.server.fake.seen
        seen.append({"method": self.command, "path": self.path,
                     "key": self.headers.get("Idempotency-Key")})

    def do_GET(self):
        self.note()
        self.answer(200, {"items": [], "has_more": False,
                          "next_cursor": None})

    def do_DELETE(self):
        self.note()
        plan = self.server.fake.deletions
        what = plan.pop(0) if len(plan) > 1 else plan[0]
        if what == "drop":
            self.close_connection = True
        elif isinstance(what, int):
            self.answer(what, {"error": {"message": "as told"}})
        else:
            self.answer(200, what)


class Fake:
    """`deletions`: "drop", a status, or the body of a 200; the last stays."""

    def __init__(self, folder):
        self.folder, self.seen = folder, []
        self.deletions = [{"cdn_delete_results": []}]

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.server.daemon_threads = True
        self.server.fake = self
        threading.Thread(target=self.server.serve_forever).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def environment(self, url=True, **more):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder),
               "FAL_ADMIN_KEY": "id:secret", "ASAN_OPTIONS": "exitcode=99"}
        if url:
            env["FALRUN_API_URL"] = ("http://127.0.0.1:%d/v1"
                                     % self.server.server_address[1])
        env.update(more)
        return env

    def run(self, *words, **more):
        return subprocess.run([PROGRAM, *words], cwd=self.folder,
                              env=self.environment(**more),
                              capture_output=True, timeout=60)

    def start(self, *words):
        return subprocess.Popen([PROGRAM, *words], cwd=self.folder,
                                env=self.environment(),
                                stderr=subprocess.PIPE)

    def policy(self, text, *words):
        (self.folder / "policy.lua").write_text(text)
        return self.run(*words, "policy.lua")

    @staticmethod
    def json(done):
        return json.loads(done.stdout)
