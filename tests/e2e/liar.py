"""A server of HTTP/2 over TLS that lies about its limits.

    connection --> Liar.rules(connection) --> answers, refusals, GOAWAYs

One thread a connection; python3-h2 does the framing. Each request is kept as
it came, whether it was answered or not: what is counted here really left the
program.
"""
import collections
import json
import socket
import ssl
import threading
import time

import h2.config
import h2.connection
import h2.events
import h2.settings

BODY = json.dumps({"cdn_delete_results": []}).encode()
STREAMS = h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS
REFUSED_STREAM = 7

Seen = collections.namedtuple("Seen", "id key connection answered")


class Connection:
    """What a rule sees. `asked`: streams so far; `open`: not answered yet."""

    def __init__(self, number, sock, announce):
        self.number, self.sock, self.asked, self.open = number, sock, 0, {}
        config = h2.config.H2Configuration(client_side=False)
        self.h2 = h2.connection.H2Connection(config)
        self.h2.local_settings = h2.settings.Settings(
            client=False, initial_values={STREAMS: announce})
        self.h2.initiate_connection()
        # What the library itself refuses is not what was announced.
        self.h2.local_settings[STREAMS] = 1 << 20
        self.h2.local_settings.acknowledge()
        self.over = False
        self.flush()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.sock.sendall(data)

    def announce(self, streams):
        self.h2.update_settings({STREAMS: streams})

    def refuse(self, stream):
        self.h2.reset_stream(stream, REFUSED_STREAM)
        self.open.pop(stream, None)

    def goaway(self, last):
        """Says that it answers up to the stream `last`, and no more comes."""
        self.h2.close_connection(last_stream_id=last)
        self.over = True

    def reset(self):
        self.over = True
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             b"\1\0\0\0\0\0\0\0")


class Liar:
    """`on_request(connection, stream)` may refuse, or end the connection;
    what it leaves open is answered after `delay` seconds."""

    def __init__(self, folder, announce=100, on_request=None, delay=0.004):
        self.seen, self.lock = [], threading.Lock()
        self.announce, self.delay = announce, delay
        self.on_request = on_request or (lambda connection, stream: None)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "server.pem",
                                     folder / "server.key")
        self.context.set_alpn_protocols(["h2"])
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.connections, self.sockets = 0, []
        self.url = ("https://localhost:%d/v1"
                    % self.listener.getsockname()[1])
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        self.listener.close()
        for sock in self.sockets:
            sock.close()

    def accept(self):
        while True:
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, daemon=True,
                             args=(raw, self.connections)).start()

    def serve(self, raw, number):
        try:
            with self.context.wrap_socket(raw, server_side=True) as sock:
                self.sockets.append(sock)
                sock.settimeout(0.02)
                connection = Connection(number, sock, self.announce)
                while not connection.over:
                    self.turn(connection)
                    connection.flush()
        except (OSError, h2.exceptions.ProtocolError):
            pass

    def turn(self, connection):
        try:
            data = connection.sock.recv(65536)
            if not data:
                connection.over = True
        except (socket.timeout, ssl.SSLWantReadError):
            data = b""
        for event in connection.h2.receive_data(data) if data else ():
            if isinstance(event, h2.events.RequestReceived):
                self.request(connection, event)
            elif isinstance(event, h2.events.StreamReset):
                connection.open.pop(event.stream_id, None)
        now = time.monotonic()
        for stream, (due, head) in list(connection.open.items()):
            if now >= due or connection.over:
                self.answer(connection, stream, head)

    def request(self, connection, event):
        head = {k.decode() if isinstance(k, bytes) else k:
                v.decode() if isinstance(v, bytes) else v
                for k, v in event.headers}
        connection.asked += 1
        connection.open[event.stream_id] = (
            time.monotonic() + self.delay, head)
        self.on_request(connection, event.stream_id)
        if event.stream_id not in connection.open or connection.over:
            self.keep(connection, head, False)

    def keep(self, connection, head, answered):
        if not head[":path"].endswith("/payloads"):
            return              # /meta, for its Date
        with self.lock:
            self.seen.append(Seen(head[":path"].split("/")[-2],
                                  head.get("idempotency-key"),
                                  connection.number, answered))

    def answer(self, connection, stream, head):
        del connection.open[stream]
        if connection.over:
            return
        connection.h2.send_headers(stream, [
            (":status", "200"), ("content-type", "application/json"),
            ("date", time.strftime("%a, %d %b %Y %H:%M:%S GMT",
                                   time.gmtime()))])
        connection.h2.send_data(stream, BODY, end_stream=True)
        self.keep(connection, head, True)
