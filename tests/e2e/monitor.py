"""A server that is told of things, and keeps them."""
import http.server
import ssl
import threading
import time


class Monitor:
    """Keeps what it is asked; answers with the statuses in turn."""

    def __init__(self, statuses=(200,), delay=0, tls=None):
        monitor = self
        self.asked, self.statuses, self.delay = [], list(statuses), delay

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size).decode()
                monitor.asked.append((self.path, body, dict(self.headers)))
                time.sleep(monitor.delay)
                status = monitor.statuses[0]
                if len(monitor.statuses) > 1:
                    monitor.statuses.pop(0)
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"OK")

            do_GET = do_PUT = do_POST

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        if tls:                 # a folder with a certificate
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls / "server.pem", tls / "server.key")
            self.server.socket = context.wrap_socket(self.server.socket,
                                                     server_side=True)
        self.place = "127.0.0.1:%d" % self.server.server_port
        self.url = "http://%s/check" % self.place
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def paths(self):
        return [path.split("?")[0] for path, _, _ in self.asked]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
