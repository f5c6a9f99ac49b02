"""An upstream of bare sockets: it does what a test says with each connection, and keeps every byte that came."""
import socket
import threading


class Connection:
    def __init__(self, peer):
        self.peer, self.received = peer, b""

    def read_head(self):
        while b"\r\n\r\n" not in self.received:
            piece = self.peer.recv(65536)
            if not piece:
                return
            self.received += piece

    def read_to_the_end(self):
        try:
            while piece := self.peer.recv(65536):
                self.received += piece
        except OSError:
            pass


class BareUpstream:
    """`serve(connection)` runs on a thread of its own for each connection. Stands where a gateway wants a mock."""

    def __init__(self, serve, tls=None, ca=None):
        self.serve, self.context, self.ca = serve, tls, ca
        self.tls = tls is not None
        self.connections, self.threads = [], []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"{'https' if tls else 'http'}://localhost:{self.listening.getsockname()[1]}"
        self.accepting = threading.Thread(target=self.accept, daemon=True)
        self.accepting.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.join()

    def accept(self):
        while True:
            try:
                peer, _ = self.listening.accept()
            except OSError:
                return
            peer.settimeout(60)
            self.connections.append(connection := Connection(peer))
            self.threads.append(thread := threading.Thread(target=self.run, args=(connection,), daemon=True))
            thread.start()

    def run(self, connection):
        try:
            if self.context is not None:
                connection.peer = self.context.wrap_socket(connection.peer, server_side=True)
            self.serve(connection)
        except OSError:
            pass
        finally:
            connection.peer.close()

    def join(self):
        for each in self.threads:
            each.join(60)
